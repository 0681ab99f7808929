"""Which mailers have said that they applied what changed, how far behind the others are, and since when an opt-out waits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, not_, or_, select, tuple_, union_all
from sqlalchemy.orm import Session

from preferences.domain.acts import REDUCTIONS
from preferences.domain.capability import RecipientId
from preferences.domain.events import EventType
from preferences.domain.feed import START, FeedPosition
from preferences.models.ledger import LedgerEntryRow
from preferences.models.mailer import AcknowledgementRow, MailerRow
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
    return _behind(session, [one for one in mailers(session) if one.archived_at is None])


def behind_of(session: Session, mailer: MailerView) -> Behind:
    """What one mailer has not acknowledged."""
    return _behind(session, [mailer])[0]


def _behind(session: Session, wanted: Sequence[MailerView]) -> list[Behind]:
    """A few statements, however many mailers: those that stand at the same place wait for the same."""
    stand, newest = _acknowledged(session, [one.id for one in wanted]), newest_position(session)
    places = sorted({stand[one.id].position for one in wanted if stand[one.id].position < newest})
    waiting = _waiting_after(session, places)
    return [Behind(one, stand[one.id], *waiting.get(stand[one.id].position, (0, None))) for one in wanted]


def _acknowledged(session: Session, wanted: Collection[int]) -> dict[int, Acknowledged]:
    """Where each of these mailers stands."""
    mailer, row = MailerRow, AcknowledgementRow

    def furthest(column: Any) -> Any:
        found = select(column).where(row.mailer_id == mailer.id)
        return found.order_by(row.feed_order.desc(), row.event_id.desc()).limit(1).scalar_subquery()

    rows = session.execute(
        select(mailer.id, furthest(row.feed_order), furthest(row.event_id), furthest(row.acknowledged_at)).where(
            mailer.id.in_(wanted)
        )
    )
    return {
        mailer_id: Acknowledged(START if order is None else FeedPosition(order, event_id), at)
        for mailer_id, order, event_id, at in rows
    }


def _waiting_after(session: Session, places: Sequence[FeedPosition]) -> dict[FeedPosition, tuple[int, datetime | None]]:
    """For each place in the feed: how many changes come after it, and when the first opt-out among them was recorded."""
    if not places:
        return {}

    def after(number: int, place: FeedPosition) -> Select[Any]:
        changes = select(ChangeEventRow.id).where(lies_after(session, place), is_final(session)).limit(MOST_COUNTED + 1)
        oldest = (
            select(ChangeEventRow.recorded_at)
            .outerjoin(LedgerEntryRow, LedgerEntryRow.id == ChangeEventRow.entry_id)
            .where(_allows_less(), lies_after(session, place), is_final(session))
            .order_by(*in_order(session))
            .limit(1)
        )
        count = select(func.count()).select_from(changes.subquery())
        return select(literal(number), count.scalar_subquery(), oldest.scalar_subquery())

    rows = session.execute(union_all(*(after(number, place) for number, place in enumerate(places))))
    return {places[number]: (count, oldest) for number, count, oldest in rows}


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
    """The end of a stop is told under the type of the stop, and allows more."""
    is_end = and_(
        ChangeEventRow.type == EventType.RECIPIENT_SUPPRESSED,
        func.coalesce(ChangeEventRow.data["ended"].as_boolean(), false()),
    )
    return or_(
        and_(ChangeEventRow.type.in_((*_ALWAYS_LESS, _ALSO_LESS)), not_(is_end)),
        LedgerEntryRow.act.in_(REDUCTIONS),
    )
