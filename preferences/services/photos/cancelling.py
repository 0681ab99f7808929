"""Cancelling a training, and saying that it takes place after all; those who take part are told, once each.

What people have answered about name and image stays as it is: pictures from before count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.photo import CancellationFor
from preferences.models.outbox import OutboxJobRow
from preferences.models.photo import ParticipantRow
from preferences.models.training import TrainingRow
from preferences.queries.photos.cancelled import (
    WaitingMail,
    count_to_tell_of_cancellation,
    count_who_know_it_as_cancelled,
    mails_waiting,
    those_to_tell_of_cancellation,
    those_who_know_it_as_cancelled,
)
from preferences.queries.photos.training_work import notices_underway

from .trainings import CHUNK, NOTICE, Told, TrainingCancelled, UnknownTraining, enqueue_to, find_training, not_over

CANCELLATION = "training_cancelled"
NOT_SENT_FOR_IT = "dropped: training_cancelled"
NOT_SENT_AFTER_ALL = "dropped: training_takes_place"


def cancel_training(session: Session, training_id: int, tells: CancellationFor, *, now: datetime) -> int:
    """Cancel a training that is not over; `tells` says who `tell_it_is_cancelled` is for.

    A notice that no worker has taken up is not sent any more; returns how many. Raises UnknownTraining, TrainingOver,
    TrainingCancelled.
    """
    row = _locked(session, training_id)
    not_over(find_training(session, training_id), now)
    if row.cancelled_at is not None:
        raise TrainingCancelled(f"Training number {training_id} is cancelled already.")
    row.cancelled_at, row.cancellation_for = now, tells
    session.flush()
    return _keep_back_notices(session, training_id, now)


def tell_it_is_cancelled(session: Session, training_id: int, *, now: datetime, limit: int = CHUNK) -> Told:
    """Tell up to `limit` of those whom the cancellation is for; as `notify_participants`, to be called until `is_done`.

    Tells nobody where the training takes place. Raises UnknownTraining, TrainingOver.
    """
    not_over(find_training(session, training_id), now)
    chosen = those_to_tell_of_cancellation(session, training_id, limit=limit)
    enqueue_to(session, training_id, chosen, {"template": CANCELLATION}, now=now, cancellation_told_at=now)
    return Told(len(chosen), count_to_tell_of_cancellation(session, training_id), len(chosen) < limit)


def resume_training(session: Session, training_id: int, *, now: datetime) -> int:
    """Say that a cancelled training which is not over takes place after all. Whoever is on the list stays on it.

    A mail about the cancellation that no worker has taken up is not sent any more; returns how many. A training that takes
    place stays as it is. Raises UnknownTraining, TrainingOver.
    """
    row = _locked(session, training_id)
    not_over(find_training(session, training_id), now)
    if row.cancelled_at is None:
        return 0
    row.cancelled_at, row.cancellation_for, row.resumed_at = None, None, now
    session.flush()
    waiting = _of(mails_waiting(session, training_id, ParticipantRow.cancellation_told_at, now=now), CANCELLATION)
    _let_go(session, waiting, NOT_SENT_AFTER_ALL, now)
    for people in _parts([one.recipient_id for one in waiting]):
        _note(session, training_id, people, cancellation_told_at=None)
    return len(waiting)


def tell_it_takes_place(session: Session, training_id: int, *, now: datetime, limit: int = CHUNK) -> Told:
    """Tell up to `limit` of those who were told of a cancellation that the training takes place: the notice, with a line that
    says so. Tells nobody while it is cancelled. Raises UnknownTraining, TrainingOver.
    """
    not_over(find_training(session, training_id), now)
    chosen = those_who_know_it_as_cancelled(session, training_id, limit=limit)
    mail = {"template": NOTICE, "is_correction": False, "is_resumed": True}
    enqueue_to(session, training_id, chosen, mail, now=now, notified_at=now, cancellation_told_at=None)
    return Told(len(chosen), count_who_know_it_as_cancelled(session, training_id), len(chosen) < limit)


def _locked(session: Session, training_id: int) -> TrainingRow:
    row = session.scalars(select(TrainingRow).where(TrainingRow.id == training_id).with_for_update()).one_or_none()
    if row is None:
        raise UnknownTraining(f"There is no training number {training_id}.")
    return row


def _keep_back_notices(session: Session, training_id: int, now: datetime) -> int:
    """Let go of the notices that wait, and note with each participant what they know without them."""
    waiting = _of(mails_waiting(session, training_id, ParticipantRow.notified_at, now=now), NOTICE)
    _let_go(session, waiting, NOT_SENT_FOR_IT, now)
    for people in _parts([one.recipient_id for one in waiting]):
        _note(session, training_id, people, notified_at=None)
        for one, since in notices_underway(session, training_id, people, NOTICE).items():
            _note(session, training_id, [one], notified_at=since)
    again = [one.recipient_id for one in waiting if one.payload.get("is_resumed")]
    for people in _parts(again):
        for one, since in notices_underway(session, training_id, people, CANCELLATION).items():
            _note(session, training_id, [one], cancellation_told_at=since)
    return len(waiting)


def _of(mails: Sequence[WaitingMail], template: str) -> list[WaitingMail]:
    """Those of one kind: mails of other kinds may have been made in the same moment."""
    return [one for one in mails if one.payload.get("template") == template]


def _let_go(session: Session, mails: Sequence[WaitingMail], outcome: str, now: datetime) -> None:
    for jobs in _parts([one.job_id for one in mails]):
        session.execute(
            update(OutboxJobRow)
            .where(OutboxJobRow.id.in_(jobs))
            .values(done_at=now, outcome=outcome, claimed_until=None)
        )


def _note(session: Session, training_id: int, people: Collection[RecipientId], **noted: datetime | None) -> None:
    session.execute(
        update(ParticipantRow)
        .where(ParticipantRow.training_id == training_id, ParticipantRow.recipient_id.in_(people))
        .values(**noted)
    )


def _parts(ids: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(ids), CHUNK):
        yield list(ids[start : start + CHUNK])
