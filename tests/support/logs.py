"""What the service writes to its log, as the lines an operator would see."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def log_lines() -> Iterator[io.StringIO]:
    """Everything logged meanwhile, rendered as in operation. `capsys` does not see it: the log was opened at the start."""
    before = structlog.get_config()["logger_factory"]
    written = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written))
    try:
        yield written
    finally:
        structlog.configure(logger_factory=before)
