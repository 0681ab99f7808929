"""Seals in tests: the keys of the service, a ledger of some length, and what a verification finds."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import current_app
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.capability import RecipientId
from preferences.domain.seal import SignedHead
from preferences.models.ledger import LedgerEntryRow
from preferences.queries.ledger.proof_parts import ProofParts, proof_parts
from preferences.services.ledger.sealing import SealKeys, seal_next
from preferences.services.ledger.verify_seal import SealVerified, verify_seal
from tests.factories import purpose


def seal_keys() -> SealKeys:
    """Those of the running application."""
    return SealKeys(current_app.extensions["preferences.settings"].seal_keys)


def seal(session: Session, *, limit: int = 5000, keys: SealKeys | None = None) -> SignedHead:
    """Seal what is there, under as many heads as it takes. Returns the last one. Committed."""
    last = None
    while (made := seal_next(session, keys or seal_keys(), now=datetime.now(UTC), limit=limit)) is not None:
        last = made
        session.commit()
    session.commit()
    assert last is not None
    return last


def sealed_parts(session: Session, entry_id: int) -> ProofParts:
    """What the proof of an entry is made of, whoever it belongs to."""
    recipient = session.scalars(select(LedgerEntryRow.recipient_id).where(LedgerEntryRow.id == entry_id)).one()
    return proof_parts(session, RecipientId(recipient), [entry_id])[entry_id]


def verified(session: Session) -> SealVerified:
    """What a verification says now."""
    session.commit()
    found = verify_seal(session, seal_keys().public)
    session.commit()
    return found


def write_entries(session: Session, count: int, *, recipient_id: int = 77) -> list[int]:
    """Plain entries without choices, events or evidence. Committed. Returns their ids."""
    now = datetime.now(UTC)
    values = {
        "recipient_id": recipient_id,
        "purpose_id": purpose(session, "surveys").id,
        "training_id": 0,
        "act": Act.REFUSED,
        "method": Method.API,
        "actor": Actor.RECIPIENT,
        "occurred_at": now,
        "recorded_at": now,
    }
    session.execute(insert(LedgerEntryRow), [values] * count)
    session.commit()
    ids = list(session.scalars(select(LedgerEntryRow.id).order_by(LedgerEntryRow.id)))[-count:]
    session.commit()
    return ids
