"""What ESPs reported, from arrival to oblivion: stored before it is answered, worked through, replayed, forgotten.

At least once: a claim runs out with the worker that held it. What an event does is committed together with its end, so nothing
is done twice, and an event that fails waits for its next try without holding up the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, LargeBinary, delete, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from preferences.domain.address import normal_form
from preferences.domain.esp_events import NEVER_STORED, EspEvent, EspEventType
from preferences.domain.text import is_storable
from preferences.models.bulk import insert_new, stored_moment
from preferences.models.crypto import keyring
from preferences.models.esp import EspEventRow

LEASE = timedelta(minutes=10)
PAYLOADS_LAST = timedelta(days=30)
"""How long a payload is kept after its event was worked through: long enough to find a mistake and replay."""
EVENTS_LAST = timedelta(days=400)
"""How long a row without payload is kept: the memory of its id, and what soft bounces are counted by."""
MAX_NATIVE = 64
_WHERE = b"esp_events.payload"
_as_json = json.JSONEncoder(separators=(",", ":")).encode
_COLUMNS = (
    "mailer_id",
    "provider",
    "event_key",
    "type",
    "native",
    "severity",
    "address_index",
    "payload",
    "received_at",
)


class NoLongerOurs(Exception):
    """The claim ran out and another worker has the event: roll back and leave it to them."""


@dataclass(frozen=True, slots=True)
class ClaimedEvent:
    """One event to work on. `attempts` counts this one."""

    id: int
    mailer_id: int
    provider: str
    type: EspEventType
    attempts: int
    received_at: datetime
    claimed_until: datetime


def store_events(
    session: Session,
    *,
    mailer_id: int,
    provider: str,
    events: Sequence[tuple[Mapping[str, Any], EspEvent]],
    now: datetime,
) -> int:
    """Keep what arrived, each event as the provider wrote it. Returns how many were new; repeats are left as they are (T28)."""
    kept = [(item, event) for item, event in events if event.type not in NEVER_STORED]
    encrypt, received_at = keyring().encrypter(len(kept)), stored_moment(session)(now)
    rows = {}
    for item, event in kept:
        payload = _as_json(item).encode()
        key = hashlib.sha256(event.event_id.encode(errors="replace") or payload).digest()[:16]
        if key not in rows:
            rows[key] = (
                mailer_id,
                provider,
                key,
                event.type.value,
                _native(event.native),
                event.severity and event.severity.value,
                index_of(event.recipient),
                encrypt(payload, _WHERE),
                received_at,
            )
    # In one order for everybody: two batches with the same events must not wait for each other crosswise.
    unique = ("mailer_id", "provider", "event_key")
    return insert_new(session, EspEventRow.__table__, _COLUMNS, [rows[key] for key in sorted(rows)], unique=unique)


def index_of(address: str) -> bytes | None:
    """The keyed hash of an address; None for what is none."""
    normal = normal_form(address) if address and is_storable(address) else None
    return None if normal is None else keyring().address_index(normal)


def _native(word: str) -> str:
    return "".join(character for character in word[:MAX_NATIVE] if character.isprintable())


def has_due_events(session: Session, *, now: datetime) -> bool:
    """Whether a claim would find anything: one indexed read."""
    return session.scalar(select(EspEventRow.id).where(*_due(now)).limit(1)) is not None


def claim_events(session: Session, *, limit: int, now: datetime) -> list[ClaimedEvent]:
    """Claim up to `limit` events, oldest first. Each claim counts as an attempt, so an event that kills workers ends too."""
    due = (
        select(EspEventRow.id)
        .where(*_due(now))
        .order_by(EspEventRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = session.execute(
        update(EspEventRow)
        .where(EspEventRow.id.in_(select(due.c.id)))
        .values(claimed_until=now + LEASE, attempts=EspEventRow.attempts + 1)
        .returning(
            EspEventRow.id,
            EspEventRow.mailer_id,
            EspEventRow.provider,
            EspEventRow.type,
            EspEventRow.attempts,
            EspEventRow.received_at,
            EspEventRow.claimed_until,
        ),
        execution_options={"synchronize_session": False},
    )
    return sorted((ClaimedEvent(*cast("tuple[Any, ...]", row)) for row in rows), key=lambda event: event.id)


def sealed_payloads(session: Session, claimed: Sequence[ClaimedEvent]) -> dict[int, bytes | None]:
    """What the events hold, still encrypted, by id."""
    stored = type_coerce(EspEventRow.payload, LargeBinary)
    rows = session.execute(select(EspEventRow.id, stored).where(EspEventRow.id.in_([one.id for one in claimed])))
    return {row[0]: None if row[1] is None else bytes(row[1]) for row in rows}


def open_payload(sealed: bytes) -> Mapping[str, Any]:
    """The event as the provider wrote it. Raises UnreadableValue when its key is gone."""
    found: Mapping[str, Any] = json.loads(keyring().decrypt(sealed, _WHERE))
    return found


def finish_event(
    session: Session, claimed: ClaimedEvent, event: EspEvent | None, outcome: str, *, now: datetime
) -> None:
    """The event is over, in the transaction of what it did. Raises NoLongerOurs."""
    read = {} if event is None else {"type": event.type, "native": _native(event.native), "severity": event.severity}
    result = session.execute(
        update(EspEventRow)
        .where(*_still_ours(claimed))
        .values(done_at=now, claimed_until=None, outcome=outcome[:100], **read)
    )
    if not cast(CursorResult[Any], result).rowcount:
        raise NoLongerOurs


def finish_quiet_events(session: Session, claimed: Iterable[ClaimedEvent], outcome: str, *, now: datetime) -> None:
    """Many events that are only counted are over; those that another worker has meanwhile are left to it."""
    ids: dict[datetime, list[int]] = {}
    for one in claimed:
        ids.setdefault(one.claimed_until, []).append(one.id)
    for until, some in ids.items():
        session.execute(
            update(EspEventRow)
            .where(EspEventRow.id.in_(some), EspEventRow.done_at.is_(None), EspEventRow.claimed_until == until)
            .values(done_at=now, claimed_until=None, outcome=outcome)
        )


def retry_event(session: Session, claimed: ClaimedEvent, outcome: str, *, run_at: datetime) -> None:
    """Let the event be tried again from `run_at` on, unless another worker has it meanwhile."""
    session.execute(
        update(EspEventRow).where(*_still_ours(claimed)).values(claimed_until=run_at, outcome=outcome[:100])
    )


def release_events(session: Session, claimed: Sequence[ClaimedEvent]) -> None:
    """Give back what was claimed and not begun; it does not count as an attempt."""
    for one in claimed:
        session.execute(
            update(EspEventRow).where(*_still_ours(one)).values(claimed_until=None, attempts=EspEventRow.attempts - 1)
        )


def replay_events(
    session: Session, *, since: datetime, mailer_id: int | None = None, provider: str | None = None, failed_only: bool
) -> int:
    """Have events worked through once more, by the code as it now is. Returns how many; those without payload stay."""
    wanted = [EspEventRow.received_at >= since, EspEventRow.done_at.is_not(None), EspEventRow.payload.is_not(None)]
    if mailer_id is not None:
        wanted.append(EspEventRow.mailer_id == mailer_id)
    if provider is not None:
        wanted.append(EspEventRow.provider == provider)
    if failed_only:
        wanted.append(EspEventRow.outcome.startswith("failed"))
    result = session.execute(
        update(EspEventRow).where(*wanted).values(done_at=None, claimed_until=None, attempts=0, outcome=None)
    )
    return cast(CursorResult[Any], result).rowcount


def forget_esp_events(session: Session, *, now: datetime) -> int:
    """Payloads go 30 days after their event was worked through, rows after 400. Returns how many were touched."""
    gone = session.execute(delete(EspEventRow).where(EspEventRow.received_at < now - EVENTS_LAST))
    emptied = session.execute(
        update(EspEventRow)
        .where(EspEventRow.done_at < now - PAYLOADS_LAST, EspEventRow.payload.is_not(None))
        .values(payload=None)
    )
    return cast(CursorResult[Any], gone).rowcount + cast(CursorResult[Any], emptied).rowcount


def forget_esp_events_of(session: Session, address_index: bytes, *, now: datetime) -> None:
    """An erased person's events hold nothing more, and what waits of them need not be done: nothing is sent to them anyway."""
    of_the_person = EspEventRow.address_index == address_index
    session.execute(
        update(EspEventRow)
        .where(of_the_person, EspEventRow.done_at.is_(None))
        .values(done_at=now, claimed_until=None, outcome="dropped: erased")
    )
    session.execute(update(EspEventRow).where(of_the_person).values(payload=None, address_index=None))


def _due(now: datetime) -> tuple[Any, ...]:
    return (
        EspEventRow.done_at.is_(None),
        or_(EspEventRow.claimed_until.is_(None), EspEventRow.claimed_until < now),
    )


def _still_ours(claimed: ClaimedEvent) -> tuple[Any, ...]:
    return (
        EspEventRow.id == claimed.id,
        EspEventRow.done_at.is_(None),
        EspEventRow.claimed_until == claimed.claimed_until,
    )
