"""Letters about a request, to print and post: the receipt, more time, the answer. In the person's language."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template
from flask_babel import force_locale
from markupsafe import Markup
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction
from preferences.domain.rights import RightsState
from preferences.domain.roles import Permission
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.queries.rights.request_history import request_history
from preferences.queries.rights.rights_queue import RequestToWork
from preferences.services.rights.steps import target_of
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked
from preferences.web.admin.guard import audited_read, needs
from preferences.web.dates import date_in_words, local_date
from preferences.web.plumbing import utc_now

from .replies import erased, erasure_in
from .shown import existing

RECEIPT, EXTENSION, ANSWER = "receipt", "extension", "answer"


@blueprint.get("/requests/<reference>/letter")
@access(Access.STAFF)
@needs(Permission.HANDLE_REQUESTS)
def request_letter(reference: str) -> str:
    """The letter that is due next, or the one that `?what=` names."""
    found = existing(reference)
    can = _letters(found)
    what = asked("what") if asked("what") in can else can[-1]
    with audited_read(AuditAction.REQUEST_SEEN, target_of(found)) as session:
        to, ended = lines_to(session, found), erasure_in(request_history(session, found.id))
    answer = erased(found.locale) if ended else found.answer or ""
    letter = letter_of(found, what, to, answer=answer, is_erased=bool(ended))
    is_standard = bool(ended) and what == ANSWER
    return render_template(
        "admin/requests/request_letter.html",
        one=found,
        what=what,
        can=can,
        letter=letter,
        to=to,
        is_standard=is_standard,
    )


def letter_of(found: RequestToWork, what: str, to: Sequence[str], *, answer: str, is_erased: bool) -> Markup:
    """The letter as it comes out of the printer."""
    with force_locale(found.locale):
        body = render_template(
            "admin/requests/request_letter_body.html",
            one=found,
            what=what,
            to=to,
            answer=answer,
            is_erased=is_erased,
            received=date_in_words(local_date(found.received_at), found.locale),
            is_refused=found.state is RightsState.REFUSED,
            day=date_in_words(local_date(utc_now()), found.locale),
            on=lambda day: date_in_words(day, found.locale),
        )
    return Markup(body)  # noqa: S704 - made by a template that escapes


def _letters(found: RequestToWork) -> list[str]:
    """Which letters there are, the one that is due next last."""
    extended = [EXTENSION] if found.extension_reason else []
    answered = [ANSWER] if found.state in {RightsState.FULFILLED, RightsState.REFUSED} else []
    return [RECEIPT, *extended, *answered]


def lines_to(session: Session, found: RequestToWork) -> Sequence[str]:
    """Name and address, line by line; nothing of somebody who is erased: that stands on the letter they wrote."""
    if found.recipient_id is None:
        contact = found.contact
        return [] if contact is None else [one for one in (contact.name, *contact.post.splitlines()) if one]
    person = recipient_by_id(session, found.recipient_id)
    if person is None or person.address is None:
        return []
    profile = person.profile
    lines = (profile.get("company_name"), person.name, *str(profile.get("address") or "").splitlines())
    return [str(one) for one in lines if one]
