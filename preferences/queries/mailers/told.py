"""Who was told what about one person, and when: by webhook and by the feed, change by change (GDPR 19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, true, tuple_
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import RecipientId
from preferences.domain.events import EventType
from preferences.domain.webhooks import DeliveryOutcome
from preferences.models.endpoint import DeliveryRow, EndpointRow
from preferences.models.ledger import LedgerEntryRow
from preferences.models.mailer import AcknowledgementRow, MailerRow
from preferences.models.outbox import ChangeEventRow


@dataclass(frozen=True, slots=True)
class ByWebhook:
    """One endpoint of a mailer that a change was sent to."""

    mailer: str
    outcome: DeliveryOutcome | None
    """None: it is still being tried."""
    attempts: int
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class ByFeed:
    """A mailer in use, or one that had confirmed before it went; `confirmed_at`: when it said so first, None: not yet."""

    mailer: str
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChangeTold:
    """One change about a person. `purpose_id` and `act` are those of the entry that it tells of, where there is one."""

    id: int
    type: EventType
    entry_id: int | None
    purpose_id: int | None
    act: Act | None
    recorded_at: datetime
    webhooks: Sequence[ByWebhook]
    feed: Sequence[ByFeed]


def changes_told(
    session: Session, recipient_id: RecipientId, *, before: int | None = None, limit: int
) -> list[ChangeTold]:
    """At most `limit` changes about the person, newest first, those below the id `before`; three statements, however many."""
    asked = (
        select(
            ChangeEventRow.id,
            ChangeEventRow.type,
            ChangeEventRow.entry_id,
            LedgerEntryRow.purpose_id,
            LedgerEntryRow.act,
            ChangeEventRow.recorded_at,
        )
        .outerjoin(LedgerEntryRow, LedgerEntryRow.id == ChangeEventRow.entry_id)
        .where(ChangeEventRow.recipient_id == recipient_id)
        .order_by(ChangeEventRow.id.desc())
        .limit(limit)
    )
    if before is not None:
        asked = asked.where(ChangeEventRow.id < before)
    rows = session.execute(asked).all()
    ids = [row.id for row in rows]
    webhooks, feed = _webhooks(session, recipient_id, ids), _feed(session, ids)
    return [ChangeTold(*row, webhooks.get(row.id, ()), feed.get(row.id, ())) for row in rows]


def _webhooks(
    session: Session, recipient_id: RecipientId, ids: Sequence[int]
) -> Mapping[int | None, Sequence[ByWebhook]]:
    found: dict[int | None, list[ByWebhook]] = {}
    asked = (
        select(DeliveryRow.event_id, MailerRow.name, DeliveryRow.outcome, DeliveryRow.attempts, DeliveryRow.done_at)
        .join(EndpointRow, EndpointRow.id == DeliveryRow.endpoint_id)
        .join(MailerRow, MailerRow.id == EndpointRow.mailer_id)
        .where(DeliveryRow.recipient_id == recipient_id, DeliveryRow.event_id.in_(ids))
        .order_by(MailerRow.name, DeliveryRow.id)
    )
    for event_id, name, outcome, attempts, done_at in session.execute(asked):
        found.setdefault(event_id, []).append(ByWebhook(name, outcome, attempts, done_at))
    return found


def _feed(session: Session, ids: Sequence[int]) -> Mapping[int, Sequence[ByFeed]]:
    """A mailer confirms a place in the feed; its first confirmation at or beyond a change is when it had applied that."""
    reached = tuple_(AcknowledgementRow.feed_order, AcknowledgementRow.event_id)
    confirmed_at = (
        select(AcknowledgementRow.acknowledged_at)
        .where(
            AcknowledgementRow.mailer_id == MailerRow.id,
            reached >= tuple_(ChangeEventRow.feed_order, ChangeEventRow.id),
        )
        .order_by(AcknowledgementRow.feed_order, AcknowledgementRow.event_id)
        .limit(1)
        .correlate(MailerRow, ChangeEventRow)
        .scalar_subquery()
    )
    found: dict[int, list[ByFeed]] = {}
    asked = (
        select(ChangeEventRow.id, MailerRow.name, MailerRow.archived_at, confirmed_at)
        .join(MailerRow, true())
        .where(ChangeEventRow.id.in_(ids))
        .order_by(MailerRow.name)
    )
    for event_id, name, archived_at, moment in session.execute(asked):
        if archived_at is None or moment is not None:
            found.setdefault(event_id, []).append(ByFeed(name, moment))
    return found
