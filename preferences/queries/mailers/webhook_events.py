"""What a webhook tells of a change: read when the message is made, so that nothing is told of a person who was erased since."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.events import EventType
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.webhooks import PayloadKind
from preferences.models.ledger import LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.queries.purposes.purposes import catalogue


@dataclass(frozen=True, slots=True, repr=False)
class EventMessage:
    """What is told of one change event. `data` may hold an address, so it shows nothing."""

    type: EventType
    recorded_at: datetime
    data: Mapping[str, Any]

    def __repr__(self) -> str:
        """The type only."""
        return f"<EventMessage {self.type}>"


_COLUMNS = (
    ChangeEventRow.id,
    ChangeEventRow.type,
    ChangeEventRow.recorded_at,
    ChangeEventRow.recipient_id,
    ChangeEventRow.entry_id,
    ChangeEventRow.data,
    LedgerEntryRow.purpose_id,
    LedgerEntryRow.training_id,
    LedgerEntryRow.act,
    LedgerEntryRow.basis,
    LedgerEntryRow.method,
    LedgerEntryRow.occurred_at,
    LedgerEntryRow.paused_until,
)


def event_messages(session: Session, event_ids: Collection[int], kind: PayloadKind) -> dict[int, EventMessage]:
    """The messages of these events, by id; an event that is gone is left out."""
    found = (
        select(*_COLUMNS)
        .outerjoin(LedgerEntryRow, LedgerEntryRow.id == ChangeEventRow.entry_id)
        .where(ChangeEventRow.id.in_(event_ids))
    )
    rows = session.execute(found).all()
    addresses: dict[int, str | None] = {}
    if kind is PayloadKind.ADDRESSES:
        people = {row.recipient_id for row in rows if row.recipient_id is not None}
        asked = select(RecipientRow.id, RecipientRow.address).where(RecipientRow.id.in_(people))
        addresses = {row.id: row.address for row in session.execute(asked)}
    known = catalogue(session)
    messages = {}
    for row in rows:
        data: dict[str, Any] = {"id": row.id}
        if row.recipient_id is not None:
            data["recipient"] = format_recipient_id(row.recipient_id)
            if kind is PayloadKind.ADDRESSES:
                data["email"] = addresses.get(row.recipient_id)
        if row.act is not None:
            purpose = known.by_id(row.purpose_id)
            data |= {
                "entry": row.entry_id,
                "purpose": purpose.purpose.key if purpose else None,
                "training": row.training_id or None,
                "act": row.act.value,
                "basis": row.basis and row.basis.value,
                "method": row.method.value,
                "occurred_at": write_moment(row.occurred_at),
                "paused_until": row.paused_until and write_moment(row.paused_until),
            }
        messages[row.id] = EventMessage(row.type, row.recorded_at, {**(row.data or {}), **data})
    return messages


def write_moment(moment: datetime) -> str:
    """A moment as everything outside reads it: UTC, with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
