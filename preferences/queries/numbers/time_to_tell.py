"""How long mailers took to hear of an opt-out: until a webhook got through or the mailer said that it has applied it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, FromClause, func, select, tuple_
from sqlalchemy.orm import Session

from preferences.domain.acts import REDUCTIONS
from preferences.domain.webhooks import DeliveryOutcome
from preferences.models.endpoint import DeliveryRow, EndpointRow
from preferences.models.ledger import LedgerEntryRow
from preferences.models.mailer import AcknowledgementRow, MailerRow
from preferences.models.outbox import ChangeEventRow
from preferences.queries.mailers.mailers import MailerView, mailers

from .periods import Period, events_of

MOST_CHANGES = 50_000
"""So many of the newest changes of the period are looked through for opt-outs."""

MOST_OPT_OUTS = 1_000
"""So many of the newest opt-outs are followed to every mailer."""


@dataclass(frozen=True, slots=True)
class TimeToTell:
    """How long one mailer took, over the opt-outs that it has heard of; and how many it has not."""

    mailer: MailerView
    told: int
    waiting: int
    median: timedelta | None
    p95: timedelta | None


def times_to_tell(session: Session, period: Period) -> list[TimeToTell]:
    """Every mailer in use, by name: over the newest opt-outs since it was added. One statement for all of them."""
    newest, mailer = _newest_opt_outs(session, period), MailerRow
    rows = session.execute(
        select(mailer.id, newest.c.recorded_at, _acknowledged(mailer, newest.c), _delivered(mailer, newest.c))
        .join(mailer, newest.c.recorded_at >= mailer.created_at)
        .where(mailer.archived_at.is_(None))
    )
    times: dict[int, list[timedelta]] = {}
    waiting: Counter[int] = Counter()
    for mailer_id, recorded_at, *heard in rows:
        first: datetime | None = min((one for one in heard if one is not None), default=None)
        if first is None:
            waiting[mailer_id] += 1
        else:
            times.setdefault(mailer_id, []).append(max(first - recorded_at, timedelta()))
    return [
        TimeToTell(one, len(known), waiting[one.id], share(known, 0.5), share(known, 0.95))
        for one in mailers(session)
        if one.archived_at is None
        for known in [times.get(one.id, [])]
    ]


def share(times: list[timedelta], part: float) -> timedelta | None:
    """The time within which this part of them lie (nearest rank); None of nothing."""
    return sorted(times)[ceil(part * len(times)) - 1] if times else None


def _newest_opt_outs(session: Session, period: Period) -> FromClause:
    event = ChangeEventRow
    looked_at = (
        select(event.id, event.feed_order, event.recorded_at, event.entry_id)
        .where(*events_of(session, period.since, period.until), event.entry_id.is_not(None))
        .order_by(event.id.desc())
        .limit(MOST_CHANGES)
        .subquery()
    )
    return (
        select(looked_at.c.id, looked_at.c.feed_order, looked_at.c.recorded_at)
        .join(LedgerEntryRow, LedgerEntryRow.id == looked_at.c.entry_id)
        .where(LedgerEntryRow.act.in_(REDUCTIONS))
        .order_by(looked_at.c.id.desc())
        .limit(MOST_OPT_OUTS)
        .subquery("opt_outs")
    )


def _acknowledged(mailer: type[MailerRow], one: Any) -> ColumnElement[Any]:
    row = AcknowledgementRow
    return (
        select(row.acknowledged_at)
        .where(row.mailer_id == mailer.id, tuple_(row.feed_order, row.event_id) >= tuple_(one.feed_order, one.id))
        .order_by(row.feed_order, row.event_id)
        .limit(1)
        .scalar_subquery()
    )


def _delivered(mailer: type[MailerRow], one: Any) -> ColumnElement[Any]:
    return (
        select(func.min(DeliveryRow.done_at))
        .join(EndpointRow, EndpointRow.id == DeliveryRow.endpoint_id)
        .where(
            EndpointRow.mailer_id == mailer.id,
            DeliveryRow.event_id == one.id,
            DeliveryRow.outcome == DeliveryOutcome.DELIVERED,
        )
        .scalar_subquery()
    )
