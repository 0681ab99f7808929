"""The queue of rights requests by due date, and the calendar (GDPR 12; L5)."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from babel.dates import format_date
from flask import render_template

from preferences.domain.rights import RequestChannel, RightsKind
from preferences.domain.roles import Permission
from preferences.models.transaction import reading
from preferences.queries.rights.rights_queue import closed_requests, open_requests
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked, asked_number
from preferences.web.admin.guard import needs
from preferences.web.admin.paging import BEFORE, ROWS, page_of
from preferences.web.admin.words.words import staff_word
from preferences.web.dates import AS_IN, local_date
from preferences.web.locale import request_locale
from preferences.web.plumbing import utc_now

from .calendar import read_month, weeks_of
from .shown import days_in_words

W = TypeVar("W", bound=StrEnum)


@blueprint.get("/requests")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def requests() -> str:
    """What waits, soonest due first; or with `?state=closed` what is over, newest first."""
    kind, channel, closed = _word(RightsKind, "kind"), _word(RequestChannel, "channel"), asked("state") == "closed"
    with reading() as session:
        if closed:
            found = closed_requests(session, kind=kind, channel=channel, before=asked_number(BEFORE), limit=ROWS + 1)
        else:
            found = open_requests(session, kind=kind, channel=channel)
    return render_template(
        "admin/requests/requests.html",
        page=page_of(found, lambda one: one.id) if closed else None,
        found=found,
        closed=closed,
        kind=kind or "",
        channel=channel or "",
        kinds=[(one.value, staff_word("rights", one)) for one in RightsKind],
        channels=[(one.value, staff_word("request_channel", one)) for one in RequestChannel],
        **days_in_words(),
    )


@blueprint.get("/requests/calendar")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def request_calendar() -> str:
    """A month with what is due on each day."""
    today = local_date(utc_now())
    month = read_month(asked("month"), today)
    with reading() as session:
        weeks = weeks_of(month, open_requests(session))
    return render_template(
        "admin/requests/requests_calendar.html",
        month=month,
        weeks=weeks,
        is_empty=not any(day.due for week in weeks for day in week),
        weekdays=[_named(month.replace(day=1 + number - month.weekday() + 7), "EEE") for number in range(7)],
        months=[(one, _named(one, "LLLL y")) for one in (_month(month, -1), month, _month(month, 1))],
        **days_in_words(),
    )


def _word(vocabulary: type[W], name: str) -> W | None:
    """One word of a vocabulary from the address of the page; None for every other text."""
    text = asked(name)
    return vocabulary(text) if text in [*vocabulary] else None


def _month(month: date, step: int) -> date:
    """The first day of the month before or after."""
    return (month + timedelta(days=32 * step) if step > 0 else month - timedelta(days=1)).replace(day=1)


def _named(day: date, pattern: str) -> str:
    locale = request_locale()
    return format_date(day, pattern, locale=AS_IN.get(locale, locale))
