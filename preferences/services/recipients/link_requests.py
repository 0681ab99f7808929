"""«Send me my link»: mails a preferences link to an address that we have; the same work is done for one we do not (T27)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.address import Address
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.models.crypto import keyring
from preferences.models.outbox import JobKind, OutboxJobRow
from preferences.models.recipient import RecipientRow
from preferences.services.outbox.mail_limits import may_mail

TEMPLATE = "fresh_link"


class LinkRequest(StrEnum):
    """What became of a request. For logs and tests; a page answers the same to all of them."""

    MAILED = "mailed"
    UNKNOWN = "unknown"
    LIMITED = "limited"


def request_link(session: Session, address: Address, *, locale: str, now: datetime) -> LinkRequest:
    """Ask for a link by address. One look-up, one count and one insert, whoever it is: neither answer nor time tells."""
    index = keyring().address_index(address.normal)
    row = session.execute(
        select(RecipientRow.id, RecipientRow.status).where(RecipientRow.address_index == index)
    ).one_or_none()
    known = None if row is None or row.status is not RecipientStatus.ACTIVE else RecipientId(row.id)
    return _enqueue(session, known, locale=locale, now=now)


def request_link_for(session: Session, recipient_id: RecipientId, *, locale: str, now: datetime) -> LinkRequest:
    """Ask for a fresh link from an old one: it goes to the address on file, wherever the old one was forwarded (T11)."""
    return _enqueue(session, recipient_id, locale=locale, now=now)


def _enqueue(session: Session, recipient_id: RecipientId | None, *, locale: str, now: datetime) -> LinkRequest:
    allowed = may_mail(session, recipient_id, now=now)
    found = LinkRequest.UNKNOWN if recipient_id is None else LinkRequest.MAILED if allowed else LinkRequest.LIMITED
    sends = found is LinkRequest.MAILED
    session.add(
        OutboxJobRow(
            kind=JobKind.MAIL,
            recipient_id=recipient_id if sends else None,
            payload={"template": TEMPLATE, "locale": locale},
            created_at=now,
            run_at=now,
            done_at=None if sends else now,
            outcome=None if sends else f"dropped: {found}",
        )
    )
    session.flush()
    return found
