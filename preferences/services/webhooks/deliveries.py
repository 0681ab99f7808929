"""The worker's side of webhooks: claim what is due, record what came of it, let go.

At least once, in order for each recipient: a delivery is due only when no earlier one of the same recipient and endpoint is
left. A worker that dies leaves claims that run out. On PostgreSQL any number of workers claim side by side (SKIP LOCKED).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, delete, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from preferences.domain.webhooks import Attempt, DeliveryOutcome, EndpointState, message_id
from preferences.models.bulk import among_ids, bulk_insert, stored_moment
from preferences.models.crypto import keyring
from preferences.models.endpoint import AttemptRow, DeliveryRow, EndpointRow
from preferences.models.mailer import MailerRow

LEASE = timedelta(minutes=2)
"""How long a claim lasts: many times what one call may take."""
KEPT_FOR = timedelta(days=30)
"""How long finished deliveries and attempts are kept; what waits for a disabled endpoint, as long."""
PORTION = 100_000
"""How many rows of a kind are deleted at a time."""

_ATTEMPT = (
    *("endpoint_id", "delivery_id", "event_id", "number", "attempted_at", "code", "status", "latency_ms", "excerpt"),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One claimed delivery. `attempts` counts this one."""

    id: int
    endpoint_id: int
    event_id: int | None
    attempts: int
    created_at: datetime
    claimed_until: datetime

    @property
    def message_id(self) -> str:
        """`webhook-id`."""
        return message_id(self.event_id, self.id)


@dataclass(frozen=True, slots=True)
class Tried:
    """A delivery that was tried, and when."""

    delivery: Delivery
    attempt: Attempt
    at: datetime


def endpoints_with_work(session: Session, *, now: datetime) -> list[tuple[int, int]]:
    """The endpoints that may be called now and have something due, each with its failures in a row: one indexed probe each."""
    due = exists(select(DeliveryRow.id).where(DeliveryRow.endpoint_id == EndpointRow.id, *_due(now)))
    found = select(EndpointRow.id, EndpointRow.failures).where(*_callable(now), due)
    return [(row.id, row.failures) for row in session.execute(found)]


def claim_deliveries(session: Session, endpoint_id: int, *, limit: int, now: datetime) -> list[Delivery]:
    """Claim up to `limit` due deliveries, the longest due first. Each claim counts as an attempt."""
    earlier = aliased(DeliveryRow)
    # A scalar subquery, not EXISTS, and `outcome`, not `done_at` (they go together): PostgreSQL then probes the index of each
    # person for the few rows it claims, whatever its statistics say, and neither hashes nor walks the backlog.
    waits_for = (
        select(earlier.id)
        .where(
            earlier.recipient_id == DeliveryRow.recipient_id,
            earlier.endpoint_id == DeliveryRow.endpoint_id,
            earlier.event_id < DeliveryRow.event_id,
            earlier.outcome.is_(None),
        )
        .limit(1)
        .scalar_subquery()
    )
    due = (
        select(DeliveryRow.id)
        .where(DeliveryRow.endpoint_id == endpoint_id, *_due(now), waits_for.is_(None))
        .order_by(DeliveryRow.next_at, DeliveryRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(select(due.c.id)))
        .values(claimed_until=now + LEASE, attempts=DeliveryRow.attempts + 1)
        .returning(
            DeliveryRow.id,
            DeliveryRow.endpoint_id,
            DeliveryRow.event_id,
            DeliveryRow.attempts,
            DeliveryRow.created_at,
            DeliveryRow.claimed_until,
        ),
        execution_options={"synchronize_session": False},
    )
    return sorted((Delivery(*cast("tuple[Any, ...]", row)) for row in rows), key=lambda one: one.id)


def record_attempts(session: Session, tried: Sequence[Tried]) -> None:
    """Keep what was tried."""
    moment = stored_moment(session)
    rows = [
        (
            one.delivery.endpoint_id,
            one.delivery.id,
            one.delivery.event_id,
            one.delivery.attempts,
            moment(one.at),
            one.attempt.code.value,
            one.attempt.status,
            round(one.attempt.latency.total_seconds() * 1000),
            keyring().encrypt(one.attempt.excerpt.encode(), b"webhook_attempts.excerpt")
            if one.attempt.excerpt
            else None,
        )
        for one in tried
    ]
    bulk_insert(session, AttemptRow.__table__, _ATTEMPT, rows)


def finish_deliveries(
    session: Session, deliveries: Sequence[Delivery], outcome: DeliveryOutcome, *, now: datetime
) -> None:
    """These are over. Holds although a claim may have run out meanwhile: what was delivered is delivered."""
    if deliveries:
        session.execute(
            update(DeliveryRow)
            .where(among_ids(session, DeliveryRow.id, [one.id for one in deliveries]), DeliveryRow.done_at.is_(None))
            .values(done_at=now, outcome=outcome, claimed_until=None),
            execution_options={"synchronize_session": False},
        )


def retry_delivery(session: Session, delivery: Delivery, *, next_at: datetime) -> None:
    """Try again from `next_at` on, unless another worker has claimed it meanwhile."""
    session.execute(
        update(DeliveryRow).where(*_still_ours(delivery)).values(next_at=next_at, claimed_until=None),
        execution_options={"synchronize_session": False},
    )


def release_deliveries(session: Session, deliveries: Sequence[Delivery]) -> None:
    """Give back what was claimed and not begun; it does not count as an attempt."""
    for one in deliveries:
        session.execute(
            update(DeliveryRow).where(*_still_ours(one)).values(claimed_until=None, attempts=DeliveryRow.attempts - 1),
            execution_options={"synchronize_session": False},
        )


def forget_answers_about(session: Session, recipient_id: int) -> None:
    """Forget what endpoints answered to messages about an erased person: an answer may repeat an address."""
    about = select(DeliveryRow.id).where(DeliveryRow.recipient_id == recipient_id)
    session.execute(update(AttemptRow).where(AttemptRow.delivery_id.in_(about)).values(excerpt=None))


def forget_old_deliveries(session: Session, *, now: datetime) -> int:
    """Delete attempts and finished deliveries of more than 30 days ago, what a disabled endpoint has not taken in all that
    time, and what was on its way to one that is removed; a portion of each."""
    until = now - KEPT_FOR
    known = select(EndpointRow.id)
    disabled = select(EndpointRow.id).where(EndpointRow.disabled_at < until)
    waiting = select(DeliveryRow.id).where(DeliveryRow.done_at.is_(None))
    attempts = select(AttemptRow.id).where(AttemptRow.attempted_at < until)
    deliveries = (
        select(DeliveryRow.id).where(DeliveryRow.done_at < until),
        waiting.where(DeliveryRow.endpoint_id.in_(disabled), DeliveryRow.created_at < until),
        waiting.where(DeliveryRow.endpoint_id.not_in(known)),
    )
    statements = [delete(AttemptRow).where(AttemptRow.id.in_(attempts.limit(PORTION)))]
    statements += [delete(DeliveryRow).where(DeliveryRow.id.in_(ids.limit(PORTION))) for ids in deliveries]
    return sum(session.execute(one).rowcount for one in statements)  # type: ignore[attr-defined]


def _callable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Enabled, not held, and its mailer in use."""
    held = or_(EndpointRow.held_until.is_(None), EndpointRow.held_until <= now)
    archived = select(MailerRow.id).where(MailerRow.archived_at.is_not(None))
    return (EndpointRow.state == EndpointState.ENABLED, held, EndpointRow.mailer_id.not_in(archived))


def _due(now: datetime) -> tuple[Any, ...]:
    return (
        DeliveryRow.done_at.is_(None),
        DeliveryRow.next_at <= now,
        or_(DeliveryRow.claimed_until.is_(None), DeliveryRow.claimed_until < now),
    )


def _still_ours(one: Delivery) -> tuple[Any, ...]:
    return (
        DeliveryRow.id == one.id,
        DeliveryRow.done_at.is_(None),
        DeliveryRow.claimed_until == one.claimed_until,
    )
