"""What went out about a person, and what was recorded for mailers: from the outbox and the change events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.esp_events import EspEventType, Severity
from preferences.domain.events import EventType
from preferences.models.esp import EspEventRow
from preferences.models.mailer import MailerRow
from preferences.models.outbox import ChangeEventRow, JobKind, OutboxJobRow
from preferences.models.step_up import StepUpRow
from preferences.queries.recipients.recipients import RecipientView


@dataclass(frozen=True, slots=True)
class OwnMailEntry:
    """One mail of the service to the person. Finished ones are forgotten after 30 days."""

    template: str | None
    """Which mail; None once it is no longer described."""
    purpose_key: str | None
    created_at: datetime
    done_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class StepUpEntry:
    """One time that own data was asked for."""

    asked_at: datetime
    opened_at: datetime | None
    ended_at: datetime | None
    wrong_codes: int


@dataclass(frozen=True, slots=True)
class Told:
    """One change recorded for the mailers. `entry_id` is the act it tells of, where there is one."""

    type: EventType
    entry_id: int | None
    data: Mapping[str, Any]
    recorded_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class OwnReport:
    """One thing that a mail service reported about mail to the person's address."""

    mailer: str | None
    provider: str
    type: EspEventType
    native: str
    severity: Severity | None
    received_at: datetime
    done_at: datetime | None
    outcome: str | None
    payload: Mapping[str, Any] | None
    """As it was reported; None once it is forgotten."""


def own_mails(session: Session, recipient_id: RecipientId, *, limit: int | None = None) -> list[OwnMailEntry]:
    """The service's mails to a person, newest first. Codes and contents are left out: the person has them in the mailbox."""
    rows = session.execute(
        select(OutboxJobRow.payload, OutboxJobRow.created_at, OutboxJobRow.done_at, OutboxJobRow.outcome)
        .where(OutboxJobRow.recipient_id == recipient_id, OutboxJobRow.kind == JobKind.MAIL)
        .order_by(OutboxJobRow.id.desc())
        .limit(limit)
    )
    return [
        OwnMailEntry(_text(payload.get("template")), _text(payload.get("purpose")), created_at, done_at, outcome)
        for payload, created_at, done_at, outcome in rows
    ]


def step_ups(session: Session, recipient_id: RecipientId) -> list[StepUpEntry]:
    """When own data was asked for and opened in the last 30 days, newest first."""
    rows = session.execute(
        select(StepUpRow.asked_at, StepUpRow.opened_at, StepUpRow.ended_at, StepUpRow.attempts)
        .where(StepUpRow.recipient_id == recipient_id)
        .order_by(StepUpRow.id.desc())
    )
    return [StepUpEntry(*row) for row in rows]


def told(session: Session, recipient_id: RecipientId, *, limit: int | None = None) -> list[Told]:
    """The changes recorded for mailers, newest first."""
    rows = session.execute(
        select(ChangeEventRow.type, ChangeEventRow.entry_id, ChangeEventRow.data, ChangeEventRow.recorded_at)
        .where(ChangeEventRow.recipient_id == recipient_id)
        .order_by(ChangeEventRow.id.desc())
        .limit(limit)
    )
    return [Told(kind, entry_id, data or {}, recorded_at) for kind, entry_id, data, recorded_at in rows]


def own_reports(session: Session, recipient: RecipientView) -> list[OwnReport]:
    """What the senders' mail services reported about mail to the address, newest first, as long as it is kept."""
    rows = session.execute(
        select(
            MailerRow.key,
            EspEventRow.provider,
            EspEventRow.type,
            EspEventRow.native,
            EspEventRow.severity,
            EspEventRow.received_at,
            EspEventRow.done_at,
            EspEventRow.outcome,
            EspEventRow.payload,
        )
        .outerjoin(MailerRow, MailerRow.id == EspEventRow.mailer_id)
        .where(EspEventRow.address_index == recipient.address_index)
        .order_by(EspEventRow.id.desc())
    )
    return [OwnReport(*row) for row in rows]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
