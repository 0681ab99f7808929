"""Writes what others must be told, in the transaction of the change itself. The worker delivers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.events import EventType
from preferences.models.outbox import ChangeEventRow, JobKind, OutboxJobRow

from .fan_out import fan_out


def tell_change(
    session: Session,
    event: EventType,
    *,
    recipient_id: RecipientId | None,
    now: datetime,
    entry_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Append one change event. `data` holds ids and codes only."""
    event_id = session.execute(
        insert(ChangeEventRow).returning(ChangeEventRow.id),
        {"type": event, "recipient_id": recipient_id, "entry_id": entry_id, "data": data, "recorded_at": now},
    ).scalar_one()
    fan_out(session, event_id, event, recipient_id=recipient_id, recorded_at=now)


def enqueue_mail(
    session: Session, template: str, *, recipient_id: RecipientId | None, parameters: Mapping[str, Any], now: datetime
) -> None:
    """Have the worker make and send one of our own mails (`templates/email/<template>/`) to the address then on file.

    None: to an address that is no recipient's; then the parameters say where it is stored, and nobody's data lists the mail.
    """
    session.add(
        OutboxJobRow(
            kind=JobKind.MAIL,
            recipient_id=recipient_id,
            payload={"template": template, **parameters},
            created_at=now,
            run_at=now,
        )
    )
    session.flush()
