"""Which mailers have said that they applied what changed, how far behind the others are, and since when an opt-out waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import Session

from preferences.domain.acts import REDUCTIONS
from preferences.domain.capability import RecipientId
from preferences.domain.events import EventType
from preferences.domain.feed import START, FeedPosition
from preferences.models.ledger import LedgerEntryRow
from preferences.models.mailer import AcknowledgementRow
from preferences.models.outbox import ChangeEventRow

from .changes import in_order, is_final, lies_after, newest_position
from .mailers import MailerView, mailers

MOST_COUNTED = 100_000
"""Further behind than this is «more than»: nobody acts on the difference, and counting takes time."""

_ALWAYS_LESS = (EventType.RECIPIENT_STOPPED, EventType.RECIPIENT_SUPPRESSED, EventType.RECIPIENT_ERASED)
_ALSO_LESS = EventType.RECIPIENT_RESTRICTED


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Where a mailer stands: it has applied everything up to this place. `at` is None where it never said so."""

    position: FeedPosition
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Behind:
    """A mailer in use and what it has not acknowledged. `changes` counts to MOST_COUNTED + 1."""

    mailer: MailerView
    acknowledged: Acknowledged
    changes: int
    oldest_opt_out_at: datetime | None
    """When the oldest opt-out among them was recorded; None: there is none."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Whether and since when a mailer in use has applied a certain change."""

    mailer: MailerView
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class OptOutTold:
    """The newest change by which a person allowed less, and who has applied it."""

    type: EventType
    entry_id: int | None
    recorded_at: datetime
    confirmations: tuple[Confirmation, ...]


def acknowledged_by(session: Session, mailer_id: int) -> Acknowledged:
    """How far this mailer has said that it is."""
    row = session.execute(
        select(AcknowledgementRow.feed_order, AcknowledgementRow.event_id, AcknowledgementRow.acknowledged_at)
        .where(AcknowledgementRow.mailer_id == mailer_id)
        .order_by(AcknowledgementRow.feed_order.desc(), AcknowledgementRow.event_id.desc())
        .limit(1)
    ).first()
    return Acknowledged(START, None) if row is None else Acknowledged(FeedPosition(row[0], row[1]), row[2])


def mailers_behind(session: Session) -> list[Behind]:
    """Every mailer in use, by name, with what it has not acknowledged."""
    return [behind_of(session, one) for one in mailers(session) if one.archived_at is None]


def behind_of(session: Session, mailer: MailerView) -> Behind:
    """What one mailer has not acknowledged."""
    acknowledged = acknowledged_by(session, mailer.id)
    if acknowledged.position >= newest_position(session):
        return Behind(mailer, acknowledged, 0, None)
    waiting = select(ChangeEventRow.id).where(lies_after(session, acknowledged.position), is_final(session))
    count = session.scalar(select(func.count()).select_from(waiting.limit(MOST_COUNTED + 1).subquery()))
    oldest = session.scalar(
        select(ChangeEventRow.recorded_at)
        .outerjoin(LedgerEntryRow, LedgerEntryRow.id == ChangeEventRow.entry_id)
        .where(_allows_less(), lies_after(session, acknowledged.position), is_final(session))
        .order_by(*in_order(session))
        .limit(1)
    )
    return Behind(mailer, acknowledged, count or 0, oldest)


def newest_opt_out_told(session: Session, recipient_id: RecipientId) -> OptOutTold | None:
    """The newest change by which a person allowed less, with every mailer in use and when it applied it; None: none such."""
    row = session.execute(
        select(
            ChangeEventRow.type,
            ChangeEventRow.entry_id,
            ChangeEventRow.recorded_at,
            ChangeEventRow.feed_order,
            ChangeEventRow.id,
        )
        .outerjoin(LedgerEntryRow, LedgerEntryRow.id == ChangeEventRow.entry_id)
        .where(ChangeEventRow.recipient_id == recipient_id, _allows_less())
        .order_by(*[column.desc() for column in in_order(session)])
        .limit(1)
    ).first()
    if row is None:
        return None
    rows = session.execute(
        select(AcknowledgementRow.mailer_id, func.min(AcknowledgementRow.acknowledged_at))
        .where(tuple_(AcknowledgementRow.feed_order, AcknowledgementRow.event_id) >= tuple_(row[3], row[4]))
        .group_by(AcknowledgementRow.mailer_id)
    )
    found = {one.mailer_id: one[1] for one in rows}
    told = tuple(Confirmation(one, found.get(one.id)) for one in mailers(session) if one.archived_at is None)
    return OptOutTold(row[0], row[1], row[2], told)


def _allows_less() -> ColumnElement[bool]:
    return or_(
        ChangeEventRow.type.in_((*_ALWAYS_LESS, _ALSO_LESS)),
        LedgerEntryRow.act.in_(REDUCTIONS),
    )
