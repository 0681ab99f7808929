"""`/c/<token>`: the mailbox says yes. GET shows what will be turned on, in the words shown when asking; POST does it (T11)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.acts import Act
from preferences.domain.capability import Capability, Claims, Token
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import BadToken
from preferences.domain.purpose import NoticeText
from preferences.models.transaction import reading, transaction
from preferences.queries.choices.choices import Standing, standing
from preferences.queries.photos.trainings import training_by_id
from preferences.queries.purposes.notices import notice_text
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from preferences.services.choices.confirmations import Asked, Pending, confirm, find_confirmation
from preferences.web.access import Access, access
from preferences.web.dates import in_words
from preferences.web.locale import keeping_language, speak
from preferences.web.plumbing import settings, signer, utc_now
from preferences.web.recipient.choices.photo_view import training_label
from preferences.web.recipient.sign_up.sign_up_confirm import confirm_by_link, sign_up_page

from . import blueprint


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing asked for: the wording shown when asking, and whether it holds now."""

    key: str
    training: str
    """Which training it is about; empty for all of them, and for mail."""
    text: NoticeText
    act: Act
    holds: bool


@blueprint.get("/c/<token>")
@access(Access.TOKEN)
def confirmation(token: str) -> str:
    """Show what was asked for, with a button; or what has become of it. Changes nothing (M4)."""
    claims, now = _open(token), utc_now()
    if claims.capability is Capability.SIGN_UP:
        return sign_up_page(token, claims)
    with reading() as session:
        pending, recipient = _find(session, claims)
        where = standing(
            session, recipient_id=recipient.id, status=recipient.status, address_index=recipient.address_index
        )
        wanted = [_wanted(session, one, pending, where) for one in pending.asked]
    over = pending.outcome(now)
    outcome = over.value if over else None if recipient.status is RecipientStatus.ACTIVE else "blocked"
    return render_template(
        "recipient/confirm.html",
        here=keeping_language(f"/c/{token}"),
        outcome=outcome,
        wanted=wanted,
        masked_address=recipient.masked_address,
        asked_on=in_words(pending.asked_at),
        is_stopped=where.stopped_everything,
        preferences=keeping_language(f"/p/{_preferences_token(recipient)}"),
    )


@blueprint.post("/c/<token>")
@access(Access.TOKEN)
def confirm_choices(token: str) -> Response:
    """Turn on what was asked for, and lead to the page that says so. Repeats change nothing."""
    claims = _open(token)
    if claims.capability is Capability.SIGN_UP:
        return confirm_by_link(token, claims)
    with transaction() as session:
        _find(session, claims)
        confirm(session, claims, now=utc_now())
    return redirect(keeping_language(f"/c/{token}"), code=303)


def _open(token: str) -> Claims:
    """What a link in a mail that asks for a yes says: from the preference centre, or from a sign-up form. Raises BadToken."""
    try:
        return signer().open(token, Capability.CONFIRM)
    except BadToken:
        return signer().open(token, Capability.SIGN_UP)


def _find(session: Session, claims: Claims) -> tuple[Pending, RecipientView]:
    """The confirmation and whose it is; the request speaks the language it was asked in. Raises BadToken."""
    pending = find_confirmation(session, claims)
    recipient = recipient_by_id(session, claims.recipient_id)
    if pending is None or recipient is None:
        raise BadToken
    speak(pending.locale)
    return pending, recipient


def _wanted(session: Session, one: Asked, pending: Pending, where: Standing) -> Wanted:
    text = notice_text(
        session, one.purpose.notice_version_id, [one.locale or pending.locale, settings().default_locale]
    )
    choice = where.choice(one.purpose, one.training_id)
    holds = choice.act is one.act or (one.act is Act.RESUMED and choice.paused_until is None)
    training = training_by_id(session, one.training_id)
    return Wanted(one.purpose.key, training_label(training) if training else "", text, one.act, holds)


def _preferences_token(recipient: RecipientView) -> Token:
    """Whoever holds this link read it in the mailbox: it may lead to the choices (T11)."""
    return signer().mint(
        Claims(
            capability=Capability.PREFERENCES,
            recipient_id=recipient.id,
            purpose_id=0,
            epoch=recipient.link_epoch,
            issued_at=utc_now(),
        )
    )
