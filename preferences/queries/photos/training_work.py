"""What staff see of trainings: those that come and those that are over, who takes part, and how far the notice has gone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.suppression import SuppressionReason, SuppressionScope
from preferences.models.outbox import JobKind, OutboxJobRow
from preferences.models.photo import ParticipantRow
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow
from preferences.models.training import TrainingRow

from .cancelled import is_for_them
from .trainings import TRAINING_COLUMNS, TrainingCounts, can_be_reached, training_of

MOST_COMING = 200
"""So many trainings that are still to come are shown; there are never that many."""


class About(StrEnum):
    """Which of our mails about a training is looked at."""

    PHOTOS = "photos"
    """The notice before it."""
    CANCELLATION = "cancellation"
    """That it is cancelled."""


class NoticeState(StrEnum):
    """How it stands with the notice to one participant, or with the mail that the training is cancelled."""

    READY = "ready"
    """Not told yet; the next sending reaches them."""
    WAITING = "waiting"
    SENT = "sent"
    TOLD = "told"
    """Told so long ago that the mail itself is forgotten."""
    NOT_SENT = "not_sent"
    """The mail was made and could not be handed over, or was let go."""
    ERASED = "erased"
    RESTRICTED = "restricted"
    BOUNCED = "bounced"
    STOPPED = "stopped"
    """Staff stopped everything to the address."""
    MISTAKEN = "mistaken"
    """Was told that it is cancelled, and not yet that it takes place after all."""
    NO_NEED = "no_need"
    """Has had no notice, and so is not told that it is cancelled."""


UNREACHABLE = (NoticeState.ERASED, NoticeState.RESTRICTED, NoticeState.BOUNCED, NoticeState.STOPPED)


@dataclass(frozen=True, slots=True, repr=False)
class ParticipantLine:
    """One participant as staff see them; never logged."""

    recipient_id: RecipientId
    name: str | None
    company: str | None
    address: str | None
    notified_at: datetime | None
    state: NoticeState
    outcome: str
    """Why a mail was let go, in a code; empty otherwise."""


@dataclass(frozen=True, slots=True)
class NoticeProgress:
    """How many participants stand where; states that nobody is in are left out."""

    counts: Mapping[NoticeState, int]

    def count(self, *states: NoticeState) -> int:
        """How many are in one of these states."""
        return sum(self.counts.get(state, 0) for state in states)

    @property
    def everybody(self) -> int:
        """How many take part."""
        return sum(self.counts.values())

    @property
    def ready(self) -> int:
        """How many the next sending reaches."""
        return self.count(NoticeState.READY)

    @property
    def told(self) -> int:
        """How many have a notice, on its way ones among them."""
        return self.count(NoticeState.WAITING, NoticeState.SENT, NoticeState.TOLD, NoticeState.NOT_SENT)

    @property
    def unreachable(self) -> int:
        """How many cannot be told."""
        return self.count(*UNREACHABLE)


def coming_trainings(session: Session, *, today: date) -> list[TrainingCounts]:
    """Trainings of today and later, the next one first."""
    coming = _counted().where(TrainingRow.held_on >= today)
    return _read(session, coming.order_by(TrainingRow.held_on, TrainingRow.id).limit(MOST_COMING))


def past_trainings(session: Session, *, today: date, before: int | None = None, limit: int) -> list[TrainingCounts]:
    """Trainings that are over, the newest first; `before` is the number of the last one that the page before showed."""
    past = _counted().where(TrainingRow.held_on < today)
    if before is not None:
        day = session.scalar(select(TrainingRow.held_on).where(TrainingRow.id == before)) or today
        past = past.where(
            or_(TrainingRow.held_on < day, and_(TrainingRow.held_on == day, TrainingRow.id < before)),
        )
    return _read(session, past.order_by(TrainingRow.held_on.desc(), TrainingRow.id.desc()).limit(limit))


def participant_lines(
    session: Session, training_id: int, about: About = About.PHOTOS, *, before: int | None = None, limit: int
) -> list[ParticipantLine]:
    """Who takes part, by name within what is shown at a time; `before` is the recipient's id that the page before ended at."""
    asked = (
        _with_state(about, RecipientRow.name, RecipientRow.profile, RecipientRow.address)
        .where(ParticipantRow.training_id == training_id, ParticipantRow.recipient_id < (before or 2**63 - 1))
        .order_by(ParticipantRow.recipient_id.desc())
        .limit(limit)
    )
    return [
        ParticipantLine(
            recipient_id=RecipientId(row.recipient_id),
            name=row.name,
            company=(row.profile or {}).get("company_name"),
            address=row.address,
            notified_at=row.told_at,
            state=NoticeState(row.notice),
            outcome=(row.outcome or "").removeprefix("dropped: ") if row.notice == NoticeState.NOT_SENT else "",
        )
        for row in session.execute(asked)
    ]


def notice_progress(session: Session, training_id: int, about: About = About.PHOTOS) -> NoticeProgress:
    """How far the notice of a training has gone, or the mail that it is cancelled."""
    return _progress(session, _with_state(about).where(ParticipantRow.training_id == training_id))


def reachable_by_notice(session: Session, training_id: int) -> NoticeProgress:
    """How it stands with the notice, counting only those whom a mail about the training can reach now."""
    return _progress(session, _with_state().where(ParticipantRow.training_id == training_id, can_be_reached()))


def notices_underway(
    session: Session, training_id: int, recipient_ids: Collection[RecipientId], template: str
) -> dict[RecipientId, datetime]:
    """Who of these has the notice of this training, or has it on its way, and since when; while mails are remembered."""
    rows = session.execute(
        select(OutboxJobRow.recipient_id, OutboxJobRow.created_at, OutboxJobRow.payload)
        .where(
            OutboxJobRow.recipient_id.in_(recipient_ids),
            OutboxJobRow.kind == JobKind.MAIL,
            or_(OutboxJobRow.done_at.is_(None), OutboxJobRow.outcome == "sent"),
        )
        .order_by(OutboxJobRow.id)
    )
    return {
        RecipientId(number): since
        for number, since, payload in rows
        if number is not None and (payload.get("template"), payload.get("training_id")) == (template, training_id)
    }


def _counted() -> Select[Any]:
    """Counted for each training that is shown, not for all before the limit."""

    def count(what: Any) -> ColumnElement[int | None]:
        asked = select(func.count(what)).where(ParticipantRow.training_id == TrainingRow.id)
        return asked.correlate(TrainingRow).scalar_subquery()

    columns: tuple[Any, ...] = TRAINING_COLUMNS
    return select(*columns, count(ParticipantRow.recipient_id), count(ParticipantRow.notified_at))


def _read(session: Session, statement: Select[Any]) -> list[TrainingCounts]:
    return [TrainingCounts(training_of(row), *row[-2:]) for row in session.execute(statement)]


def _progress(session: Session, those: Select[Any]) -> NoticeProgress:
    one = those.subquery()
    rows = session.execute(select(one.c.notice, func.count()).group_by(one.c.notice))
    return NoticeProgress({NoticeState(state): count for state, count in rows})


def _with_state(about: About = About.PHOTOS, *more: Any) -> Select[Any]:
    """Participants with the state of their notice; the mail of a notice is the one made in the moment that is noted here."""
    told_at = _told_at(about)
    job_id = (
        select(func.max(OutboxJobRow.id))
        .where(
            OutboxJobRow.recipient_id == ParticipantRow.recipient_id,
            OutboxJobRow.created_at == told_at,
            OutboxJobRow.kind == JobKind.MAIL,
        )
        .correlate(ParticipantRow)
        .scalar_subquery()
    )
    return (
        select(
            ParticipantRow.recipient_id,
            told_at.label("told_at"),
            OutboxJobRow.outcome,
            _state(about).label("notice"),
            *more,
        )
        .join(RecipientRow, RecipientRow.id == ParticipantRow.recipient_id)
        .join(TrainingRow, TrainingRow.id == ParticipantRow.training_id)
        .outerjoin(OutboxJobRow, OutboxJobRow.id == job_id)
    )


def _told_at(about: About) -> Any:
    return ParticipantRow.notified_at if about is About.PHOTOS else ParticipantRow.cancellation_told_at


def _state(about: About) -> ColumnElement[str]:
    stop = (
        select(func.min(SuppressionRow.reason))
        .where(
            SuppressionRow.address_index == RecipientRow.address_index,
            SuppressionRow.lifted_at.is_(None),
            SuppressionRow.scope == SuppressionScope.ALL,
        )
        .correlate(RecipientRow)
        .scalar_subquery()
    )
    told = _told_at(about).is_not(None)
    exception = (
        (
            and_(TrainingRow.cancelled_at.is_(None), ParticipantRow.cancellation_told_at.is_not(None)),
            NoticeState.MISTAKEN,
        )
        if about is About.PHOTOS
        else (~is_for_them(), NoticeState.NO_NEED)
    )
    rungs = [
        exception,
        (and_(told, OutboxJobRow.id.is_(None)), NoticeState.TOLD),
        (and_(told, OutboxJobRow.done_at.is_(None)), NoticeState.WAITING),
        (and_(told, OutboxJobRow.outcome == "sent"), NoticeState.SENT),
        (told, NoticeState.NOT_SENT),
        (
            or_(RecipientRow.status == RecipientStatus.ERASED, RecipientRow.address_index.is_(None)),
            NoticeState.ERASED,
        ),
        (RecipientRow.status == RecipientStatus.RESTRICTED, NoticeState.RESTRICTED),
        (stop == SuppressionReason.HARD_BOUNCE, NoticeState.BOUNCED),
        (stop.is_not(None), NoticeState.STOPPED),
    ]
    return case(
        *((when, literal(state.value, String())) for when, state in rungs),
        else_=literal(NoticeState.READY.value, String()),
    )
