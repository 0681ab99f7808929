"""What an unsubscribe has to know before it acts, and nothing more: it is asked thousands of times a minute after a mailing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, bindparam, select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.choice import Choice
from preferences.domain.eligibility import RecipientStatus
from preferences.models.crypto import BlindIndex
from preferences.models.ledger import EVERY_TRAINING, ChoiceRow
from preferences.models.prepared import Prepared
from preferences.models.recipient import RecipientRow


@dataclass(frozen=True, slots=True)
class Stoppable:
    """A recipient we still know, and their choice for one purpose."""

    status: RecipientStatus
    address_index: BlindIndex
    choice: Choice


def stoppable(session: Session, recipient_id: RecipientId, purpose_id: int) -> Stoppable | None:
    """Recipient and choice in one query. None: unknown or erased, so there is nothing left to stop."""
    row = _recipient_with_choice.fetch_one(session.connection(), {"recipient": recipient_id, "purpose": purpose_id})
    if row is None or row[1] is None:
        return None
    return Stoppable(row[0], BlindIndex(row[1]), Choice(*row[2:]))


def _select() -> Select[Any]:
    choices, recipients = ChoiceRow.__table__.c, RecipientRow.__table__.c
    belongs = and_(
        choices.recipient_id == recipients.id,
        choices.purpose_id == bindparam("purpose", type_=choices.purpose_id.type),
        choices.training_id == EVERY_TRAINING,
    )
    return (
        select(
            recipients.status,
            recipients.address_index,
            choices.act,
            choices.basis,
            choices.since,
            choices.entry_id,
            choices.paused_at,
            choices.paused_until,
            choices.pause_entry_id,
        )
        .select_from(RecipientRow.__table__.outerjoin(ChoiceRow.__table__, belongs))
        .where(recipients.id == bindparam("recipient", type_=recipients.id.type))
    )


_recipient_with_choice = Prepared(_select())
