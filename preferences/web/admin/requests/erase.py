"""Erases at a request: what goes and what stays is said before, and the answer goes out with it (GDPR 17; L10, L18, L20)."""

from __future__ import annotations

from flask import abort, make_response, render_template, request
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction
from preferences.domain.errors import InvalidValue, PreferencesError
from preferences.domain.rights import ERASURES, AnswerBy
from preferences.domain.roles import Permission
from preferences.models.transaction import transaction
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.services.recipients.asked_erasure import erase_as_asked, what_would_go
from preferences.services.rights.reach import way_to
from preferences.services.rights.steps import target_of
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done, typed_lines
from preferences.web.admin.guard import audited_read, fresh, needs, shown_address, staff_id
from preferences.web.plumbing import utc_now

from .letter import ANSWER, letter_of, lines_to
from .replies import erased
from .shown import existing, refused, show


@blueprint.get("/requests/<reference>/erase")
@access(Access.STAFF)
@needs(Permission.ERASE_RECIPIENTS)
@fresh
def ask_to_erase_as_asked(reference: str) -> Response:
    """What will happen, with the answer that goes out with it."""
    return _page(reference)


@blueprint.post("/requests/<reference>/erase")
@access(Access.STAFF)
@needs(Permission.ERASE_RECIPIENTS)
@fresh
def erase_them_as_asked(reference: str) -> Response:
    """Erase, answer and close, all or nothing."""
    existing(reference)
    by = AnswerBy.LETTER if request.form.get("by") == AnswerBy.LETTER else None
    try:
        with transaction() as session:
            answer = typed_lines("answer")
            way = erase_as_asked(session, reference, answer=answer, staff_id=staff_id(), by=by, now=utc_now())
    except InvalidValue as error:
        return _page(reference, is_wrong=True) if error.pointer == "/answer" else refused(reference, error)
    except PreferencesError as error:
        return refused(reference, error)
    return done("admin.request_page", "erased" if way is AnswerBy.MAIL else "erased-letter", reference=reference)


@blueprint.post("/requests/<reference>/erase-letter")
@access(Access.STAFF)
@needs(Permission.ERASE_RECIPIENTS)
@fresh
def show_erasure_letter(reference: str) -> Response:
    """The answer as a letter with name and address, to print while they are still known. Erases nothing, stores nothing."""
    return _page(reference, is_wrong=True) if not typed_lines("answer").strip() else _page(reference, is_letter=True)


def _page(reference: str, *, is_wrong: bool = False, is_letter: bool = False) -> Response:
    found = existing(reference)
    if not found.is_open:
        return show(reference, problem="closed")
    if found.lacks_identity:
        return show(reference, problem="identity")
    with audited_read(AuditAction.REQUEST_SEEN, target_of(found)) as session:
        recipient = None if found.recipient_id is None else recipient_by_id(session, found.recipient_id)
        if found.kind not in ERASURES or recipient is None:
            abort(404)
        goes, way = what_would_go(session, recipient), way_to(session, recipient, None)
        to = lines_to(session, found)
    if is_letter:
        answer = typed_lines("answer")
        letter = letter_of(found, ANSWER, to, answer=answer, is_erased=True)
        return make_response(
            render_template("admin/requests/request_erase_letter.html", one=found, letter=letter, to=to, answer=answer)
        )
    page = render_template(
        "admin/requests/request_erase.html",
        one=found,
        address=shown_address(recipient.address),
        recipient=recipient,
        goes=goes,
        way=way,
        answer=typed_lines("answer") if is_wrong else erased(found.locale),
        is_wrong=is_wrong,
    )
    return make_response(page, 422 if is_wrong else 200)
