"""The worker: does what the outbox holds, and clears away what need not be kept."""

from .alone import SomebodyElseWorks, work_alone
from .loop import Worker

__all__ = ["SomebodyElseWorks", "Worker", "work_alone"]
