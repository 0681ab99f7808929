"""The period that a page of numbers is about: from, to and by what, in the address of the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from babel.dates import format_date
from flask import url_for

from preferences.queries.numbers.periods import Period
from preferences.web.admin.answering import asked
from preferences.web.dates import AS_IN, local_date, months_after, start_of_day
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, utc_now

WEEKS = 12
MOST_STRETCHES = 120
EARLIEST = date(2000, 1, 1)


class Unit(StrEnum):
    """What a period is cut into."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class AskedPeriod:
    """A period as somebody asked for it: whole days in the organisation's time zone, both ends included."""

    since: date
    until: date
    unit: Unit
    days: tuple[date, ...]
    """The first day of each stretch, and the day after the last."""

    @property
    def period(self) -> Period:
        """The same as the database counts."""
        return Period(tuple(start_of_day(day) for day in self.days), settings().time_zone)

    def labels(self) -> list[str]:
        """What each stretch is called: 3 nov., or nov. 2026 for a month."""
        locale = request_locale()
        pattern = "MMM y" if self.unit is Unit.MONTH else "d MMM"
        return [format_date(day, pattern, locale=AS_IN.get(locale, locale)) for day in self.days[:-1]]

    def people(self, stretch: int | None = None, **filters: Any) -> str:
        """The address of the people behind a figure, of the whole period or of one stretch."""
        first, after = (self.days[0], self.days[-1]) if stretch is None else self.days[stretch : stretch + 2]
        until = after - timedelta(days=1)
        return url_for("admin.recipients", **filters, since=first.isoformat(), until=until.isoformat())


def asked_period() -> AskedPeriod:
    """What the address asks for: twelve weeks until today where it says nothing; coarser where it would be too many."""
    today = local_date(utc_now())
    until = min(_day("until") or today, today)
    since = _day("since") or _monday(until) - timedelta(weeks=WEEKS - 1)
    since, until = min(since, until), max(since, until)
    text = asked("unit")
    wanted = Unit(text) if text in [*Unit] else Unit.WEEK
    units = [*Unit]
    for unit in units[units.index(wanted) :]:
        days = _cut(since, until, unit)
        if len(days) <= MOST_STRETCHES:
            return AskedPeriod(since, until, unit, days)
    return AskedPeriod(months_after(until, 1 - MOST_STRETCHES), until, Unit.MONTH, days[-MOST_STRETCHES:])


def _cut(since: date, until: date, unit: Unit) -> tuple[date, ...]:
    days, day = [since], since
    while (day := _next(day, unit)) <= until:
        days.append(day)
    return (*days, until + timedelta(days=1))


def _next(day: date, unit: Unit) -> date:
    if unit is Unit.DAY:
        return day + timedelta(days=1)
    return _monday(day) + timedelta(weeks=1) if unit is Unit.WEEK else months_after(day.replace(day=1), 1)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _day(name: str) -> date | None:
    try:
        found = date.fromisoformat(asked(name))
    except ValueError:
        return None
    return found if found >= EARLIEST else None
