"""Days as the organisation counts them: from midnight to midnight in its time zone. One place, so that all count alike."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


@lru_cache(maxsize=8192)
def start_of_day(day: date, zone: str) -> datetime:
    """The first moment of a day, in UTC. Where the clock is put forward at midnight, that is one o'clock."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def day_around(moment: datetime, zone: str) -> datetime:
    """The first moment of the day that a moment lies in, in UTC."""
    day = moment.astimezone(ZoneInfo(zone)).date()
    for one in (day + _DAY, day):
        if start_of_day(one, zone) <= moment:
            return start_of_day(one, zone)
    return start_of_day(day - _DAY, zone)
