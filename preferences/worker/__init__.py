"""The worker: does what the outbox holds, and clears away what need not be kept."""

from .alone import SomebodyElseWorks, work_alone
from .loop import Worker
from .metrics_port import metrics_served

__all__ = ["SomebodyElseWorks", "Worker", "metrics_served", "work_alone"]
