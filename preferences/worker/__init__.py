"""The worker: does what the outbox holds, and clears away what need not be kept."""

from .loop import Worker

__all__ = ["Worker"]
