"""Which mail a sign-up gets: the link that confirms it, the news that nothing is left to confirm, or none.

Decided when the mail is made, by the worker: whoever filled in the form learns nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import Allowed
from preferences.domain.mailing import MailDropped, OwnMail
from preferences.domain.purpose import LawfulBasis, Purpose
from preferences.domain.suppression import SuppressionReason
from preferences.models.sign_up import SignUpRow
from preferences.queries.choices.choices import Standing, standing
from preferences.queries.choices.preference_page import own_answers
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.purposes.sign_up import SignUpView, sign_up_by_id
from preferences.queries.recipients.recipients import recipient_by_index
from preferences.services.outbox.mail_links import MailLinks

from .sign_up import sign_up_over

NEVER_MAILED = (SuppressionReason.HARD_BOUNCE, SuppressionReason.COMPLAINT, SuppressionReason.MANUAL)
"""No form makes us write to a mailbox that is gone, that called us spam, or that staff stopped."""


def prepare_sign_up_mail(
    session: Session, payload: Mapping[str, Any], *, links: MailLinks, default_locale: str, now: datetime
) -> OwnMail:
    """The mail about one sign-up. Raises MailDropped where nothing may, or need, be sent."""
    found = sign_up_by_id(session, int(payload["sign_up_id"]))
    over = sign_up_over(session, found, now)
    if over is not None or found is None or found.address is None:
        raise MailDropped(f"sign_up_{over or 'expired'}")
    recipient = recipient_by_index(session, found.address_index)
    where = standing(
        session,
        recipient_id=recipient.id if recipient else None,
        status=recipient.status if recipient else None,
        address_index=found.address_index,
    )
    was_erased = _check_may_mail(session, found, where)
    purposes = [one for wish in found.wishes if (one := _purpose(session, wish.purpose_id)) is not None]
    parameters: dict[str, Any] = {
        "titles": [_title(session, one, found.locale, default_locale) for one in purposes],
        "asked_at": found.asked_at,
        "is_stopped": where.stopped_everything,
        "was_erased": was_erased,
        "preferences": links.preferences_url(recipient, 0, reference=0, now=now) if recipient else "",
    }
    has_all = recipient is not None and all(_is_consented(session, where, one, now) for one in purposes)
    template = "already_signed_up" if has_all else "sign_up"
    if not has_all:
        parameters["link"] = links.sign_up_url(found.id, found.address_index, now=now)
        parameters["expires_at"] = found.expires_at
    return OwnMail(
        recipient_id=recipient.id if recipient else RecipientId(0),
        address=found.address,
        name=recipient.name if recipient else None,
        locale=found.locale,
        template=template,
        parameters=parameters,
    )


def _check_may_mail(session: Session, found: SignUpView, where: Standing) -> bool:
    """Whether the address is that of somebody erased, who is asked once a week at most (T22). Raises MailDropped."""
    reasons = {one.reason for one in where.suppressions}
    for reason in NEVER_MAILED:
        if reason in reasons:
            raise MailDropped(f"suppressed_{reason}")
    if SuppressionReason.ERASED not in reasons:
        return False
    earlier = session.scalar(
        select(SignUpRow.id)
        .where(SignUpRow.address_index == found.address_index, SignUpRow.id < found.id, SignUpRow.address.is_not(None))
        .limit(1)
    )
    if earlier is not None:
        raise MailDropped("erased_and_asked_before")
    return True


def _purpose(session: Session, purpose_id: int) -> Purpose | None:
    found = catalogue(session).by_id(purpose_id)
    return None if found is None or found.purpose.is_archived else found.purpose


def _title(session: Session, purpose: Purpose, locale: str, default_locale: str) -> str:
    found = catalogue(session).by_id(purpose.id)
    return "" if found is None else found.text(locale, default_locale).title


def _is_consented(session: Session, where: Standing, purpose: Purpose, now: datetime) -> bool:
    """Whether the person's own answers already hold consent to it, pauses and stops of everything left out."""
    decision = own_answers(where).decide(catalogue(session).path_to(purpose), now)
    return isinstance(decision, Allowed) and decision.basis is LawfulBasis.CONSENT
