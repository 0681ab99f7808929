"""Dates as people read them: in the organisation's time zone and in the language of the page."""

from __future__ import annotations

import calendar
from datetime import date, datetime, tzinfo
from functools import cache, lru_cache

from babel.dates import format_date, get_timezone

from preferences.domain.days import start_of_day as first_moment

from .locale import request_locale
from .plumbing import settings

AS_IN = {"en": "en_GB"}
"""Whose way of writing a date a language follows where it has several: 3 March 2026, as in the rest of Europe."""


def in_words(moment: datetime | None) -> str:
    """The date of a moment in words; empty for None."""
    return "" if moment is None else date_in_words(local_date(moment), request_locale())


@lru_cache(maxsize=4096)
def date_in_words(day: date, locale: str) -> str:
    """A date in words: 3 mars 2026."""
    return format_date(day, "long", locale=AS_IN.get(locale, locale))


def local_date(moment: datetime) -> date:
    """The date of a moment in the organisation's time zone."""
    return moment.astimezone(_zone(settings().time_zone)).date()


@cache
def _zone(name: str) -> tzinfo:
    """Looked up once: a page has many dates."""
    return get_timezone(name)


def start_of_day(day: date) -> datetime:
    """The first moment of a day in the organisation's time zone, in UTC."""
    return first_moment(day, settings().time_zone)


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
