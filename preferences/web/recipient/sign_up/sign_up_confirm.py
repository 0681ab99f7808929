"""`/c/<token>` from a sign-up mail: GET shows what was ticked, in the words that stood beside it; POST confirms (M4, L2)."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.acts import Act
from preferences.domain.address import mask_address
from preferences.domain.capability import Claims
from preferences.domain.purpose import NoticeText
from preferences.models.transaction import reading, transaction
from preferences.queries.choices.choices import Standing, standing
from preferences.queries.purposes.notices import notice_text
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.purposes.sign_up import SignUpView, Wish, sign_up_of
from preferences.queries.recipients.recipients import RecipientView, recipient_by_index
from preferences.services.sign_up.sign_up import confirm_sign_up, sign_up_over
from preferences.web.dates import in_words
from preferences.web.locale import keeping_language, speak
from preferences.web.plumbing import settings, utc_now
from preferences.web.recipient.own.view import link_to_choices


@dataclass(frozen=True, slots=True)
class Ticked:
    """One thing that was ticked: the wording then, and whether it holds now."""

    text: NoticeText
    holds: bool


def sign_up_page(token: str, claims: Claims) -> str:
    """Show what the link confirms, or what has become of it. Changes nothing."""
    now = utc_now()
    with reading() as session:
        found = sign_up_of(session, claims)
        over = sign_up_over(session, found, now)
        if found is not None:
            speak(found.locale)
        # Whoever holds the link read it in that mailbox, so it may lead to the choices (T11).
        recipient = recipient_by_index(session, found.address_index) if found else None
        where = _standing(session, found, recipient)
        ticked = [] if found is None else [_ticked(session, one, where) for one in found.wishes]
    address = (recipient and recipient.address) or (found and found.address) or ""
    return render_template(
        "recipient/subscribe_confirm.html",
        here=keeping_language(f"/c/{token}"),
        outcome=over.value if over else None,
        ticked=ticked,
        masked_address=mask_address(address) if address else "",
        asked_on=in_words(found.asked_at) if found else "",
        is_stopped=where.stopped_everything,
        preferences=link_to_choices(recipient) if recipient else "",
    )


def confirm_by_link(token: str, claims: Claims) -> Response:
    """Confirm, and lead to the page that says so. Repeats change nothing."""
    with transaction() as session:
        confirm_sign_up(session, claims, now=utc_now())
    return redirect(keeping_language(f"/c/{token}"), code=303)


def _standing(session: Session, found: SignUpView | None, recipient: RecipientView | None) -> Standing:
    return standing(
        session,
        recipient_id=recipient.id if recipient else None,
        status=recipient.status if recipient else None,
        address_index=found.address_index if found else None,
    )


def _ticked(session: Session, wish: Wish, where: Standing) -> Ticked:
    text = notice_text(session, wish.notice_version_id, [wish.locale, settings().default_locale])
    described = catalogue(session).by_id(wish.purpose_id)
    return Ticked(text, described is not None and where.choice(described.purpose).act is Act.GIVEN)
