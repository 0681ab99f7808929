"""Trainings, who takes part in them, and which training a notice was about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.photo import training_of_notice
from preferences.domain.suppression import SuppressionScope
from preferences.models.message import MessageRow
from preferences.models.photo import ParticipantRow
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow
from preferences.models.training import TrainingRow

OWN_MESSAGE = 0
"""Stands in messages.mailer_id for the service's own mail."""


@dataclass(frozen=True, slots=True)
class Training:
    """One training or event."""

    id: int
    title: str
    place: str
    held_on: date
    languages: tuple[str, ...] = ()
    """In which it is held, the first one first; none: not said."""
    cancelled_at: datetime | None = None
    """Since when it is cancelled; None: it takes place."""

    def notice_locale(self, wanted: str) -> str:
        """In which language somebody who wants this one is told: theirs where it is held in that, else its first."""
        spoken = {one for one in self.languages if one.split("_")[0] == wanted.split("_")[0]}
        return wanted if spoken or not self.languages else self.languages[0]


@dataclass(frozen=True, slots=True)
class TrainingCounts:
    """A training with how many take part, and how many of them have been told."""

    training: Training
    participants: int
    notified: int
    misinformed: int = 0
    """How many were told of another day or place and can be told of the right one; counted for Today alone."""
    mistaken: int = 0
    """How many know wrongly whether it takes place, and can be told; counted for Today alone."""


@dataclass(frozen=True, slots=True, repr=False)
class Participant:
    """One who takes part, as the list for the photographer names them; never logged."""

    recipient_id: RecipientId
    name: str | None
    company: str | None
    address: str | None
    status: RecipientStatus
    notified_at: datetime | None


TRAINING_COLUMNS = (
    TrainingRow.id,
    TrainingRow.title,
    TrainingRow.place,
    TrainingRow.held_on,
    TrainingRow.languages,
    TrainingRow.cancelled_at,
)
"""What `training_of` reads."""


def training_by_id(session: Session, training_id: int) -> Training | None:
    """The training with this number."""
    row = session.execute(select(*TRAINING_COLUMNS).where(TrainingRow.id == training_id)).one_or_none()
    return None if row is None else training_of(row)


def trainings(session: Session) -> list[TrainingCounts]:
    """Every training, those that come last first."""
    rows = session.execute(
        select(*TRAINING_COLUMNS, func.count(ParticipantRow.recipient_id), func.count(ParticipantRow.notified_at))
        .outerjoin(ParticipantRow, ParticipantRow.training_id == TrainingRow.id)
        .group_by(*TRAINING_COLUMNS)
        .order_by(TrainingRow.held_on.desc(), TrainingRow.id.desc())
    )
    return [TrainingCounts(training_of(row), *row[-2:]) for row in rows]


def trainings_of(session: Session, recipient_id: RecipientId, *, limit: int, skip: int = 0) -> list[Training]:
    """The trainings that a person takes part in, those that come last first."""
    rows = session.execute(
        select(*TRAINING_COLUMNS)
        .join(ParticipantRow, ParticipantRow.training_id == TrainingRow.id)
        .where(ParticipantRow.recipient_id == recipient_id)
        .order_by(TrainingRow.held_on.desc(), TrainingRow.id.desc())
        .limit(limit)
        .offset(skip)
    )
    return [training_of(row) for row in rows]


def trainings_among(session: Session, recipient_id: RecipientId, training_ids: Collection[int]) -> set[int]:
    """Which of these trainings the person takes part in."""
    rows = session.scalars(
        select(ParticipantRow.training_id).where(
            ParticipantRow.recipient_id == recipient_id, ParticipantRow.training_id.in_(training_ids)
        )
    )
    return set(rows)


def training_with(session: Session, recipient_id: RecipientId, training_id: int) -> Training | None:
    """The training, provided that this person takes part in it."""
    row = session.execute(
        select(*TRAINING_COLUMNS)
        .join(ParticipantRow, ParticipantRow.training_id == TrainingRow.id)
        .where(ParticipantRow.recipient_id == recipient_id, TrainingRow.id == training_id)
    ).one_or_none()
    return None if row is None else training_of(row)


def training_told_of(session: Session, recipient_id: RecipientId, message_id: int) -> Training | None:
    """The training whose notice a link stood in, provided that the link's owner takes part in it."""
    if not message_id:
        return None
    reference = session.scalar(
        select(MessageRow.reference).where(MessageRow.id == message_id, MessageRow.mailer_id == OWN_MESSAGE)
    )
    training_id = training_of_notice(reference or "")
    return None if training_id is None else training_with(session, recipient_id, training_id)


def participants(session: Session, training_id: int) -> list[Participant]:
    """Everybody who takes part, by name; erased people last, without one."""
    rows = session.execute(
        select(
            RecipientRow.id,
            RecipientRow.name,
            RecipientRow.profile,
            RecipientRow.address,
            RecipientRow.status,
            ParticipantRow.notified_at,
        )
        .join(ParticipantRow, ParticipantRow.recipient_id == RecipientRow.id)
        .where(ParticipantRow.training_id == training_id)
    )
    found = [
        Participant(RecipientId(number), name, (profile or {}).get("company_name"), address, status, told)
        for number, name, profile, address, status, told in rows
    ]
    return sorted(found, key=_by_name)


def to_be_told(session: Session, training_id: int, *, limit: int) -> list[RecipientId]:
    """Participants who have not been told yet and can be: neither erased nor restricted, no stop of every message, and not
    told that it is cancelled, for they hear otherwise first.

    Whoever said no to mailings is among them: this is no mailing. On PostgreSQL the rows are locked, and those that another
    run holds are passed over.
    """
    rows = session.scalars(
        select(ParticipantRow.recipient_id)
        .join(RecipientRow, RecipientRow.id == ParticipantRow.recipient_id)
        .where(
            ParticipantRow.training_id == training_id,
            ParticipantRow.notified_at.is_(None),
            ParticipantRow.cancellation_told_at.is_(None),
            can_be_reached(),
        )
        .order_by(ParticipantRow.recipient_id)
        .limit(limit)
        .with_for_update(of=ParticipantRow, skip_locked=True)
    )
    return [RecipientId(number) for number in rows]


def count_untold(session: Session, training_id: int) -> int:
    """Participants who have not been told, for whatever reason."""
    untold = and_(ParticipantRow.training_id == training_id, ParticipantRow.notified_at.is_(None))
    return session.scalar(select(func.count()).select_from(ParticipantRow).where(untold)) or 0


def told_before_it_moved(session: Session, training_id: int, *, limit: int | None = None) -> list[RecipientId]:
    """Who has a notice that names another day or place, and can be told of the right one. Locked as in `to_be_told`."""
    rows = session.scalars(
        select(ParticipantRow.recipient_id)
        .join(RecipientRow, RecipientRow.id == ParticipantRow.recipient_id)
        .join(TrainingRow, TrainingRow.id == ParticipantRow.training_id)
        .where(*_told_otherwise(training_id))
        .order_by(ParticipantRow.recipient_id)
        .limit(limit)
        .with_for_update(of=ParticipantRow, skip_locked=True)
    )
    return [RecipientId(number) for number in rows]


def count_told_before_it_moved(session: Session, training_id: int) -> int:
    """How many `told_before_it_moved` names."""
    asked = (
        select(func.count())
        .select_from(ParticipantRow)
        .join(RecipientRow, RecipientRow.id == ParticipantRow.recipient_id)
        .join(TrainingRow, TrainingRow.id == ParticipantRow.training_id)
        .where(*_told_otherwise(training_id))
    )
    return session.scalar(asked) or 0


def _told_otherwise(training_id: int) -> tuple[ColumnElement[bool], ...]:
    """Of a training that takes place; whoever was told that it does not is told of that first, with the day and place."""
    return (
        TrainingRow.id == training_id,
        TrainingRow.cancelled_at.is_(None),
        ParticipantRow.notified_at < TrainingRow.moved_at,
        ParticipantRow.cancellation_told_at.is_(None),
        can_be_reached(),
    )


def those_on(session: Session, training_id: int, recipient_ids: Collection[RecipientId]) -> set[RecipientId]:
    """Which of these take part already."""
    rows = session.scalars(
        select(ParticipantRow.recipient_id).where(
            ParticipantRow.training_id == training_id, ParticipantRow.recipient_id.in_(recipient_ids)
        )
    )
    return {RecipientId(number) for number in rows}


def can_be_reached() -> ColumnElement[bool]:
    """Whether a notice may go to the recipient of the row: neither erased nor restricted, no stop of every message."""
    stopped = exists().where(
        SuppressionRow.address_index == RecipientRow.address_index,
        SuppressionRow.lifted_at.is_(None),
        SuppressionRow.scope == SuppressionScope.ALL,
    )
    return and_(
        RecipientRow.status == RecipientStatus.ACTIVE,
        RecipientRow.address_index.is_not(None),
        ~stopped,
    )


def training_of(row: Any) -> Training:
    """The training in a row that holds its columns, by their names."""
    codes = tuple(one for one in row.languages.split(",") if one)
    return Training(row.id, row.title, row.place, row.held_on, codes, row.cancelled_at)


def _by_name(one: Participant) -> tuple[bool, str, int]:
    shown = one.name or one.address or ""
    return (not shown, shown.casefold(), one.recipient_id)
