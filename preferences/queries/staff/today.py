"""What needs a person today: each question one indexed query, counted, with the first few to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from preferences.domain.photo import OPEN_TAKEDOWNS, TakedownState, TakedownWhat
from preferences.domain.rights import OPEN_STATES, RightsKind, RightsState
from preferences.domain.webhooks import DisabledReason, EndpointState
from preferences.models.endpoint import EndpointRow
from preferences.models.import_batch import ImportStage
from preferences.models.mailer import MailerRow
from preferences.models.photo import ParticipantRow, TakedownRow
from preferences.models.recipient import RecipientRow
from preferences.models.rights import RightsRequestRow
from preferences.models.staff import StaffRow
from preferences.models.training import TrainingRow
from preferences.queries.imports.imports import ImportView, oldest_imports_in
from preferences.queries.mailers.reconciliation import Behind, mailers_behind
from preferences.queries.photos.cancelled import how_many_are_mistaken
from preferences.queries.photos.trainings import TRAINING_COLUMNS, TrainingCounts, can_be_reached, training_of

from .bursts import Burst, recent_bursts

SHOWN = 8
LATE_AFTER = timedelta(days=1)
"""How long a mailer may take to confirm an opt-out before somebody should ask."""

TRAININGS_WITHIN = timedelta(days=21)
"""How far ahead a training counts as coming up."""


@dataclass(frozen=True, slots=True)
class DueRequest:
    """A rights request that waits for an answer; nothing personal in it."""

    reference: str
    kind: RightsKind
    state: RightsState
    due_on: date


@dataclass(frozen=True, slots=True)
class OpenTakedown:
    """Something published that somebody wants removed; nothing personal in it."""

    reference: str
    what: TakedownWhat
    state: TakedownState
    requested_on: date
    due_on: date | None
    """By when; None: nobody has said."""
    who: str | None
    """Who on the staff sees to it, by name; None: nobody yet."""


@dataclass(frozen=True, slots=True)
class FailingEndpoint:
    """An endpoint that does not answer, or was disabled because it did not. Its address may hold a secret: not here."""

    id: int
    mailer_key: str
    mailer_name: str
    description: str
    failing_since: datetime | None
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Today:
    """Everything on the page. The counts are of all; the lists hold the first few."""

    requests: list[DueRequest]
    request_count: int
    overdue: int
    takedowns: list[OpenTakedown]
    takedown_count: int
    unplanned_takedowns: int
    trainings: list[TrainingCounts]
    imports: list[ImportView]
    late_mailers: list[Behind]
    endpoints: list[FailingEndpoint]
    bursts: list[Burst]


def requests_by_due_date(session: Session, *, today: date) -> tuple[list[DueRequest], int, int]:
    """The first open requests by due date, how many are open, and how many of them are overdue."""
    is_open = RightsRequestRow.state.in_(OPEN_STATES)
    rows = session.execute(
        select(RightsRequestRow.reference, RightsRequestRow.kind, RightsRequestRow.state, RightsRequestRow.due_on)
        .where(is_open)
        .order_by(RightsRequestRow.due_on, RightsRequestRow.id)
        .limit(SHOWN)
    )
    count = session.scalar(select(func.count()).where(is_open)) or 0
    late = session.scalar(select(func.count()).where(is_open, RightsRequestRow.due_on < today)) or 0
    return [DueRequest(*row) for row in rows], count, late


def takedowns_waiting(session: Session) -> tuple[list[OpenTakedown], int, int]:
    """The first open takedowns, soonest due first, then those without a day; how many there are, and how many without a day."""
    is_open = TakedownRow.state.in_(OPEN_TAKEDOWNS)
    rows = session.execute(
        select(
            TakedownRow.reference,
            TakedownRow.what,
            TakedownRow.state,
            TakedownRow.requested_at,
            TakedownRow.due_on,
            StaffRow.name,
        )
        .outerjoin(StaffRow, StaffRow.id == TakedownRow.assigned_to)
        .where(is_open)
        .order_by(TakedownRow.due_on.is_(None), TakedownRow.due_on, TakedownRow.id)
        .limit(SHOWN)
    )
    found = [OpenTakedown(*row[:3], row[3].date(), *row[4:]) for row in rows]
    count, planned = session.execute(select(func.count(), func.count(TakedownRow.due_on)).where(is_open)).one()
    return found, count, count - planned


def trainings_to_tell_of(session: Session, *, today: date) -> list[TrainingCounts]:
    """What somebody has to tell of, the next training first: within three weeks those of which somebody who can be told has
    not been, or that nobody is on, unless it is cancelled; however far ahead those of whose day or place somebody was told
    wrongly, or whether they take place.
    """
    everybody, told = func.count(ParticipantRow.recipient_id), func.count(ParticipantRow.notified_at)
    untold = and_(
        ParticipantRow.training_id == TrainingRow.id,
        ParticipantRow.notified_at.is_(None),
        ParticipantRow.cancellation_told_at.is_(None),
        exists().where(RecipientRow.id == ParticipantRow.recipient_id, can_be_reached()),
    )
    is_near = TrainingRow.held_on <= today + TRAININGS_WITHIN
    misinformed, mistaken = _misinformed(), how_many_are_mistaken()
    takes_place = TrainingRow.cancelled_at.is_(None)
    columns: tuple[Any, ...] = TRAINING_COLUMNS
    rows = session.execute(
        select(*columns, everybody, told, misinformed, mistaken)
        .outerjoin(ParticipantRow, ParticipantRow.training_id == TrainingRow.id)
        .where(
            TrainingRow.held_on >= today,
            or_(
                is_near,
                *(one.is_not(None) for one in (TrainingRow.moved_at, TrainingRow.cancelled_at, TrainingRow.resumed_at)),
            ),
        )
        .group_by(TrainingRow.id)
        .having(
            or_(
                and_(is_near, takes_place, or_(everybody == 0, exists().where(untold).correlate(TrainingRow))),
                misinformed > 0,
                mistaken > 0,
            )
        )
        .order_by(TrainingRow.held_on, TrainingRow.id)
        .limit(SHOWN)
    )
    return [TrainingCounts(training_of(row), *row[-4:]) for row in rows]


def _misinformed() -> ColumnElement[int]:
    """How many of a training know another day or place and can be told; none, without a look, where it never moved."""
    told = aliased(ParticipantRow)
    asked = (
        select(func.count())
        .select_from(told)
        .join(RecipientRow, RecipientRow.id == told.recipient_id)
        .where(
            told.training_id == TrainingRow.id,
            told.notified_at < TrainingRow.moved_at,
            told.cancellation_told_at.is_(None),
            can_be_reached(),
        )
        .correlate(TrainingRow)
        .scalar_subquery()
    )
    stands = or_(TrainingRow.moved_at.is_(None), TrainingRow.cancelled_at.is_not(None))
    return case((stands, 0), else_=asked)


def late_mailers(session: Session, *, now: datetime) -> list[Behind]:
    """Mailers in use that have not confirmed an opt-out for more than a day, the latest first."""
    found = [one for one in mailers_behind(session) if (waits := one.oldest_opt_out_at) and now - waits > LATE_AFTER]
    return sorted(found, key=lambda one: one.oldest_opt_out_at or now)[:SHOWN]


def failing_endpoints(session: Session) -> list[FailingEndpoint]:
    """Endpoints of mailers in use that fail, or that were disabled because they did; the longest first."""
    rows = session.execute(
        select(
            EndpointRow.id,
            MailerRow.key,
            MailerRow.name,
            EndpointRow.description,
            EndpointRow.failing_since,
            EndpointRow.disabled_at,
        )
        .join(MailerRow, MailerRow.id == EndpointRow.mailer_id)
        .where(
            MailerRow.archived_at.is_(None),
            or_(
                and_(EndpointRow.state == EndpointState.ENABLED, EndpointRow.failing_since.is_not(None)),
                EndpointRow.disabled_reason.in_((DisabledReason.FAILING, DisabledReason.GONE)),
            ),
        )
        .order_by(func.coalesce(EndpointRow.failing_since, EndpointRow.disabled_at), EndpointRow.id)
        .limit(SHOWN)
    )
    return [FailingEndpoint(*row) for row in rows]


def what_needs_somebody(session: Session, *, today: date, now: datetime) -> Today:
    """Everything that waits for a person."""
    requests, request_count, overdue = requests_by_due_date(session, today=today)
    takedowns, takedown_count, unplanned = takedowns_waiting(session)
    waiting = oldest_imports_in(session, {ImportStage.PLANNED, ImportStage.APPLYING}, limit=SHOWN)
    return Today(
        requests=requests,
        request_count=request_count,
        overdue=overdue,
        takedowns=takedowns,
        takedown_count=takedown_count,
        unplanned_takedowns=unplanned,
        trainings=trainings_to_tell_of(session, today=today),
        imports=waiting,
        late_mailers=late_mailers(session, now=now),
        endpoints=failing_endpoints(session),
        bursts=recent_bursts(session, now=now),
    )
