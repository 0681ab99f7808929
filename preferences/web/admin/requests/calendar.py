"""A month of due dates as weeks of days: Monday first, with the days of the months beside it left empty."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from preferences.queries.rights.rights_queue import RequestToWork


@dataclass(frozen=True, slots=True)
class Day:
    """One day with what is due on it; `day` is None beside the month."""

    day: date | None
    due: Sequence[RequestToWork]


def read_month(text: str, today: date) -> date:
    """The first day of a month written as 2026-03; of this month for everything else."""
    try:
        return date.fromisoformat(f"{text}-01") if 1900 < int(text[:4] or 0) < 9000 else today.replace(day=1)
    except ValueError:
        return today.replace(day=1)


def weeks_of(month: date, due: Sequence[RequestToWork]) -> list[list[Day]]:
    """The weeks of the month that begins on this day."""
    weeks = Calendar(firstweekday=0).monthdatescalendar(month.year, month.month)
    return [
        [
            Day(day, [one for one in due if one.due_on == day]) if day.month == month.month else Day(None, ())
            for day in week
        ]
        for week in weeks
    ]
