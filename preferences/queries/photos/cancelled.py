"""Cancelled trainings: who is still to be told of it, and of one that takes place after all who knows it as cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from preferences.domain.capability import RecipientId
from preferences.domain.photo import CancellationFor
from preferences.models.outbox import JobKind, OutboxJobRow
from preferences.models.photo import ParticipantRow
from preferences.models.recipient import RecipientRow
from preferences.models.training import TrainingRow

from .trainings import can_be_reached


@dataclass(frozen=True, slots=True, repr=False)
class WaitingMail:
    """A mail to a participant that no worker has taken up. Never logged."""

    job_id: int
    recipient_id: RecipientId
    payload: Mapping[str, Any]


def is_for_them(participant: Any = ParticipantRow) -> ColumnElement[bool]:
    """Whether a participant is among those who are told of the cancellation, as staff chose."""
    return or_(
        participant.notified_at.is_not(None),
        participant.cancellation_told_at.is_not(None),
        TrainingRow.cancellation_for == CancellationFor.EVERYBODY,
    )


def those_to_tell_of_cancellation(session: Session, training_id: int, *, limit: int) -> list[RecipientId]:
    """Who is to be told that a training is cancelled, has not been, and can be. Locked as in `to_be_told`."""
    return _some(session, training_id, _not_told_of_it(ParticipantRow), limit)


def count_to_tell_of_cancellation(session: Session, training_id: int) -> int:
    """How many `those_to_tell_of_cancellation` names; 0 for a training that takes place."""
    return _count(session, training_id, _not_told_of_it(ParticipantRow))


def those_who_know_it_as_cancelled(session: Session, training_id: int, *, limit: int) -> list[RecipientId]:
    """Who was told that a training is cancelled which takes place, and can be told so. Locked as in `to_be_told`."""
    return _some(session, training_id, _told_of_it_in_vain(ParticipantRow), limit)


def count_who_know_it_as_cancelled(session: Session, training_id: int) -> int:
    """How many `those_who_know_it_as_cancelled` names; 0 for a training that is cancelled."""
    return _count(session, training_id, _told_of_it_in_vain(ParticipantRow))


def count_told_of_cancellation(session: Session, training_id: int) -> int:
    """How many of those who can be reached have been told that a training is cancelled, mails on their way among them."""
    return _count(session, training_id, ParticipantRow.cancellation_told_at.is_not(None))


def how_many_are_mistaken() -> ColumnElement[int]:
    """How many of each training know wrongly whether it takes place and can be told; 0 without a look where it always did."""
    one = aliased(ParticipantRow)

    def count(condition: ColumnElement[bool]) -> Any:
        those = select(func.count()).select_from(one).join(RecipientRow, RecipientRow.id == one.recipient_id)
        return (
            those.where(one.training_id == TrainingRow.id, condition, can_be_reached())
            .correlate(TrainingRow)
            .scalar_subquery()
        )

    return case(
        (TrainingRow.cancelled_at.is_not(None), count(_not_told_of_it(one))),
        (TrainingRow.resumed_at.is_not(None), count(_told_of_it_in_vain(one))),
        else_=0,
    )


def mails_waiting(session: Session, training_id: int, column: Any, *, now: datetime) -> list[WaitingMail]:
    """Mails to participants made in the moment that this column of theirs notes, which no worker has taken up.

    Locked on PostgreSQL, so that no worker takes them up meanwhile; what one holds is left out.
    """
    rows = session.execute(
        select(OutboxJobRow.id, OutboxJobRow.recipient_id, OutboxJobRow.payload)
        .join(
            ParticipantRow,
            and_(ParticipantRow.recipient_id == OutboxJobRow.recipient_id, column == OutboxJobRow.created_at),
        )
        .where(
            ParticipantRow.training_id == training_id,
            OutboxJobRow.kind == JobKind.MAIL,
            OutboxJobRow.done_at.is_(None),
            or_(OutboxJobRow.claimed_until.is_(None), OutboxJobRow.claimed_until <= now),
        )
        .order_by(OutboxJobRow.id)
        .with_for_update(of=OutboxJobRow, skip_locked=True)
    )
    return [WaitingMail(job, RecipientId(who), payload) for job, who, payload in rows if who is not None]


def _not_told_of_it(participant: Any) -> ColumnElement[bool]:
    return and_(
        TrainingRow.cancelled_at.is_not(None), participant.cancellation_told_at.is_(None), is_for_them(participant)
    )


def _told_of_it_in_vain(participant: Any) -> ColumnElement[bool]:
    return and_(TrainingRow.cancelled_at.is_(None), participant.cancellation_told_at.is_not(None))


def _those(what: Any, training_id: int, condition: ColumnElement[bool]) -> Select[Any]:
    return (
        select(what)
        .select_from(ParticipantRow)
        .join(RecipientRow, RecipientRow.id == ParticipantRow.recipient_id)
        .join(TrainingRow, TrainingRow.id == ParticipantRow.training_id)
        .where(TrainingRow.id == training_id, condition, can_be_reached())
    )


def _some(session: Session, training_id: int, condition: ColumnElement[bool], limit: int) -> list[RecipientId]:
    those = _those(ParticipantRow.recipient_id, training_id, condition).order_by(ParticipantRow.recipient_id)
    rows = session.scalars(those.limit(limit).with_for_update(of=ParticipantRow, skip_locked=True))
    return [RecipientId(number) for number in rows]


def _count(session: Session, training_id: int, condition: ColumnElement[bool]) -> int:
    return session.scalar(_those(func.count(), training_id, condition)) or 0
