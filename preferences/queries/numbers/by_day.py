"""What has been counted by day, and where counting the ledger itself has to go on.

For a session of `snapshot()`: what is counted by day and what is not yet must be of one moment, or an entry would be counted
twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlalchemy.orm import Session

from preferences.domain.acts import GRANTS, Act, Method
from preferences.models.daily_numbers import CountedRow, DailyActsRow, DailyOptOutsRow
from preferences.models.ledger import LedgerEntryRow
from preferences.models.mailer import MailerRow
from preferences.models.message import MessageRow

from .opt_out_counts import OPT_OUTS
from .periods import Period, entries_of, stretch_of

MOST_MESSAGES = 20
ANSWERS = (*sorted(GRANTS), *OPT_OUTS)


@dataclass(frozen=True, slots=True)
class ActCount:
    """How many acts of one kind a stretch of the period holds, for one purpose and one way they came."""

    stretch: int
    purpose_id: int
    act: Act
    method: Method
    count: int

    @property
    def is_yes(self) -> bool:
        """Whether the act allows something."""
        return self.act in GRANTS


@dataclass(frozen=True, slots=True)
class MessageCount:
    """How many opted out by the links of one message. `mailer` is None for mail of our own."""

    message_id: int
    reference: str | None
    mailer: str | None
    count: int


def counted_upto(session: Session, zone: str) -> int:
    """Every entry up to this id has been counted by the days of this time zone; 0 where none was."""
    return session.scalar(select(CountedRow.entry_id).where(CountedRow.zone == zone)) or 0


def answers_in(session: Session, period: Period, *, purpose_id: int | None = None) -> list[ActCount]:
    """Every yes and no of the period, about one purpose or all."""
    entry, day, upto = LedgerEntryRow, DailyActsRow, counted_upto(session, period.zone)

    def counted(rows: Any, moment: Any, number: Any, *where: ColumnElement[bool]) -> Select[Any]:
        stretch = stretch_of(session, period, moment).label("stretch")
        return (
            select(stretch, rows.purpose_id, rows.act, rows.method, number.label("number"))
            .where(*where, rows.act.in_(ANSWERS), *_about(rows, purpose_id))
            .group_by("stretch", rows.purpose_id, rows.act, rows.method)
        )

    parts = [counted(entry, entry.recorded_at, func.count(), *entries_of(session, period.since, period.until, upto))]
    if upto:
        parts.append(counted(day, day.day_began_at, func.sum(day.number), *_days_of(day, period)))
    both = union_all(*parts).subquery()
    kind = (both.c.stretch, both.c.purpose_id, both.c.act, both.c.method)
    rows = session.execute(select(*kind, func.sum(both.c.number)).group_by(*kind))
    return [ActCount(stretch, about, act, method, int(count)) for stretch, about, act, method, count in rows]


def opt_outs_by_message(session: Session, period: Period, *, purpose_id: int | None = None) -> list[MessageCount]:
    """The messages whose links were used most to opt out."""
    entry, day, upto = LedgerEntryRow, DailyOptOutsRow, counted_upto(session, period.zone)
    parts = [
        select(entry.reference.label("message_id"), func.count().label("number"))
        .where(
            *entries_of(session, period.since, period.until, upto),
            entry.act.in_(OPT_OUTS),
            entry.reference > 0,
            *_about(entry, purpose_id),
        )
        .group_by(entry.reference)
    ]
    if upto:
        parts.append(
            select(day.message_id, func.sum(day.number))
            .where(*_days_of(day, period), *_about(day, purpose_id))
            .group_by(day.message_id)
        )
    both = union_all(*parts).subquery()
    used = func.sum(both.c.number).label("used")
    most = (
        select(both.c.message_id, used)
        .group_by(both.c.message_id)
        .order_by(used.desc(), both.c.message_id)
        .limit(MOST_MESSAGES)
        .subquery()
    )
    rows = session.execute(
        select(most.c.message_id, MessageRow.reference, MailerRow.name, most.c.used)
        .select_from(most)
        .outerjoin(MessageRow, MessageRow.id == most.c.message_id)
        .outerjoin(MailerRow, MailerRow.id == MessageRow.mailer_id)
        .order_by(most.c.used.desc(), most.c.message_id)
    )
    return [MessageCount(message_id, name, mailer, int(count)) for message_id, name, mailer, count in rows]


def _days_of(rows: type[DailyActsRow | DailyOptOutsRow], period: Period) -> list[ColumnElement[bool]]:
    """The days that begin in the period: it is made of whole ones, or nothing is counted by day."""
    return [rows.day_began_at >= period.since, rows.day_began_at < period.until]


def _about(rows: Any, purpose_id: int | None) -> list[ColumnElement[bool]]:
    return [] if purpose_id is None else [rows.purpose_id == purpose_id]
