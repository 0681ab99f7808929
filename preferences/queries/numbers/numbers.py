"""What happened in a period, counted by group and never by person. Each query reads the rows of the period once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.esp_events import EspEventType
from preferences.domain.reasons import StopReason
from preferences.domain.suppression import SuppressionReason
from preferences.models.esp import EspEventRow
from preferences.models.ledger import LedgerEntryRow
from preferences.models.sign_up import SignUpRow
from preferences.models.stop_reason import StopReasonRow
from preferences.models.suppression import SuppressionRow

from .by_day import ActCount, MessageCount, answers_in, opt_outs_by_message
from .periods import Period, first_id, stretch_of
from .time_to_tell import TimeToTell, times_to_tell

REASON_WITHIN = timedelta(days=2)
"""A reason is told within a day of the opt-out, so its entry is no older than that."""

REPORTED = (EspEventType.BOUNCED, EspEventType.COMPLAINED)


@dataclass(frozen=True, slots=True)
class FormCount:
    """How many asked through one form, and how many of them confirmed from their mailbox."""

    form_key: str
    asked: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """Everything that is counted of one period."""

    answers: list[ActCount]
    messages: list[MessageCount]
    reasons: list[tuple[StopReason, int]]
    forms: list[FormCount]
    suppressions: list[tuple[int, SuppressionReason, int]]
    reported: list[tuple[int, EspEventType, int]]
    told: list[TimeToTell]


def numbers_in(session: Session, period: Period, *, purpose_id: int | None = None) -> Numbers:
    """The numbers of a period; acts, messages and reasons about one purpose or all. For a session of `snapshot()`."""
    return Numbers(
        answers=answers_in(session, period, purpose_id=purpose_id),
        messages=opt_outs_by_message(session, period, purpose_id=purpose_id),
        reasons=reasons_in(session, period, purpose_id=purpose_id),
        forms=sign_ups_in(session, period),
        suppressions=suppressions_in(session, period),
        reported=reported_in(session, period),
        told=times_to_tell(session, period),
    )


def reasons_in(session: Session, period: Period, *, purpose_id: int | None = None) -> list[tuple[StopReason, int]]:
    """The reasons given in the period, the largest number first."""
    row, count = StopReasonRow, func.count()
    counted = (
        select(row.reason, count)
        .where(
            row.entry_id >= first_id(session, LedgerEntryRow, period.since - REASON_WITHIN),
            row.recorded_at >= period.since,
            row.recorded_at < period.until,
        )
        .group_by(row.reason)
        .order_by(count.desc(), row.reason)
    )
    if purpose_id is not None:
        counted = counted.where(row.purpose_id == purpose_id)
    return [(reason, number) for reason, number in session.execute(counted)]


def sign_ups_in(session: Session, period: Period) -> list[FormCount]:
    """By form: how many asked in the period, and how many of those have confirmed. Only what is still stored."""
    asked = func.count().label("asked")
    counted = (
        select(SignUpRow.form_key, asked, func.count(SignUpRow.confirmed_at))
        .where(SignUpRow.asked_at >= period.since, SignUpRow.asked_at < period.until)
        .group_by(SignUpRow.form_key)
        .order_by(asked.desc(), SignUpRow.form_key)
    )
    return [FormCount(*row) for row in session.execute(counted)]


def suppressions_in(session: Session, period: Period) -> list[tuple[int, SuppressionReason, int]]:
    """Addresses stopped in the period, lifted since or not: stretch, reason, count."""
    row = SuppressionRow
    stretch = stretch_of(session, period, row.created_at).label("stretch")
    counted = (
        select(stretch, row.reason, func.count())
        .where(row.created_at >= period.since, row.created_at < period.until)
        .group_by("stretch", row.reason)
    )
    return [(number, reason, count) for number, reason, count in session.execute(counted)]


def reported_in(
    session: Session, period: Period, types: Collection[EspEventType] = REPORTED
) -> list[tuple[int, EspEventType, int]]:
    """Events of these types that mail services reported in the period: stretch, type, count. Only what is still stored."""
    row = EspEventRow
    stretch = stretch_of(session, period, row.received_at).label("stretch")
    counted = (
        select(stretch, row.type, func.count())
        .where(row.received_at >= period.since, row.received_at < period.until, row.type.in_(types))
        .group_by("stretch", row.type)
    )
    return [(number, kind, count) for number, kind, count in session.execute(counted)]
