"""What an unsubscribe has to know before it acts, and nothing more: it is asked thousands of times a minute after a mailing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from sqlalchemy import Executable, and_, bindparam, select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.choice import Choice
from preferences.domain.eligibility import RecipientStatus
from preferences.models.crypto import BlindIndex
from preferences.models.ledger import EVERY_TRAINING, ChoiceRow
from preferences.models.recipient import RecipientRow


@dataclass(frozen=True, slots=True)
class Stoppable:
    """A recipient we still know, and their choice for one purpose."""

    status: RecipientStatus
    address_index: BlindIndex
    choice: Choice


def stoppable(session: Session, recipient_id: RecipientId, purpose_id: int) -> Stoppable | None:
    """Recipient and choice in one query. None: unknown or erased, so there is nothing left to stop."""
    parameters = {"recipient": recipient_id, "purpose": purpose_id}
    row = session.connection().execute(_recipient_with_choice(), parameters).one_or_none()
    if row is None or row.address_index is None:
        return None
    return Stoppable(row.status, BlindIndex(row.address_index), Choice(*row[2:]))


@cache
def _recipient_with_choice() -> Executable:
    choices, recipients = ChoiceRow.__table__.c, RecipientRow.__table__.c
    belongs = and_(
        choices.recipient_id == recipients.id,
        choices.purpose_id == bindparam("purpose"),
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
        .where(recipients.id == bindparam("recipient"))
    )
