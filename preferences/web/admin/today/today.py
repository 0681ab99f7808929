"""Today: what needs a person, the most urgent first."""

from __future__ import annotations

from datetime import date

from flask import render_template

from preferences.domain.roles import Permission
from preferences.models.transaction import reading
from preferences.queries.staff.today import what_needs_somebody
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.guard import needs
from preferences.web.dates import date_in_words, local_date
from preferences.web.locale import request_locale
from preferences.web.plumbing import utc_now


@blueprint.get("")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
def today() -> str:
    """The page that one starts the day with."""
    day = local_date(utc_now())
    with reading() as session:
        found = what_needs_somebody(session, today=day, now=utc_now())
    return render_template("admin/today/today.html", found=found, today=day, in_words=_in_words, days_left=_days_left)


def _in_words(day: date) -> str:
    return date_in_words(day, request_locale())


def _days_left(day: date) -> int:
    """Days until then; below zero once it has passed."""
    return (day - local_date(utc_now())).days
