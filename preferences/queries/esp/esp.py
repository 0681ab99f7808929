"""Hooks that ESPs call, and counts of what they reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from preferences.domain.capability import RecipientId
from preferences.domain.esp_events import EspEventType, Severity
from preferences.models.esp import EspEventRow, EspHookRow
from preferences.models.mailer import MailerRow
from preferences.models.recipient import RecipientRow


@dataclass(frozen=True, slots=True, repr=False)
class HookView:
    """A hook with its secrets; never logged."""

    mailer_id: int
    mailer_key: str
    provider: str
    secrets: Mapping[str, Any]
    former_secrets: Mapping[str, Any] | None
    former_until: datetime | None
    purpose_id: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EventCount:
    """How many events of one kind a hook has reported, and how many of them wait."""

    mailer_id: int
    provider: str
    type: EspEventType
    native: str
    count: int
    waiting: int


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """An event that a hook has reported, without what it says of anybody. `done_at` None: it waits for the worker."""

    type: EspEventType
    native: str
    received_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class SoftBounces:
    """How often mail to an address came back for the moment. `recipient_id` None: the address is no recipient's."""

    recipient_id: RecipientId | None
    count: int
    last_at: datetime


_HOOK = (
    EspHookRow.mailer_id,
    MailerRow.key,
    EspHookRow.provider,
    EspHookRow.secrets,
    EspHookRow.former_secrets,
    EspHookRow.former_until,
    EspHookRow.purpose_id,
    EspHookRow.created_at,
)


def hooks(session: Session) -> list[HookView]:
    """Every hook, by mailer and provider."""
    found = select(*_HOOK).join(MailerRow, EspHookRow.mailer_id == MailerRow.id)
    return [HookView(*row) for row in session.execute(found.order_by(MailerRow.key, EspHookRow.provider))]


def hook_of(session: Session, mailer_key: str, provider: str) -> HookView | None:
    """The hook of a mailer at a provider."""
    found = select(*_HOOK).join(MailerRow, EspHookRow.mailer_id == MailerRow.id)
    row = session.execute(found.where(MailerRow.key == mailer_key, EspHookRow.provider == provider)).one_or_none()
    return None if row is None else HookView(*row)


def purpose_of_hook(session: Session, mailer_id: int, provider: str) -> int | None:
    """What mail through the hook is about; None where that is not said, or the hook is gone."""
    return session.scalar(
        select(EspHookRow.purpose_id).where(EspHookRow.mailer_id == mailer_id, EspHookRow.provider == provider)
    )


def event_counts(session: Session) -> list[EventCount]:
    """What was reported and is still on record, by hook and type."""
    kind = (EspEventRow.mailer_id, EspEventRow.provider, EspEventRow.type, EspEventRow.native)
    waiting = func.count().filter(EspEventRow.done_at.is_(None))
    rows = session.execute(select(*kind, func.count(), waiting).group_by(*kind).order_by(*kind))
    return [EventCount(*row) for row in rows]


def newest_events(session: Session, mailer_id: int, provider: str, *, limit: int) -> list[ReportedEvent]:
    """What a hook has reported last, newest first."""
    rows = session.execute(
        select(EspEventRow.type, EspEventRow.native, EspEventRow.received_at, EspEventRow.done_at)
        .where(EspEventRow.mailer_id == mailer_id, EspEventRow.provider == provider)
        .order_by(EspEventRow.received_at.desc(), EspEventRow.id.desc())
        .limit(limit)
    )
    return [ReportedEvent(*row) for row in rows]


def hooks_with_last_event(session: Session) -> list[tuple[int, str, ReportedEvent | None]]:
    """Every hook in use by its mailer's id and provider, with the last that it reported: one probe of an index for each."""
    hook, event, other = EspHookRow, EspEventRow, aliased(EspEventRow)
    newest = (
        select(other.id)
        .where(other.mailer_id == hook.mailer_id, other.provider == hook.provider)
        .order_by(other.received_at.desc(), other.id.desc())
        .limit(1)
        .correlate(hook)
        .scalar_subquery()
    )
    rows = session.execute(
        select(hook.mailer_id, hook.provider, event.type, event.native, event.received_at, event.done_at)
        .outerjoin(event, event.id == newest)
        .order_by(hook.mailer_id, hook.provider)
    )
    return [(row[0], row[1], None if row[2] is None else ReportedEvent(*row[2:])) for row in rows]


def soft_bounces(session: Session, *, since: datetime, at_least: int) -> list[SoftBounces]:
    """Addresses whose mail came back for the moment at least so often, most often first."""
    times, last_at = func.count(), func.max(EspEventRow.received_at)
    rows = session.execute(
        select(RecipientRow.id, times, last_at)
        .select_from(EspEventRow)
        .outerjoin(RecipientRow, RecipientRow.address_index == EspEventRow.address_index)
        .where(
            EspEventRow.severity == Severity.SOFT,
            EspEventRow.received_at >= since,
            EspEventRow.address_index.is_not(None),
        )
        .group_by(EspEventRow.address_index, RecipientRow.id)
        .having(times >= at_least)
        .order_by(times.desc(), last_at.desc())
        .limit(1000)
    )
    return [SoftBounces(None if row[0] is None else RecipientId(row[0]), row[1], row[2]) for row in rows]
