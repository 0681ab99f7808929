"""The times people write in files: ISO 8601, `1.5.2024`, or a format that the mapping names. A guess is never made.

A time without a zone is read in the mapping's zone. A date without a time is, for a grant, the beginning of that day, and for a
stop its end: where only the day is known, the opt-out is the newer one (T28).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from enum import Enum, auto
from zoneinfo import ZoneInfo

from preferences.domain.errors import InvalidValue

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}", re.ASCII)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ ,]+(\d{1,2}:\d{2}(?::\d{2})?))?", re.ASCII)


class DayEdge(Enum):
    """Which end of a day stands for a date without a time."""

    BEGINNING = auto()
    END = auto()


ReadTime = Callable[[str, DayEdge], datetime]


def time_reader(time_zone: str, date_format: str | None) -> ReadTime:
    """A function from text to an aware moment. It raises InvalidValue, naming the formats that can be read."""
    zone = ZoneInfo(time_zone)

    def read(text: str, edge: DayEdge) -> datetime:
        try:
            moment = _read(text.strip(), date_format)
            if isinstance(moment, datetime):
                return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
            clock = time.min if edge is DayEdge.BEGINNING else time.max
            return datetime.combine(moment, clock, tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            wanted = f"{date_format!r}" if date_format else "2024-05-01, 2024-05-01T10:00+02:00 or 1.5.2024"
            raise InvalidValue(f"occurred_at is not a time like {wanted}.", pointer="/evidence/occurred_at") from error

    return read


def _read(text: str, date_format: str | None) -> datetime | date:
    if date_format is not None:
        moment = datetime.strptime(text, date_format)  # noqa: DTZ007 - the zone is added by the caller
        has_time = any(code in date_format for code in ("%H", "%I", "%T", "%X", "%c", "%r", "%R", "%f"))
        return moment if has_time else moment.date()
    if _DATE.fullmatch(text):
        return date.fromisoformat(text)
    dotted = _DOTTED.fullmatch(text)
    if dotted is None:
        return datetime.fromisoformat(text)
    day = date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
    if dotted[4] is None:
        return day
    return datetime.combine(day, time.fromisoformat(dotted[4].zfill(5)))
