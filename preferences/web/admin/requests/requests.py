"""One rights request: what is asked, by whom, by when; the answer and more time (GDPR 12(3)-(4); L5)."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction
from preferences.domain.errors import InvalidValue, PreferencesError
from preferences.domain.rights import AnswerBy, RefusalGround, RequestStep, RightsState
from preferences.domain.roles import Permission
from preferences.models.transaction import transaction
from preferences.services.rights.reach import way_to_answer
from preferences.services.rights.rights_work import answer_request, apply_wanted, extend_request
from preferences.services.rights.steps import record_step, target_of
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done, typed_lines
from preferences.web.admin.guard import needs, staff_id
from preferences.web.plumbing import utc_now

from .replies import refusal
from .shown import existing, refused, show


@blueprint.get("/requests/<reference>")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def request_page(reference: str) -> Response:
    """One request: what is asked, by whom, by when; what can be done, the forms for the answer and for more time."""
    return show(reference)


@blueprint.post("/requests/<reference>/answer")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def answer_it(reference: str) -> Response:
    """Close it with a written answer, or only propose one; first write what was wanted, where that was ticked."""
    found, now = existing(reference), utc_now()
    if request.form.get("draft"):
        return show(reference, drafted=_with_proposal(found.locale))
    try:
        outcome, ground = _outcome()
        with transaction() as session:
            by = way_to_answer(session, found)
            by = AnswerBy.LETTER if request.form.get("by") == AnswerBy.LETTER else by
            fields = apply_wanted(session, reference, now=now) if request.form.get("apply") else ()
            if fields:
                record_step(session, found, RequestStep.FIELDS_WRITTEN, staff_id=staff_id(), now=now, fields=fields)
            answer_request(session, reference, outcome, answer=typed_lines("answer"), by=by, now=now)
            data = {"outcome": outcome.value, "by": by.value, **ground}
            record_audit(session, staff_id(), AuditAction.REQUEST_ANSWERED, target_of(found), data=data, now=now)
    except PreferencesError as error:
        return refused(reference, error)
    return done("admin.request_page", "answered" if by is AnswerBy.MAIL else "answered-letter", reference=reference)


@blueprint.post("/requests/<reference>/extend")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def extend_it(reference: str) -> Response:
    """Give it more time, and tell the person why."""
    found, now = existing(reference), utc_now()
    try:
        until = date.fromisoformat(request.form.get("until", "")[:10])
    except ValueError:
        return show(reference, problem="/until")
    try:
        with transaction() as session:
            by = way_to_answer(session, found)
            extend_request(session, reference, until=until, reason=typed_lines("reason"), by=by, now=now)
            data = {"until": until.isoformat(), "by": by.value}
            record_audit(session, staff_id(), AuditAction.REQUEST_EXTENDED, target_of(found), data=data, now=now)
    except PreferencesError as error:
        return refused(reference, error)
    return done("admin.request_page", "extended" if by is AnswerBy.MAIL else "extended-letter", reference=reference)


def _outcome() -> tuple[RightsState, dict[str, Any]]:
    """How it ends, and why where nothing is done. Raises InvalidValue."""
    outcome, ground = request.form.get("outcome", ""), request.form.get("ground", "")
    if outcome not in {RightsState.FULFILLED, RightsState.REFUSED}:
        raise InvalidValue("Choose how it ends.", pointer="/outcome")
    if outcome == RightsState.FULFILLED:
        return RightsState.FULFILLED, {}
    if ground not in [*RefusalGround]:
        raise InvalidValue("A refusal says why.", pointer="/ground")
    return RightsState.REFUSED, {"ground": ground}


def _with_proposal(locale: str) -> str:
    """What was typed, and under it the text for the reason chosen: nothing that was written is replaced."""
    ground, written = request.form.get("ground", ""), typed_lines("answer")
    text = refusal(RefusalGround(ground), locale) if ground in [*RefusalGround] else ""
    return written if not text or text in written else f"{written}\n\n{text}".strip()
