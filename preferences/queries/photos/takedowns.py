"""Takedowns: those of one person, and those that wait for staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from preferences.domain.audit import StaffId
from preferences.domain.capability import RecipientId
from preferences.domain.photo import OPEN_TAKEDOWNS, TakedownState, TakedownWhat
from preferences.models.photo import TakedownRow
from preferences.models.training import TrainingRow

from .trainings import Training, training_of

MOST_OPEN = 500
"""So many open cases are listed for staff."""


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
    assigned_to: StaffId | None
    """Who on the staff sees to it."""
    due_on: date | None
    proof: str | None

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


def takedown_by_reference(session: Session, reference: str) -> Takedown | None:
    """The takedown that person and staff call this."""
    if not reference.isascii() or not reference.isprintable():
        return None
    found = _found(session, TakedownRow.reference == reference)
    return found[0] if found else None


def takedowns_to_work(session: Session, *, assigned_to: StaffId | None = None) -> list[Takedown]:
    """Open ones, soonest due first, then those without a day, oldest first; all of them, or those of one of the staff."""
    wanted: ColumnElement[bool] = TakedownRow.state.in_(OPEN_TAKEDOWNS)
    if assigned_to is not None:
        wanted &= TakedownRow.assigned_to == assigned_to
    return sorted(_found(session, wanted, limit=MOST_OPEN), key=lambda one: (one.due_on or date.max, one.id))


def closed_takedowns(session: Session, *, before: int | None = None, limit: int) -> list[Takedown]:
    """Those that are done or refused, newest first; those before the number `before`."""
    wanted: ColumnElement[bool] = TakedownRow.state.not_in(OPEN_TAKEDOWNS)
    if before is not None:
        wanted &= TakedownRow.id < before
    return _found(session, wanted, order=TakedownRow.id.desc(), limit=limit)


def all_takedowns(session: Session) -> list[Takedown]:
    """Every takedown, oldest first."""
    return _found(session, TakedownRow.id > 0)


def count_takedowns_since(session: Session, recipient_id: RecipientId, since: datetime) -> int:
    """How many takedowns of this person were taken after `since`."""
    count = select(func.count()).where(TakedownRow.recipient_id == recipient_id, TakedownRow.requested_at > since)
    return session.scalar(count) or 0


def _found(
    session: Session, condition: ColumnElement[bool], *, order: Any = TakedownRow.id, limit: int | None = None
) -> list[Takedown]:
    rows = session.execute(
        select(TakedownRow, TrainingRow)
        .outerjoin(TrainingRow, TrainingRow.id == TakedownRow.training_id)
        .where(condition)
        .order_by(order)
        .limit(limit)
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
            training=None if training is None else training_of(training),
            assigned_to=None if row.assigned_to is None else StaffId(row.assigned_to),
            due_on=row.due_on,
            proof=row.proof,
        )
        for row, training in rows
    ]
