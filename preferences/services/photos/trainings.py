"""Trainings: adding them, who takes part, and telling everybody before one that photos may be published."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, ClassVar

from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import Conflict, InvalidValue, NotFound
from preferences.domain.photo import notice_reference
from preferences.domain.text import is_locale, is_storable
from preferences.models.outbox import JobKind, OutboxJobRow
from preferences.models.photo import ParticipantRow
from preferences.models.training import TrainingRow
from preferences.models.upsert import insert_into
from preferences.queries.photos.training_work import notices_underway
from preferences.queries.photos.trainings import (
    Training,
    count_told_before_it_moved,
    count_untold,
    those_on,
    to_be_told,
    told_before_it_moved,
    training_by_id,
)
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.outbox.messages import NO_MESSAGE, number_message
from preferences.services.recipients.recipients import find_recipient

NOTICE = "photo_notice"
CHUNK = 500
"""How many are told in one transaction: few enough that nobody waits for it."""

MOST_CHARACTERS = 200


class UnknownTraining(NotFound):
    """No training has this number."""

    code: ClassVar[str] = "unknown_training"
    title: ClassVar[str] = "Unknown training"


class TrainingChanged(Conflict):
    """Somebody else has changed the training meanwhile."""

    code: ClassVar[str] = "training_changed"
    title: ClassVar[str] = "The training was changed meanwhile"


class TrainingOver(Conflict):
    """The training has been held; a notice before it comes too late."""

    code: ClassVar[str] = "training_over"
    title: ClassVar[str] = "The training is over"


class TrainingCancelled(Conflict):
    """The training is cancelled, and what was wanted is for one that takes place."""

    code: ClassVar[str] = "training_cancelled"
    title: ClassVar[str] = "The training is cancelled"


@dataclass(frozen=True, slots=True)
class Told:
    """What one part of telling did. `left`: participants without a notice, those who cannot be reached among them."""

    enqueued: int
    left: int
    is_done: bool


def add_training(
    session: Session, *, title: str, place: str = "", held_on: date, languages: Sequence[str] = (), now: datetime
) -> int:
    """Add a training and return its number. Raises InvalidValue."""
    row = TrainingRow(
        title=_one_line(title, "/title"),
        place=_one_line(place, "/place") if place.strip() else "",
        held_on=held_on,
        languages=_languages(languages),
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row.id


def change_training(
    session: Session,
    before: Training,
    *,
    title: str,
    place: str,
    held_on: date,
    languages: Sequence[str],
    now: datetime,
) -> None:
    """Change a training that stands as it did `before`. Whoever has been told of another day or place is told on demand only.

    Raises UnknownTraining, InvalidValue; TrainingChanged where somebody was faster.
    """
    row = session.scalars(select(TrainingRow).where(TrainingRow.id == before.id).with_for_update()).one_or_none()
    if row is None:
        raise UnknownTraining(f"There is no training number {before.id}.")
    was = (before.title, before.place, before.held_on, ",".join(before.languages))
    if (row.title, row.place, row.held_on, row.languages) != was:
        raise TrainingChanged("Somebody else has changed the training meanwhile.")
    row.title, row.held_on = _one_line(title, "/title"), held_on
    row.place, row.languages = _one_line(place, "/place") if place.strip() else "", _languages(languages)
    if (row.place, row.held_on) != (before.place, before.held_on):
        row.moved_at = now
    session.flush()


def find_training(session: Session, training_id: int) -> Training:
    """The training. Raises UnknownTraining."""
    found = training_by_id(session, training_id)
    if found is None:
        raise UnknownTraining(f"There is no training number {training_id}.")
    return found


def add_participants(session: Session, training_id: int, who: Iterable[str], *, now: datetime) -> int:
    """Put recipients, by id or address, on the training's list; all or none. Returns how many were not there before.

    Whoever was taken off after the notice is not told once more. Raises UnknownTraining, TrainingCancelled, UnknownRecipient
    or InvalidAddress; Conflict for somebody who has been erased.
    """
    _taking_place(session, training_id)
    added, remaining = 0, iter(who)
    while part := list(islice(remaining, CHUNK)):
        added += _add(session, training_id, {_not_erased(find_recipient(session, name)) for name in part}, now)
    return added


def put_on_training(session: Session, training_id: int, people: Collection[RecipientId], *, now: datetime) -> int:
    """Put recipients who are known not to be erased on the list. Returns how many were not there before.

    Raises UnknownTraining, TrainingCancelled.
    """
    _taking_place(session, training_id)
    remaining, added = iter(dict.fromkeys(people)), 0
    while part := set(islice(remaining, CHUNK)):
        added += _add(session, training_id, part, now)
    return added


def remove_participants(session: Session, training_id: int, who: Iterable[str]) -> int:
    """Take recipients off the list. Returns how many were on it; their choices stay. Raises as add_participants."""
    find_training(session, training_id)
    before = those_on(session, training_id, {find_recipient(session, name).id for name in who})
    session.execute(
        delete(ParticipantRow).where(ParticipantRow.training_id == training_id, ParticipantRow.recipient_id.in_(before))
    )
    return len(before)


def take_off_training(session: Session, training_id: int, recipient_id: RecipientId) -> int:
    """Take one person off the list. Returns 1, or 0 where they were not on it; their choices stay."""
    was_on = those_on(session, training_id, {recipient_id})
    session.execute(
        delete(ParticipantRow).where(
            ParticipantRow.training_id == training_id, ParticipantRow.recipient_id == recipient_id
        )
    )
    return len(was_on)


def notify_participants(session: Session, training_id: int, *, now: datetime, limit: int = CHUNK) -> Told:
    """Put the notice before the training into the outbox for up to `limit` participants who have not been told.

    Call it until `is_done`, each part in a transaction of its own: broken off, it goes on where it was, and nobody is told
    twice. Erased, restricted and unreachable people are passed over; whoever said no to mailings is told, for this is none.
    Raises UnknownTraining, TrainingOver, TrainingCancelled.
    """
    not_over(_taking_place(session, training_id), now)
    chosen = to_be_told(session, training_id, limit=limit)
    enqueue_to(session, training_id, chosen, {"template": NOTICE, "is_correction": False}, now=now, notified_at=now)
    return Told(len(chosen), count_untold(session, training_id), len(chosen) < limit)


def correct_notices(session: Session, training_id: int, *, now: datetime, limit: int = CHUNK) -> Told:
    """Tell up to `limit` of those who were told before day or place was changed what is right now; as notify_participants."""
    not_over(_taking_place(session, training_id), now)
    chosen = told_before_it_moved(session, training_id, limit=limit)
    enqueue_to(session, training_id, chosen, {"template": NOTICE, "is_correction": True}, now=now, notified_at=now)
    return Told(len(chosen), count_told_before_it_moved(session, training_id), len(chosen) < limit)


def _add(session: Session, training_id: int, people: set[RecipientId], now: datetime) -> int:
    new = people - those_on(session, training_id, people)
    if new:
        told = notices_underway(session, training_id, new, NOTICE)
        rows = [
            {"training_id": training_id, "recipient_id": one, "added_at": now, "notified_at": told.get(one)}
            for one in sorted(new)
        ]
        statement = insert_into(session, ParticipantRow.__table__).values(rows)
        session.execute(statement.on_conflict_do_nothing(index_elements=["training_id", "recipient_id"]))
    return len(new)


def enqueue_to(
    session: Session,
    training_id: int,
    chosen: Sequence[RecipientId],
    mail: Mapping[str, Any],
    *,
    now: datetime,
    **noted: datetime | None,
) -> None:
    """Put one mail about the training into the outbox for each of these participants, and note it with them: `noted` is what
    their rows hold from now on.
    """
    if not chosen:
        return
    reference = number_message(session, NO_MESSAGE, notice_reference(training_id), now=now)
    those = and_(ParticipantRow.training_id == training_id, ParticipantRow.recipient_id.in_(chosen))
    session.execute(update(ParticipantRow).where(those).values(**noted))
    payload = {**mail, "training_id": training_id, "reference": reference}
    jobs: list[dict[str, Any]] = [
        {"kind": JobKind.MAIL, "recipient_id": one, "payload": payload, "created_at": now, "run_at": now}
        for one in chosen
    ]
    session.execute(insert(OutboxJobRow), jobs)


def not_over(training: Training, now: datetime) -> None:
    """Raises TrainingOver once the day of the training is past."""
    if training.held_on < now.date():
        raise TrainingOver(f"The training was held on {training.held_on}: a mail before it comes too late.")


def _taking_place(session: Session, training_id: int) -> Training:
    """The training, which nobody cancels before this is done. Raises UnknownTraining, TrainingCancelled."""
    session.execute(select(TrainingRow.id).where(TrainingRow.id == training_id).with_for_update(read=True))
    training = find_training(session, training_id)
    if training.cancelled_at is not None:
        raise TrainingCancelled(
            f"Training number {training_id} is cancelled. Say that it takes place after all, if it does, then try again."
        )
    return training


def _languages(codes: Sequence[str]) -> str:
    if (
        len(set(codes)) != len(codes)
        or not all(is_locale(one) for one in codes)
        or len(",".join(codes)) > MOST_CHARACTERS
    ):
        raise InvalidValue("A language is a code such as sv or en, once each.", pointer="/languages")
    return ",".join(codes)


def _not_erased(recipient: RecipientView) -> RecipientId:
    if recipient.status is RecipientStatus.ERASED:
        raise Conflict("Somebody on the list has been erased at their request and cannot be added.")
    return recipient.id


def _one_line(text: str, pointer: str) -> str:
    """Text that may stand in the subject of a mail."""
    line = unicodedata.normalize("NFC", " ".join(text.split()))
    if not 0 < len(line) <= MOST_CHARACTERS or not is_storable(line) or not line.isprintable():
        raise InvalidValue(f"One line of 1 to {MOST_CHARACTERS} characters is needed here.", pointer=pointer)
    return line
