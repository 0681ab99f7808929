"""What follows from attempts: done, again later, or given up; and the endpoint goes on, is held, or is disabled with a mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from preferences.domain.webhooks import (
    DISABLE_AFTER,
    LONGEST_RETRY_AFTER,
    AttemptCode,
    DeliveryOutcome,
    DisabledReason,
    hold_of,
    wait_before_next,
)
from preferences.models.endpoint import EndpointRow
from preferences.services.staff.staff_mail import ENDPOINT_DISABLED, enqueue_staff_mail

from .deliveries import Delivery, Tried, finish_deliveries, record_attempts, retry_delivery
from .endpoints import disable_endpoint


def record_outcomes(
    session: Session, endpoint_id: int, tried: Sequence[Tried], *, now: datetime, jitter: Callable[[], float]
) -> None:
    """Record attempts at one endpoint with all that follows. Of an endpoint that was removed meanwhile nothing is kept."""
    known = select(EndpointRow.id).where(EndpointRow.id == endpoint_id).with_for_update(read=True, key_share=True)
    if session.scalar(known) is None:
        return
    record_attempts(session, tried)
    delivered = [one.delivery for one in tried if one.attempt.is_delivered]
    finish_deliveries(session, delivered, DeliveryOutcome.DELIVERED, now=now)
    failed = [one for one in tried if not one.attempt.is_delivered]
    given_up: list[Delivery] = []
    for one in failed:
        wait = wait_before_next(one.delivery.attempts, jitter=jitter())
        if wait is None:
            given_up.append(one.delivery)
            continue
        asked = min(one.attempt.retry_after or timedelta(), LONGEST_RETRY_AFTER)
        retry_delivery(session, one.delivery, next_at=now + max(wait, asked))
    finish_deliveries(session, given_up, DeliveryOutcome.GIVEN_UP, now=now)
    if delivered:
        _recovered(session, endpoint_id)
    if failed:
        _failed(session, endpoint_id, failed, is_dead=not delivered, now=now)


def _recovered(session: Session, endpoint_id: int) -> None:
    session.execute(
        update(EndpointRow)
        .where(EndpointRow.id == endpoint_id, EndpointRow.failing_since.is_not(None))
        .values(failing_since=None, failures=0, held_until=None)
    )


def _failed(session: Session, endpoint_id: int, failed: Sequence[Tried], *, is_dead: bool, now: datetime) -> None:
    """An endpoint that took anything of the batch is not failing, though it may ask for less."""
    failures = 1
    if is_dead:
        row = session.execute(
            update(EndpointRow)
            .where(EndpointRow.id == endpoint_id)
            .values(failures=EndpointRow.failures + 1, failing_since=_since(now))
            .returning(EndpointRow.failures, EndpointRow.failing_since),
            execution_options={"synchronize_session": False},
        ).one()
        failures = row.failures
        if row.failing_since <= now - DISABLE_AFTER:
            _disable(session, endpoint_id, DisabledReason.FAILING, now)
    if any(one.attempt.code is AttemptCode.GONE for one in failed):
        _disable(session, endpoint_id, DisabledReason.GONE, now)
    hold = max(hold_of(one.attempt, failures) for one in failed)
    if hold:
        until = now + hold
        longer = EndpointRow.held_until.is_(None) | (EndpointRow.held_until < until)
        session.execute(update(EndpointRow).where(EndpointRow.id == endpoint_id, longer).values(held_until=until))


def _since(now: datetime) -> object:
    kind = EndpointRow.failing_since.type
    return func.coalesce(EndpointRow.failing_since, bindparam(None, now, kind), type_=kind)


def _disable(session: Session, endpoint_id: int, reason: DisabledReason, now: datetime) -> None:
    if disable_endpoint(session, endpoint_id, reason, now=now):
        parameters = {"endpoint": endpoint_id}
        enqueue_staff_mail(session, ENDPOINT_DISABLED, parameters=parameters, now=now)
