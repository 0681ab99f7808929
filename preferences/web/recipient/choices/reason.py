"""`POST /r/<token>`: why somebody stopped, after it is stored; and the question on the pages that tell so (D4).

The token is that of the page; `about` is signed too and names the opt-outs, so nobody else's can be explained (T6, T14).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import abort, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.capability import Capability, Claims
from preferences.domain.errors import BadToken
from preferences.domain.reasons import StopReason
from preferences.extensions import limiter
from preferences.models.transaction import transaction
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.stop_reasons import give_reason, reason_given, stops_to_explain
from preferences.services.choices.undo import mint_receipt, open_save
from preferences.web.access import Access, access
from preferences.web.locale import keeping_language
from preferences.web.plumbing import signer, utc_now
from preferences.web.recipient import blueprint

MOST_BYTES = 4096
TAPS_PER_MINUTE = "60 per minute"


@dataclass(frozen=True, slots=True)
class Question:
    """What the page asks with: where the answer goes, which opt-outs it is about, and what was answered already."""

    action: str
    about: str
    given: StopReason | None
    reasons: tuple[StopReason, ...] = tuple(StopReason)


@blueprint.post("/r/<token>")
@access(Access.TOKEN)
@limiter.limit(TAPS_PER_MINUTE)
def tell_reason(token: str) -> Response:
    """Store the reason, and lead back to the page that it stands on."""
    request.max_content_length = MOST_BYTES
    sent = request.form.get("about", "")
    claims, about = _open(token), open_save(signer(), sent)
    if about.recipient_id != claims.recipient_id:
        raise BadToken
    try:
        reason = StopReason(request.form.get("reason", ""))
    except ValueError:
        abort(400)
    with transaction() as session:
        give_reason(session, about, reason, now=utc_now())
    page = f"/u/{token}" if claims.capability is Capability.UNSUBSCRIBE else f"/p/{token}/saved/{sent}"
    return redirect(f"{keeping_language(page)}#why", code=303)


def question_about_save(session: Session, token: str, save: str, *, now: datetime) -> Question | None:
    """The question on the page that tells of a save; None where the save stopped nothing, or not lately."""
    if not save:
        return None
    return _question(session, token, save, open_save(signer(), save), now)


def question_about_entry(
    session: Session, token: str, recipient: RecipientView, entry_id: int | None, *, now: datetime
) -> Question | None:
    """The question on the page of an unsubscribe link, about the opt-out that it tells of."""
    about = mint_receipt(signer(), recipient, [] if entry_id is None else [entry_id], now=now)
    if about is None:
        return None
    return _question(session, token, about, open_save(signer(), about), now)


def _question(session: Session, token: str, sent: str, about: Claims, now: datetime) -> Question | None:
    stops = stops_to_explain(session, about, now=now)
    return Question(keeping_language(f"/r/{token}"), sent, reason_given(stops)) if stops else None


def _open(token: str) -> Claims:
    """What the page's own link says. Raises BadToken."""
    try:
        return signer().open(token, Capability.UNSUBSCRIBE)
    except BadToken:
        return signer().open(token, Capability.PREFERENCES)
