"""Records acts: one ledger entry, the choice it changes, and the event that tells of it, in one transaction."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, case, insert, select, tuple_
from sqlalchemy.orm import Session

from preferences.domain.acts import PAUSES, STOPS, Act, Actor, Method
from preferences.domain.capability import RecipientId
from preferences.domain.errors import ActNotPossible
from preferences.domain.events import EventType
from preferences.domain.purpose import About, LawfulBasis, NoticeVersionId, Purpose
from preferences.domain.rules import check_act, check_occurred_at, check_pause
from preferences.models.ledger import EVERY_TRAINING, ChoiceRow, EvidenceRow, LedgerEntryRow
from preferences.models.upsert import insert_into

from .outbox import tell_change

_ledger = LedgerEntryRow.__table__
_choices = ChoiceRow.__table__


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
    Raises ActNotPossible or InvalidValue when act, basis, evidence or time do not fit.
    """
    basis = check_act(new.purpose, new.act, new.basis, new.evidence)
    occurred_at = check_occurred_at(new.occurred_at, now)
    check_pause(new.act, new.paused_until)
    if new.act is Act.OBJECTION_LIFTED and basis is LawfulBasis.SOFT_OPT_IN:
        _check_exception_was_on_record(session, new)
    salted = {**new.evidence, "salt": secrets.token_hex(16)} if new.evidence else None
    entry_id = session.execute(
        insert(_ledger).returning(_ledger.c.id),  # type: ignore[arg-type]
        {
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
        },
    ).scalar_one()
    if salted:
        session.execute(
            insert(EvidenceRow.__table__),  # type: ignore[arg-type]
            {"entry_id": entry_id, "recipient_id": new.recipient_id, "content": salted},
        )
    if _fold_into_choice(session, new, basis=basis, occurred_at=occurred_at, entry_id=int(entry_id)):
        tell_change(
            session, event_for(new.purpose, new.act), recipient_id=new.recipient_id, now=now, entry_id=int(entry_id)
        )
    return int(entry_id)


def _check_exception_was_on_record(session: Session, new: NewAct) -> None:
    """Lifting an objection restores a customer exception whose evidence was once recorded; it never makes one (L15)."""
    found = session.scalar(
        select(_ledger.c.id)
        .where(
            _ledger.c.recipient_id == new.recipient_id,
            _ledger.c.purpose_id == new.purpose.id,
            _ledger.c.act == Act.GIVEN,
            _ledger.c.basis == LawfulBasis.SOFT_OPT_IN,
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
    return hashlib.sha256(canonical.encode()).digest()


def _fold_into_choice(
    session: Session, new: NewAct, *, basis: LawfulBasis | None, occurred_at: datetime, entry_id: int
) -> bool:
    """Upsert the choice where the act is the newest; the SQL twin of domain.choice.apply_entry. False: an older act."""
    keys = {"recipient_id": new.recipient_id, "purpose_id": new.purpose.id, "training_id": new.training_id}
    if new.act in PAUSES:
        values: dict[str, Any] = {
            "paused_at": occurred_at,
            "paused_until": new.paused_until if new.act is Act.PAUSED else None,
            "pause_entry_id": entry_id,
        }
    else:
        values = {"act": new.act, "basis": basis, "since": occurred_at, "entry_id": entry_id}
    statement = insert_into(session, _choices)
    newer = pause_is_newer(statement.excluded) if new.act in PAUSES else permission_is_newer(statement.excluded)
    statement = statement.on_conflict_do_update(
        index_elements=list(keys), set_={name: statement.excluded[name] for name in values}, where=newer
    )
    result = session.execute(statement, {**keys, **values})
    return isinstance(result, CursorResult) and result.rowcount == 1


def permission_is_newer(excluded: Any) -> Any:
    """Whether an incoming permission act outranks the stored one: by time, then opt-out first, then by entry."""
    return _choices.c.since.is_(None) | (
        tuple_(excluded.since, _stops(excluded.act), excluded.entry_id)
        > tuple_(_choices.c.since, _stops(_choices.c.act), _choices.c.entry_id)
    )


def pause_is_newer(excluded: Any) -> Any:
    """Whether an incoming pause act outranks the stored one."""
    return _choices.c.paused_at.is_(None) | (
        tuple_(excluded.paused_at, _set(excluded.paused_until), excluded.pause_entry_id)
        > tuple_(_choices.c.paused_at, _set(_choices.c.paused_until), _choices.c.pause_entry_id)
    )


def _stops(act: Any) -> Any:
    return case((act.in_(sorted(STOPS)), 1), else_=0)


def _set(column: Any) -> Any:
    return case((column.is_not(None), 1), else_=0)
