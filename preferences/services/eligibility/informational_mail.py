"""Asks eligibility for one message just before it is made (T24), and hands out the links it must carry (M8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import Reason, Refused
from preferences.domain.errors import InvalidValue
from preferences.domain.mailing import MailPermit, MailRefused
from preferences.domain.purpose import About
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.services.outbox.mail_links import MailLinks

from .eligibility import decide_one


@dataclass(frozen=True, slots=True)
class Mailing:
    """What a message is sent for: a purpose, or a topic by its own key; the language for people who chose none.

    `reference` is the message (messages.id) that its links name, or 0.
    """

    purpose_key: str
    default_locale: str
    reference: int = 0


def permit_mail(
    session: Session, recipient_id: RecipientId, mailing: Mailing, *, links: MailLinks, now: datetime
) -> MailPermit:
    """A permit for one message. Raises MailRefused with the reason, UnknownPurpose, or InvalidValue for what is not mail."""
    known = catalogue(session)
    described = known.by_key(mailing.purpose_key)
    purpose = described.purpose
    if purpose.about is not About.MAIL:
        raise InvalidValue(f"{purpose.key} is not a purpose of mail.", pointer="/purpose")
    recipient = recipient_by_id(session, recipient_id)
    if recipient is None:
        raise MailRefused(Refused(Reason.UNKNOWN_RECIPIENT))
    decision = decide_one(session, known.path_to(purpose), recipient, at=now)
    if isinstance(decision, Refused):
        raise MailRefused(decision)
    if recipient.address is None:
        raise MailRefused(Refused(Reason.ERASED))
    locale = recipient.locale or mailing.default_locale
    return MailPermit(
        recipient_id=recipient.id,
        address=recipient.address,
        name=recipient.name,
        locale=locale,
        purpose_key=purpose.key,
        purpose_title=described.text(locale, mailing.default_locale).title,
        basis=decision.basis,
        until=decision.until,
        unsubscribe_url=links.unsubscribe_url(recipient, purpose.id, reference=mailing.reference, now=now),
        preferences_url=links.preferences_url(recipient, purpose.id, reference=mailing.reference, now=now),
        mailto=links.mailto(recipient, purpose.id, reference=mailing.reference, now=now),
        list_id=f"{purpose.key}.{links.list_domain}".lower(),
    )
