"""Rights requests: the queue by due date, the calendar, one request with what can be done about it (GDPR 12; L5)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from babel.dates import format_date
from flask import abort, make_response, render_template, request
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.errors import InvalidValue, PreferencesError
from preferences.domain.rights import MOST_ANSWER, MOST_DETAILS, RightsKind, RightsState, latest_extension
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.queries.rights.rights_queue import (
    RequestToWork,
    closed_requests,
    open_requests,
    request_by_reference,
    requests_of_recipient,
)
from preferences.services.rights.rights_work import (
    RequestClosed,
    RequestExtended,
    answer_request,
    apply_wanted,
    extend_request,
)
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked, asked_number, done, said, typed_lines
from preferences.web.admin.guard import audited_read, needs, shown_address, staff_id
from preferences.web.admin.paging import BEFORE, ROWS, page_of
from preferences.web.admin.words.words import staff_word
from preferences.web.dates import AS_IN, date_in_words, local_date
from preferences.web.locale import request_locale
from preferences.web.plumbing import utc_now

from .calendar import read_month, weeks_of

MESSAGES = {
    "extended": lazy_gettext("The person is told the new date and the reason by mail."),
    "answered": lazy_gettext("The answer is on its way to the person, as you wrote it."),
}
PROBLEMS = {
    "/answer": lazy_gettext("Write the answer: the person gets it as it stands here."),
    "/outcome": lazy_gettext("Choose whether it is done or refused."),
    "/reason": lazy_gettext("Write the reason: the person gets it as it stands here."),
    "/until": lazy_gettext("This date is not possible: look at the days beside the field."),
    "closed": lazy_gettext(
        "Somebody has answered it meanwhile, or the person took it back. What you wrote is still here."
    ),
    "extended": lazy_gettext(
        "It has been given more time already, and the law allows that once. What you wrote is still here."
    ),
}
FIELDS = ("answer", "outcome", "reason", "until", "apply")


@blueprint.get("/requests")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def requests() -> str:
    """What waits, soonest due first; or with `?state=closed` what is over, newest first."""
    kind, closed = asked("kind"), asked("state") == "closed"
    wanted = RightsKind(kind) if kind in [*RightsKind] else None
    with reading() as session:
        if closed:
            found = closed_requests(session, kind=wanted, before=asked_number(BEFORE), limit=ROWS + 1)
        else:
            found = open_requests(session, kind=wanted)
    return render_template(
        "admin/requests.html",
        page=page_of(found, lambda one: one.id) if closed else None,
        found=found,
        closed=closed,
        kind=kind,
        kinds=[(one.value, staff_word("rights", one)) for one in RightsKind],
        **_dates(),
    )


@blueprint.get("/requests/calendar")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def request_calendar() -> str:
    """A month with what is due on each day."""
    today = local_date(utc_now())
    month = read_month(asked("month"), today)
    with reading() as session:
        found = open_requests(session)
    return render_template(
        "admin/requests_calendar.html",
        month=month,
        weeks=weeks_of(month, found),
        weekdays=[_named(month.replace(day=1 + number - month.weekday() + 7), "EEE") for number in range(7)],
        months=[(one, _named(one, "LLLL y")) for one in (_month(month, -1), month, _month(month, 1))],
        **_dates(),
    )


@blueprint.get("/requests/<reference>")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def request_page(reference: str) -> Response:
    """One request: what is asked, by whom, by when; the forms for the answer and for more time."""
    return _page(reference)


@blueprint.post("/requests/<reference>/answer")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def answer_it(reference: str) -> Response:
    """Close it with a written answer; first write what was wanted, where that was ticked."""
    outcome, now = request.form.get("outcome", ""), utc_now()
    try:
        with transaction() as session:
            found = _existing(request_by_reference(session, reference))
            fields = apply_wanted(session, reference, now=now) if request.form.get("apply") else ()
            state = RightsState(outcome) if outcome in [*RightsState] else RightsState.OPEN
            answer_request(session, reference, state, answer=typed_lines("answer"), now=now)
            data = {"outcome": outcome, "fields": list(fields)}
            record_audit(session, staff_id(), AuditAction.REQUEST_ANSWERED, _target(found), data=data, now=now)
    except (InvalidValue, RequestClosed) as error:
        return _page(reference, problem=_problem(error))
    return done("admin.request_page", "answered", reference=reference)


@blueprint.post("/requests/<reference>/extend")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def extend_it(reference: str) -> Response:
    """Give it more time, and tell the person why."""
    now = utc_now()
    try:
        until = date.fromisoformat(request.form.get("until", "")[:10])
    except ValueError:
        return _page(reference, problem="/until")
    try:
        with transaction() as session:
            found = _existing(request_by_reference(session, reference))
            extend_request(session, reference, until=until, reason=typed_lines("reason"), now=now)
            data = {"until": until.isoformat()}
            record_audit(session, staff_id(), AuditAction.REQUEST_EXTENDED, _target(found), data=data, now=now)
    except (InvalidValue, RequestClosed) as error:
        return _page(reference, problem=_problem(error))
    return done("admin.request_page", "extended", reference=reference)


def _page(reference: str, *, problem: str = "") -> Response:
    """The page; after something that could not be taken with every word that was typed, so that nobody writes it twice."""
    with reading() as session:
        found = _existing(request_by_reference(session, reference))
    with audited_read(AuditAction.REQUEST_SEEN, _target(found)) as session:
        recipient = recipient_by_id(session, found.recipient_id)
        others = [one for one in requests_of_recipient(session, found.recipient_id) if one.id != found.id]
    if recipient is None:
        abort(404)
    page = render_template(
        "admin/request.html",
        one=found,
        recipient=recipient,
        address=shown_address(recipient.address),
        others=others,
        latest=latest_extension(found.received_at),
        typed={name: request.form.get(name, "") for name in FIELDS},
        problem=(problem, PROBLEMS[problem]) if problem else None,
        most_answer=MOST_ANSWER,
        most_reason=MOST_DETAILS,
        done=said(MESSAGES),
        **_dates(),
    )
    return make_response(page, 200 if not problem else 409 if problem in {"closed", "extended"} else 422)


def _existing(found: RequestToWork | None) -> RequestToWork:
    if found is None:
        abort(404)
    return found


def _target(found: RequestToWork) -> AuditTarget:
    return AuditTarget(AuditObject.REQUEST, found.id)


def _problem(error: PreferencesError) -> str:
    if isinstance(error, RequestClosed):
        return "closed"
    if isinstance(error, RequestExtended):
        return "extended"
    return error.pointer if error.pointer in PROBLEMS else "/answer"


def _month(month: date, step: int) -> date:
    """The first day of the month before or after."""
    return (month + timedelta(days=32 * step) if step > 0 else month - timedelta(days=1)).replace(day=1)


def _named(day: date, pattern: str) -> str:
    locale = request_locale()
    return format_date(day, pattern, locale=AS_IN.get(locale, locale))


def _dates() -> dict[str, Any]:
    """What the templates need to speak of days."""
    today = local_date(utc_now())
    return {
        "today": today,
        "in_words": lambda day: date_in_words(day, request_locale()),
        "days_left": lambda day: (day - today).days,
    }
