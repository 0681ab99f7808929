"""Takedowns: those of one person, and those that wait for staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.photo import OPEN_TAKEDOWNS, TakedownState, TakedownWhat
from preferences.models.photo import TakedownRow
from preferences.models.training import TrainingRow

from .trainings import Training


@dataclass(frozen=True, slots=True, repr=False)
class Takedown:
    """One request to remove something published; never logged."""

    id: int
    reference: str
    recipient_id: RecipientId
    url: str | None
    what: TakedownWhat
    note: str | None
    state: TakedownState
    requested_at: datetime
    closed_at: datetime | None
    answer: str | None
    training: Training | None

    @property
    def is_open(self) -> bool:
        """Whether it waits for us."""
        return self.state in OPEN_TAKEDOWNS


def takedowns_of(session: Session, recipient_id: RecipientId) -> list[Takedown]:
    """This person's takedowns, newest first."""
    return _found(session, TakedownRow.recipient_id == recipient_id, order=TakedownRow.id.desc())


def takedown_of(session: Session, recipient_id: RecipientId, reference: str) -> Takedown | None:
    """One of this person's takedowns; None for anybody else's."""
    found = _found(session, (TakedownRow.recipient_id == recipient_id) & (TakedownRow.reference == reference))
    return found[0] if found else None


def takedown_by_id(session: Session, takedown_id: int, recipient_id: RecipientId) -> Takedown | None:
    """One takedown by its number, provided that it is this person's."""
    found = _found(session, (TakedownRow.id == takedown_id) & (TakedownRow.recipient_id == recipient_id))
    return found[0] if found else None


def open_takedowns(session: Session) -> list[Takedown]:
    """What waits for staff, oldest first."""
    return _found(session, TakedownRow.state.in_(OPEN_TAKEDOWNS))


def all_takedowns(session: Session) -> list[Takedown]:
    """Every takedown, oldest first."""
    return _found(session, TakedownRow.id > 0)


def count_takedowns_since(session: Session, recipient_id: RecipientId, since: datetime) -> int:
    """How many takedowns of this person were taken after `since`."""
    count = select(func.count()).where(TakedownRow.recipient_id == recipient_id, TakedownRow.requested_at > since)
    return session.scalar(count) or 0


def _found(session: Session, condition: ColumnElement[bool], *, order: Any = TakedownRow.id) -> list[Takedown]:
    rows = session.execute(
        select(TakedownRow, TrainingRow)
        .outerjoin(TrainingRow, TrainingRow.id == TakedownRow.training_id)
        .where(condition)
        .order_by(order)
    )
    return [
        Takedown(
            id=row.id,
            reference=row.reference,
            recipient_id=RecipientId(row.recipient_id),
            url=row.url,
            what=row.what,
            note=row.note,
            state=row.state,
            requested_at=row.requested_at,
            closed_at=row.closed_at,
            answer=row.answer,
            training=None
            if training is None
            else Training(training.id, training.title, training.place, training.held_on),
        )
        for row, training in rows
    ]
