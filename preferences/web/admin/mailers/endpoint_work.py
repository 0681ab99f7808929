"""One endpoint at work: how it does, what was tried and answered, a test call, and sending again what it has not taken."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import abort, make_response, render_template, request
from flask_babel import lazy_gettext, ngettext, to_utc
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction
from preferences.domain.errors import Conflict, NotFound
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.mailers.endpoints import attempts_of, endpoint_by_id, waiting_count
from preferences.services.staff.audit import record_audit
from preferences.services.webhooks.replay import Range, replay, send_test
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import LARGEST_ID, asked_number, done, said, typed
from preferences.web.admin.guard import needs, staff_id
from preferences.web.admin.paging import BEFORE, ROWS, page_of
from preferences.web.admin.words.endpoints import host_of, masked_answer
from preferences.web.plumbing import utc_now

from .endpoints import endpoint_target, existing_endpoint
from .mailers import existing_mailer

MESSAGES = {
    "changed": lazy_gettext("The endpoint is changed. The next message goes out like this."),
    "enabled": lazy_gettext("The endpoint is called again; what waited is sent now."),
    "disabled": lazy_gettext("The endpoint is not called. What is meant for it waits."),
    "tested": lazy_gettext(
        "A test message is on its way. What comes of it stands below in a moment: load the page again."
    ),
}
PROBLEMS = {
    "event": lazy_gettext("Write the number of a change, as it stands in the list of attempts."),
    "unknown": lazy_gettext("There is no change with this number."),
    "since": lazy_gettext("Choose a moment in the past to begin at."),
    "until": lazy_gettext("The end comes after the beginning."),
    "off": lazy_gettext("The endpoint is not called at present. Switch it on first; what waits is sent then."),
}
MOST_PORTIONS = 20
"""How many portions of a replay one form queues: 200,000 changes."""


@blueprint.get("/mailers/<key>/endpoints/<int:number>")
@access(Access.STAFF)
@needs(Permission.SEE_MAILERS)
def endpoint_page(key: str, number: int) -> Response:
    """How it does and what was tried, newest first."""
    return _page(key, number)


@blueprint.post("/mailers/<key>/endpoints/<int:number>/test")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
def send_test_to(key: str, number: int) -> Response:
    """Queue a test message."""
    found, now = existing_endpoint(key, number), utc_now()
    try:
        with transaction() as session:
            send_test(session, found, now=now)
            data = {"what": "tested"}
            record_audit(session, staff_id(), AuditAction.ENDPOINT_CHANGED, endpoint_target(found), data=data, now=now)
    except Conflict:
        return _page(key, number, problem="off")
    return done("admin.endpoint_page", "tested", key=key, number=number)


@blueprint.post("/mailers/<key>/endpoints/<int:number>/replay")
@access(Access.STAFF)
@needs(Permission.MANAGE_MAILERS)
def replay_to_endpoint(key: str, number: int) -> Response:
    """Send one change again, or those of a range of time, under the ids they had."""
    found, now = existing_endpoint(key, number), utc_now()
    problem, wanted = _wanted(now)
    if wanted is None:
        return _page(key, number, problem=problem)
    queued, portions = 0, 0
    try:
        while True:
            with transaction() as session:
                current = endpoint_by_id(session, found.id) or abort(404)
                portion = replay(session, current, wanted, now=now)
                if portion.queued or not portions:
                    data = {"changes": portion.queued, "last": portion.last_event}
                    target = endpoint_target(found)
                    record_audit(session, staff_id(), AuditAction.EVENTS_REPLAYED, target, data=data, now=now)
            queued, portions = queued + portion.queued, portions + 1
            if not portion.more or portions >= MOST_PORTIONS:
                break
            wanted = Range(after=portion.last_event, since=wanted.since, until=wanted.until)
    except Conflict:
        return _page(key, number, problem="off")
    except NotFound:
        return _page(key, number, problem="unknown")
    return done("admin.endpoint_page", key=key, number=number, sent=queued)


def _wanted(now: datetime) -> tuple[str, Range | None]:
    """What the form asks for; or what is wrong with it."""
    if request.form.get("what") != "range":
        text = request.form.get("event", "").strip().removeprefix("evt_")
        if not (text.isascii() and text.isdigit() and 0 < int(text[:20]) <= LARGEST_ID and len(text) < 20):
            return "event", None
        return "", Range(event=int(text))
    since, until = _moment("since"), _moment("until")
    if since is None or since > now:
        return "since", None
    if request.form.get("until", "").strip() and (until is None or until <= since):
        return "until", None
    return "", Range(since=since, until=until)


def _moment(name: str) -> datetime | None:
    """A moment typed in the organisation's time zone; None for nothing that can be read."""
    try:
        local = datetime.fromisoformat(request.form.get(name, "").strip()[:16])
        moment: datetime = to_utc(local.replace(tzinfo=None))
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.year >= 2000 else None


def _page(key: str, number: int, *, problem: str = "") -> Response:
    mailer, found = existing_mailer(key), existing_endpoint(key, number)
    with reading() as session:
        tried = attempts_of(session, found.id, limit=ROWS + 1, before=asked_number(BEFORE))
        waiting = waiting_count(session, found.id)
    page = render_template(
        "admin/mailers/endpoint.html",
        mailer=mailer,
        one=found,
        host=host_of(found.url),
        waiting=waiting,
        page=page_of(tried, lambda attempt: attempt.id),
        answer=masked_answer,
        typed={name: typed(name, most=40) for name in ("event", "since", "until")},
        problem=({"unknown": "event"}.get(problem, problem), PROBLEMS[problem]) if problem else None,
        done=_sent() or said(MESSAGES),
    )
    return make_response(page, 200 if not problem else 409 if problem == "off" else 422)


def _sent() -> str:
    """How many changes a replay has queued, after it."""
    number = asked_number("sent")
    if number is None or request.method != "GET":
        return ""
    return str(ngettext("%(num)d change is on its way again.", "%(num)d changes are on their way again.", number))
