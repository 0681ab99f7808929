"""Takedowns: what people want removed, who sees to it by when, and the answer with the proof that it is gone."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, make_response, render_template, request
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.errors import InvalidValue, PreferencesError
from preferences.domain.photo import MOST_NOTE_CHARACTERS, TakedownState
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.photos.takedowns import Takedown, closed_takedowns, takedown_by_reference, takedowns_to_work
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.queries.staff.staff import StaffState, StaffView, all_staff
from preferences.services.photos.takedown import TakedownClosed, close_takedown
from preferences.services.photos.takedown_work import PlanChanged, TakedownPlan, plan_takedown
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked, asked_number, done, said, typed, typed_lines
from preferences.web.admin.guard import audited_read, needs, shown_address, staff_id
from preferences.web.admin.paging import BEFORE, ROWS, page_of
from preferences.web.dates import local_date
from preferences.web.plumbing import utc_now

MESSAGES = {
    "planned": lazy_gettext("The plan is saved."),
    "closed": lazy_gettext("It is closed. The answer is on its way to the person, as you wrote it."),
}
PROBLEMS = {
    "/answer": lazy_gettext("Write the answer, of at most 2,000 characters: the person gets it as it stands here."),
    "/state": lazy_gettext("Choose whether it is done or refused."),
    "/proof": lazy_gettext("Write how you know that it is gone, in at most 2,000 characters: it is kept as proof."),
    "/due_on": lazy_gettext("Choose a day, as in 2031-03-12."),
    "/assigned_to": lazy_gettext("Choose somebody who may handle takedowns."),
    "closed": lazy_gettext("Somebody has closed it meanwhile. What you wrote is still here."),
    "changed": lazy_gettext("Somebody has planned it otherwise meanwhile. What you chose is still here."),
}
FIELDS = ("outcome", "answer", "proof", "assigned_to", "due_on")


@blueprint.get("/takedowns")
@access(Access.STAFF)
@needs(Permission.HANDLE_TAKEDOWNS)
def takedowns() -> str:
    """What waits, soonest due first; `?who=me` one's own; with `?state=closed` what is over, newest first."""
    closed, mine = asked("state") == "closed", asked("who") == "me"
    with reading() as session:
        if closed:
            found = closed_takedowns(session, before=asked_number(BEFORE), limit=ROWS + 1)
        else:
            found = takedowns_to_work(session, assigned_to=staff_id() if mine else None)
        names = {one.id: one.name for one in all_staff(session)}
    return render_template(
        "admin/trainings/takedowns.html",
        page=page_of(found, lambda one: one.id) if closed else None,
        found=found,
        closed=closed,
        mine=mine,
        names=names,
        **_days(),
    )


@blueprint.get("/takedowns/<reference>")
@access(Access.STAFF)
@needs(Permission.HANDLE_TAKEDOWNS)
def takedown_page(reference: str) -> Response:
    """One case: where it is published, what shall go, who sees to it by when, the answer."""
    return _page(reference)


@blueprint.post("/takedowns/<reference>/plan")
@access(Access.STAFF)
@needs(Permission.HANDLE_TAKEDOWNS)
def plan_it(reference: str) -> Response:
    """Say who sees to it by when; with that it is in progress."""
    try:
        new, before = _plan(""), _plan("was_")
        with transaction() as session:
            found = _existing(session, reference)
            if new.assigned_to is not None and new.assigned_to not in {one.id for one in _handlers(session)}:
                raise InvalidValue("This is nobody who handles takedowns.", pointer="/assigned_to")
            plan_takedown(session, reference, new, before=before)
            data = {"assigned_to": new.assigned_to, "due_on": new.due_on.isoformat() if new.due_on else None}
            record_audit(session, staff_id(), AuditAction.TAKEDOWN_CHANGED, _target(found), data=data, now=utc_now())
    except (InvalidValue, TakedownClosed, PlanChanged) as error:
        return _page(reference, problem=_problem(error))
    return done("admin.takedown_page", "planned", reference=reference)


@blueprint.post("/takedowns/<reference>/close")
@access(Access.STAFF)
@needs(Permission.HANDLE_TAKEDOWNS)
def close_it(reference: str) -> Response:
    """Close it as done, with the proof that it is gone, or as refused; the answer is mailed."""
    outcome, now = request.form.get("outcome", ""), utc_now()
    proof = request.form.get("proof", "").strip()
    try:
        with transaction() as session:
            found = _existing(session, reference)
            state = TakedownState(outcome) if outcome in [*TakedownState] else TakedownState.RECEIVED
            if state is TakedownState.DONE and not proof:
                raise InvalidValue("How is it known that it is gone?", pointer="/proof")
            answer = request.form.get("answer", "")
            close_takedown(session, reference, state, answer, proof=proof, now=now)
            data = {"outcome": outcome}
            record_audit(session, staff_id(), AuditAction.TAKEDOWN_CHANGED, _target(found), data=data, now=now)
    except (InvalidValue, TakedownClosed) as error:
        return _page(reference, problem=_problem(error))
    return done("admin.takedown_page", "closed", reference=reference)


def _page(reference: str, *, problem: str = "") -> Response:
    """The page; after something that could not be taken with every word that was typed."""
    with reading() as session:
        found = _existing(session, reference)
    with audited_read(AuditAction.TAKEDOWN_SEEN, _target(found)) as session:
        recipient = recipient_by_id(session, found.recipient_id)
        staff = all_staff(session)
        handlers = _handlers(session)
    page = render_template(
        "admin/trainings/takedown.html",
        one=found,
        address=shown_address(recipient.address) if recipient else "",
        names={one.id: one.name for one in staff},
        handlers=[(one.id, one.name) for one in handlers],
        typed={name: typed_lines(name) for name in FIELDS},
        problem=(problem, PROBLEMS[problem]) if problem else None,
        most=MOST_NOTE_CHARACTERS,
        done=said(MESSAGES),
        **_days(),
    )
    return make_response(page, 200 if not problem else 409 if problem in {"closed", "changed"} else 422)


def _existing(session: Session, reference: str) -> Takedown:
    found = takedown_by_reference(session, reference)
    if found is None:
        abort(404)
    return found


def _handlers(session: Session) -> list[StaffView]:
    """Who may be given a case."""
    return [
        one
        for one in all_staff(session)
        if one.may(Permission.HANDLE_TAKEDOWNS) and one.state is not StaffState.DISABLED
    ]


def _target(found: Takedown) -> AuditTarget:
    return AuditTarget(AuditObject.TAKEDOWN, found.id)


def _plan(prefix: str) -> TakedownPlan:
    """Who and when, as the form says it. Raises InvalidValue."""
    who, day = typed(f"{prefix}assigned_to", most=20), typed(f"{prefix}due_on", most=20)
    if who and not (who.isascii() and who.isdigit() and len(who) < 19):
        raise InvalidValue("This is nobody's number.", pointer="/assigned_to")
    try:
        due_on = date.fromisoformat(day) if day else None
    except ValueError:
        raise InvalidValue("A day is written YYYY-MM-DD.", pointer="/due_on") from None
    return TakedownPlan(StaffId(int(who)) if who else None, due_on)


def _problem(error: PreferencesError) -> str:
    if isinstance(error, TakedownClosed):
        return "closed"
    if isinstance(error, PlanChanged):
        return "changed"
    return error.pointer if error.pointer in PROBLEMS else "/answer"


def _days() -> dict[str, Any]:
    today = local_date(utc_now())
    return {"days_left": lambda day: (day - today).days}
