"""What may be said of an unexpected error."""

from __future__ import annotations


def where(error: Exception) -> str:
    """File and line of an unexpected error: its message could hold an address."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
