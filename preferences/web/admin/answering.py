"""What admin views share when they answer: forms read, "done" said after the redirect, moments in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from babel.dates import format_date, format_datetime, get_timezone
from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from preferences.domain.text import written
from preferences.web.dates import AS_IN, start_of_day
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings

W = TypeVar("W", bound=StrEnum)
DONE = "done"
LARGEST_ID = 2**63 - 1
"""No row has a larger one, and no database takes it."""


def typed(name: str, *, most: int = 500) -> str:
    """One line that somebody typed: trimmed, bounded, without characters that no page may hold."""
    text = request.form.get(name, "")[: most * 2]
    return "".join(character for character in text if character.isprintable()).strip()[:most]


def typed_lines(name: str) -> str:
    """What somebody wrote in a field of several lines, unbounded: the service that takes it knows how much it keeps."""
    return written(request.form.get(name, ""))


def asked(name: str, *, most: int = 200) -> str:
    """One filter from the address of the page, read like `typed`."""
    text = request.args.get(name, "")[: most * 2]
    return "".join(character for character in text if character.isprintable()).strip()[:most]


def asked_day(name: str, *, days_after: int = 0) -> datetime | None:
    """The start of a day in the address written as 2026-03-01, or so many days after it; None for anything else."""
    try:
        return start_of_day(date.fromisoformat(asked(name)) + timedelta(days=days_after))
    except (ValueError, OverflowError):
        return None


def asked_number(name: str) -> int | None:
    """A whole number from the address of the page, such as a page's position; None for anything else.

    Up to the largest that a database takes: ids of recipients are random and fill 63 bits, so most have 19 digits.
    """
    text = request.args.get(name, "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else LARGEST_ID + 1
    return number if number <= LARGEST_ID else None


def asked_word(vocabulary: type[W], name: str) -> W | None:
    """One word of a vocabulary from the address of the page; None for every other text."""
    text = asked(name)
    return vocabulary(text) if text in [*vocabulary] else None


def done(endpoint: str, what: str = "", **values: Any) -> Response:
    """303 to a page that says what was done. `what` is a key of the messages that its view hands to `said`."""
    if what:
        values[DONE] = what
    return redirect(url_for(endpoint, **values), code=303)


def said(messages: Mapping[str, Any]) -> Any:
    """The message of what was just done; empty where nothing was. Only known keys say anything: addresses can be forged."""
    return messages.get(request.args.get(DONE, ""), "")


def day_in_words(day: date | None) -> str:
    """A date in few letters: 3 mars 2026, 14 dec. 2026. Empty for None."""
    locale = request_locale()
    return "" if day is None else format_date(day, "d MMM y", locale=AS_IN.get(locale, locale))


def moment_in_words(moment: datetime | None) -> str:
    """Date and time in the organisation's time zone: 3 mars 2026 14:05. Empty for None."""
    if moment is None:
        return ""
    locale = request_locale()
    return format_datetime(
        moment, "d MMM y HH:mm", tzinfo=get_timezone(settings().time_zone), locale=AS_IN.get(locale, locale)
    )
