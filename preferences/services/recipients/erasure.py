"""Erases a person at their request: the profile goes, the proof stays, nobody mails them again (GDPR 17; L10, L18, T22).

What stays: the random id with its status and times, ledger entries (no personal data, only digests of evidence), and the keyed
hash of the address as a suppression.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.events import EventType
from preferences.domain.photo import TakedownState
from preferences.domain.rights import ERASURES, OPEN_STATES, RightsState
from preferences.domain.suppression import SuppressionReason
from preferences.models.ledger import ConfirmationRow, EvidenceRow
from preferences.models.outbox import OutboxJobRow
from preferences.models.photo import ParticipantRow, TakedownRow
from preferences.models.recipient import RecipientRow
from preferences.models.rights import AddressChangeRow, RightsRequestRow
from preferences.models.sign_up import SignUpRow
from preferences.services.choices.suppression import suppress
from preferences.services.esp.events import forget_esp_events_of
from preferences.services.outbox.outbox import tell_change
from preferences.services.staff.audit import forget_reasons_about
from preferences.services.webhooks.deliveries import forget_answers_about

from .recipients import UnknownRecipient
from .step_up import end_step_ups

WRITTEN = ("details", "answer", "extension_reason", "identity_proof", "contact")
"""The words of a rights request."""

ERASED = "erased"
"""What is left of `source`, which may name a form or a campaign."""


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure, new or long since done."""

    recipient_id: RecipientId
    erased_at: datetime


def erase_recipient(session: Session, recipient_id: RecipientId, *, source: str, now: datetime) -> Erased:
    """Erase everything personal about a recipient. Repeating it changes nothing. Raises UnknownRecipient.

    `source` is kept with the suppression: `api:<mailer>`, `page`, `staff:<id>`, `command`.
    """
    row = session.execute(
        select(RecipientRow.status, RecipientRow.address_index, RecipientRow.erased_at)
        .where(RecipientRow.id == recipient_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise UnknownRecipient("There is no recipient with this id.")
    if row.status is RecipientStatus.ERASED or row.address_index is None:
        return Erased(recipient_id, row.erased_at)
    suppress(
        session,
        address_index=row.address_index,
        reason=SuppressionReason.ERASED,
        source=source,
        now=now,
        recipient_id=recipient_id,
    )
    _forget_profile(session, recipient_id, now)
    session.execute(delete(EvidenceRow).where(EvidenceRow.recipient_id == recipient_id))
    session.execute(delete(ParticipantRow).where(ParticipantRow.recipient_id == recipient_id))
    _cancel_what_waits(session, recipient_id, now)
    _forget_what_was_written(session, recipient_id, row.address_index, now)
    forget_esp_events_of(session, row.address_index, now=now)
    end_step_ups(session, recipient_id, now=now)
    forget_answers_about(session, recipient_id)
    forget_reasons_about(session, recipient_id)
    tell_change(session, EventType.RECIPIENT_ERASED, recipient_id=recipient_id, now=now)
    return Erased(recipient_id, now)


def _forget_profile(session: Session, recipient_id: RecipientId, now: datetime) -> None:
    nothing = dict.fromkeys(
        (
            "address",
            "address_index",
            "domain_index",
            "external_id",
            "external_index",
            "name",
            "profile",
            "locale",
        )
    )
    session.execute(
        update(RecipientRow)
        .where(RecipientRow.id == recipient_id)
        .values(**nothing, status=RecipientStatus.ERASED, source=ERASED, updated_at=now, erased_at=now)
    )


def _cancel_what_waits(session: Session, recipient_id: RecipientId, now: datetime) -> None:
    """Confirmations can no longer be confirmed; mail that is not sent is dropped, and what was sent is no longer described."""
    session.execute(
        update(ConfirmationRow)
        .where(
            ConfirmationRow.recipient_id == recipient_id,
            ConfirmationRow.confirmed_at.is_(None),
            ConfirmationRow.cancelled_at.is_(None),
        )
        .values(cancelled_at=now)
    )
    of_the_person = OutboxJobRow.recipient_id == recipient_id
    session.execute(
        update(OutboxJobRow)
        .where(of_the_person, OutboxJobRow.done_at.is_(None))
        .values(done_at=now, claimed_until=None, outcome="dropped: erased")
    )
    session.execute(update(OutboxJobRow).where(of_the_person).values(payload={}))


def _forget_what_was_written(session: Session, recipient_id: RecipientId, address_index: bytes, now: datetime) -> None:
    """Free text and addresses of requests, changes of address, sign-ups and finished takedowns; that they were made stays.

    Requests that wait for an answer end: there is nobody left to write to. One that asked for this very erasure is fulfilled.
    A takedown that is still worked on keeps its address until what it shows is gone: that is the person's own request.
    """
    asked = RightsRequestRow.recipient_id == recipient_id
    ended = case((RightsRequestRow.kind.in_(ERASURES), RightsState.FULFILLED), else_=RightsState.WITHDRAWN)
    session.execute(
        update(RightsRequestRow)
        .where(asked, RightsRequestRow.state.in_(OPEN_STATES))
        .values(state=ended, closed_at=now)
    )
    session.execute(update(RightsRequestRow).where(asked).values(**dict.fromkeys(WRITTEN)))
    of_the_person = AddressChangeRow.recipient_id == recipient_id
    session.execute(
        update(AddressChangeRow)
        .where(of_the_person, AddressChangeRow.done_at.is_(None), AddressChangeRow.cancelled_at.is_(None))
        .values(cancelled_at=now)
    )
    session.execute(update(AddressChangeRow).where(of_the_person).values(new_address=None))
    session.execute(
        update(SignUpRow)
        .where(SignUpRow.address_index == address_index)
        .values(address=None, name=None, expires_at=now)
    )
    session.execute(
        update(TakedownRow)
        .where(
            TakedownRow.recipient_id == recipient_id,
            TakedownRow.state.in_([TakedownState.DONE, TakedownState.REFUSED]),
        )
        .values(url=None, note=None, answer=None, proof=None)
    )
