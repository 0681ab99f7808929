"""What can be done with a request before it is answered: who asks, the copy, the correction, the block, the objection."""

from __future__ import annotations

from collections.abc import Callable

from flask import abort, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.corrections import OWN_FIELDS
from preferences.domain.errors import InvalidValue, PreferencesError
from preferences.domain.rights import IdentityState, RequestStep
from preferences.domain.roles import Permission
from preferences.models.transaction import snapshot, transaction
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.services.rights.rights_work import apply_wanted
from preferences.services.rights.steps import (
    block_as_asked,
    mail_copy,
    name_person,
    note_posted,
    note_wanted,
    object_as_asked,
    record_step,
    set_identity,
    take_copy,
)
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done, typed, typed_lines
from preferences.web.admin.guard import fresh, needs, staff_id
from preferences.web.copy_page import copy_as_json, copy_as_page
from preferences.web.locale import speak
from preferences.web.plumbing import utc_now

from .person import exactly
from .shown import existing, offered, refused


@blueprint.post("/requests/<reference>/identity")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def say_who_asks(reference: str) -> Response:
    """Checked, or in doubt; with how that is known."""
    state = IdentityState.UNCHECKED if request.form.get("doubt") else IdentityState.CONFIRMED

    def set_it(session: Session) -> str:
        set_identity(session, reference, state, proof=typed_lines("proof"), staff_id=staff_id(), now=utc_now())
        return "identity"

    return _change(reference, set_it)


@blueprint.post("/requests/<reference>/person")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def say_who_it_is(reference: str) -> Response:
    """Somebody who was not known turns out to be."""

    def name_them(session: Session) -> str:
        recipient = exactly(session, typed("who", most=320))
        if recipient is None:
            raise InvalidValue("Nobody has this address.", pointer="/who")
        name_person(session, reference, recipient.id, staff_id=staff_id(), now=utc_now())
        return "person"

    return _change(reference, name_them)


@blueprint.post("/requests/<reference>/copy-link")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def mail_their_copy(reference: str) -> Response:
    """Mail the person the way to their own copy."""

    def mail_it(session: Session) -> str:
        if not mail_copy(session, reference, staff_id=staff_id(), now=utc_now()):
            raise InvalidValue("No mail reaches this person.", pointer="mail")
        return "copy-mailed"

    return _change(reference, mail_it)


@blueprint.get("/requests/<reference>/copy.<form>")
@access(Access.STAFF)
@needs(Permission.EXPORT_DATA)
@fresh
def take_their_copy(reference: str, form: str) -> Response | str:
    """Everything stored about the person, in their language, to print or as JSON. That it was taken is recorded first."""
    if form not in {"json", "html"}:
        abort(404)
    found, now = existing(reference), utc_now()
    try:
        with transaction() as session:
            person = take_copy(session, reference, staff_id=staff_id(), now=now)
    except PreferencesError as error:
        return refused(reference, error)
    speak(found.locale)
    with snapshot() as session:
        recipient = recipient_by_id(session, person)
        assert recipient is not None  # noqa: S101 - rows of recipients are never deleted
        if form == "json":
            return copy_as_json(session, recipient, now=now)
        return copy_as_page(session, recipient, now=now, for_letter=found.reference)


@blueprint.post("/requests/<reference>/wanted")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def note_what_is_wanted(reference: str) -> Response:
    """What a letter wants corrected, field by field."""
    values = {name: typed_lines(f"new-{name}") for name in OWN_FIELDS if f"new-{name}" in request.form}

    def note_it(session: Session) -> str:
        if note_wanted(session, reference, values, staff_id=staff_id(), now=utc_now()):
            raise InvalidValue("A value cannot be taken.", pointer="/fields")
        return "noted"

    return _change(reference, note_it)


@blueprint.post("/requests/<reference>/apply")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def write_what_is_wanted(reference: str) -> Response:
    """Write the wanted fields; mailers are told which."""
    found, now = existing(reference), utc_now()

    def write_it(session: Session) -> str:
        fields = list(apply_wanted(session, reference, now=now))
        record_step(session, found, RequestStep.FIELDS_WRITTEN, staff_id=staff_id(), now=now, fields=fields)
        return "written"

    return _change(reference, write_it)


@blueprint.post("/requests/<reference>/block")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def block_them(reference: str) -> Response:
    """Block the person's data (GDPR 18)."""

    def block_it(session: Session) -> str:
        block_as_asked(session, reference, staff_id=staff_id(), now=utc_now())
        return "blocked"

    return _change(reference, block_it)


@blueprint.post("/requests/<reference>/objection")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def record_their_objection(reference: str) -> Response:
    """Record what the person objects to (GDPR 21)."""
    chosen = set(request.form.getlist("purposes"))

    def record_it(session: Session) -> str:
        purposes = [one for one in offered(session) if one.key in chosen]
        new = object_as_asked(session, reference, purposes, staff_id=staff_id(), now=utc_now())
        return "objected" if new else "objected-nothing"

    return _change(reference, record_it)


@blueprint.post("/requests/<reference>/posted")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def note_letter_posted(reference: str) -> Response:
    """A letter about it is on its way."""
    existing(reference)
    with transaction() as session:
        note_posted(session, reference, staff_id=staff_id(), now=utc_now())
    return done("admin.request_page", "posted", reference=reference)


def _change(reference: str, change: Callable[[Session], str]) -> Response:
    """Do it, and say on the request's page what it returns; or there, with everything typed, why not."""
    existing(reference)
    try:
        with transaction() as session:
            what = change(session)
    except PreferencesError as error:
        return refused(reference, error)
    return done("admin.request_page", what, reference=reference)
