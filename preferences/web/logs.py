"""What must not get into a log: paths, which hold tokens; client addresses; the words of an exception, which hold anything."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def is_no_request_line(record: logging.LogRecord) -> bool:
    """A filter for werkzeug's development server: lets through where it listens, and drops a line about a request.

    Such a line begins with the client's address and holds the path, raw or in the words of an error.
    """
    return " - - [" not in record.getMessage()


def frames_without_words(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor: `exc_info` becomes the kinds of the exceptions and the lines of code they came through, never a message."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    found = _exc_info(given)
    if found is not None:
        event["exception"] = _chain(found)
    return event


def _exc_info(given: Any) -> ExcInfo | None:
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    kind, error, trace = given if isinstance(given, tuple) else sys.exc_info()
    return None if kind is None or error is None else (kind, error, trace)


def _chain(found: ExcInfo) -> list[str]:
    kind, error, trace = found
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    lines = [] if before is None else _chain((type(before), before, before.__traceback__))
    frames = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)
    ]
    return [*lines, f"{kind.__module__}.{kind.__qualname__} < {' < '.join(reversed(frames))}"]
