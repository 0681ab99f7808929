"""Records acts: one ledger entry, the choice it changes, and the event that tells of it, in one transaction."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.capability import RecipientId
from preferences.domain.choice import Choice
from preferences.domain.errors import ActNotPossible
from preferences.domain.events import EventType
from preferences.domain.purpose import About, LawfulBasis, NoticeVersionId, Purpose
from preferences.domain.rules import check_act, check_occurred_at, check_pause
from preferences.models.ledger import EVERY_TRAINING, EvidenceRow, LedgerEntryRow

from .recording import Seen, write_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAct:
    """An act to record. `occurred_at` is the person's own time; `shown` the notice version and language they saw."""

    recipient_id: RecipientId
    purpose: Purpose
    act: Act
    method: Method
    occurred_at: datetime
    actor: Actor = Actor.RECIPIENT
    actor_id: int | None = None
    basis: LawfulBasis | None = None
    training_id: int = EVERY_TRAINING
    notice_version_id: NoticeVersionId | None = None
    locale: str | None = None
    paused_until: datetime | None = None
    reference: int | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


def record_act(session: Session, new: NewAct, *, now: datetime) -> int:
    """Append the act, fold it into the choice, tell of it. Returns the ledger entry's id.

    The fold happens inside the upsert, by the person's own time and ties to the opt-out (T28), so concurrent acts need no lock.
    A stop also cancels what the person asked for before it and has not confirmed yet: no old mail turns it on again (T13).
    Raises ActNotPossible or InvalidValue when act, basis, evidence or time do not fit.
    """
    entry_id = _write(session, new, now=now)
    assert entry_id is not None  # noqa: S101 - only record_act_if says no
    return entry_id


def record_act_if(session: Session, new: NewAct, seen: Choice, *, now: datetime) -> int | None:
    """As record_act, provided the choice is still the one that the act was decided on; None when another came before."""
    return _write(session, new, now=now, seen=seen.entry_id)


def _write(session: Session, new: NewAct, *, now: datetime, seen: int | Seen | None = Seen.ANYTHING) -> int | None:
    basis = check_act(new.purpose, new.act, new.basis, new.evidence)
    occurred_at = check_occurred_at(new.occurred_at, now)
    check_pause(new.act, new.paused_until)
    if new.act is Act.OBJECTION_LIFTED and basis is LawfulBasis.SOFT_OPT_IN:
        _check_exception_was_on_record(session, new)
    salted = {**new.evidence, "salt": secrets.token_hex(16)} if new.evidence else None
    values = {
        "recipient_id": new.recipient_id,
        "purpose_id": new.purpose.id,
        "training_id": new.training_id,
        "act": new.act,
        "basis": basis,
        "method": new.method,
        "actor": new.actor,
        "actor_id": new.actor_id,
        "notice_version_id": new.notice_version_id,
        "locale": new.locale,
        "occurred_at": occurred_at,
        "recorded_at": now,
        "paused_until": new.paused_until,
        "reference": new.reference,
        "evidence_digest": digest_evidence(salted) if salted else None,
        "type": event_for(new.purpose, new.act),
    }
    entry_id = write_entry(session, values, seen=seen)
    if salted and entry_id is not None:
        session.execute(
            insert(EvidenceRow.__table__),  # type: ignore[arg-type]
            {"entry_id": entry_id, "recipient_id": new.recipient_id, "content": salted},
        )
    return entry_id


def _check_exception_was_on_record(session: Session, new: NewAct) -> None:
    """Lifting an objection restores a customer exception whose evidence was once recorded; it never makes one (L15)."""
    found = session.scalar(
        select(LedgerEntryRow.id)
        .where(
            LedgerEntryRow.recipient_id == new.recipient_id,
            LedgerEntryRow.purpose_id == new.purpose.id,
            LedgerEntryRow.act == Act.GIVEN,
            LedgerEntryRow.basis == LawfulBasis.SOFT_OPT_IN,
        )
        .limit(1)
    )
    if found is None:
        raise ActNotPossible("There is no customer exception on record that could be restored.", pointer="/basis")


def event_for(purpose: Purpose, act: Act) -> EventType:
    """The change event that an act on this purpose makes."""
    if purpose.about is About.EVERYTHING:
        return EventType.RECIPIENT_STOPPED if act is Act.OBJECTED else EventType.RECIPIENT_RESUMED
    if purpose.about is About.PUBLICATION:
        return EventType.PHOTO_OBJECTION_CHANGED
    return EventType.CHOICE_CHANGED


def digest_evidence(salted: Mapping[str, Any]) -> bytes:
    """SHA-256 of evidence with its salt, in canonical JSON: proves the evidence while it exists, reveals nothing after."""
    canonical = json.dumps(salted, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return digest_stored_evidence(canonical.encode())


def digest_stored_evidence(canonical: bytes) -> bytes:
    """The same, of the canonical JSON as it lies decrypted in `evidence`."""
    return hashlib.sha256(canonical).digest()
