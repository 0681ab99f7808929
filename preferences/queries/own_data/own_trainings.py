"""The trainings that a person is on, as their own data shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.models.photo import ParticipantRow
from preferences.models.training import TrainingRow
from preferences.queries.choices.history import OwnTraining
from preferences.queries.recipients.recipients import RecipientView


@dataclass(frozen=True, slots=True)
class Participation:
    """One training the person is on."""

    training: OwnTraining
    place: str
    added_at: datetime
    notified_at: datetime | None
    cancelled_at: datetime | None
    """Since when the training is cancelled; None: it takes place."""
    cancellation_told_at: datetime | None


def own_trainings(session: Session, recipient: RecipientView) -> list[Participation]:
    """The trainings the person is on, newest first."""
    rows = session.execute(
        select(TrainingRow, ParticipantRow)
        .join(TrainingRow, TrainingRow.id == ParticipantRow.training_id)
        .where(ParticipantRow.recipient_id == recipient.id)
        .order_by(TrainingRow.held_on.desc(), TrainingRow.id.desc())
    )
    return [
        Participation(
            OwnTraining(training.id, training.title, training.held_on),
            training.place,
            part.added_at,
            part.notified_at,
            training.cancelled_at,
            part.cancellation_told_at,
        )
        for training, part in rows
    ]
