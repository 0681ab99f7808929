"""Proves an entry to its person: the entry as it was sealed, the words shown, the evidence, and the way to a signed head.

A proof names the first head that covers the entry, so it is the same each time. static/verify_receipt.py checks one offline.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.merkle import consistency_proof, inclusion_proof
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.seal import PROOF_FORMAT
from preferences.models.ledger import EvidenceRow
from preferences.queries.ledger.seal import (
    StoredHead,
    StoredTree,
    entry_as_sealed,
    head_by_number,
    head_covering,
    position_of,
    text_as_sealed,
)


def proof_of(
    session: Session, recipient_id: RecipientId, entry_id: int, *, tree: StoredTree | None = None
) -> dict[str, Any] | None:
    """The proof of one of the person's own entries; `sealed` is None as long as it waits. None for anybody else's entry.

    Several proofs in one transaction share the nodes of one `tree`.
    """
    entry = entry_as_sealed(session, entry_id)
    if entry is None or entry.recipient != format_recipient_id(recipient_id):
        return None
    text = text_as_sealed(session, entry.notice_version, entry.locale)
    evidence = session.scalar(select(EvidenceRow.content).where(EvidenceRow.entry_id == entry_id))
    return {
        "format": PROOF_FORMAT,
        "entry": entry.as_json(),
        "notice": None if text is None else text.as_json(),
        "evidence": None if evidence is None else dict(evidence),
        "sealed": _sealed(session, entry_id, tree or StoredTree(session)),
    }


def sealing_head(session: Session, entry_id: int) -> StoredHead | None:
    """The first head that covers an entry; None as long as it is not sealed."""
    position = position_of(session, entry_id)
    return None if position is None else head_covering(session, position)


def published_head(session: Session, stored: StoredHead) -> dict[str, Any]:
    """A head as it is published, with the proof that it only adds to the one before."""
    head = stored.signed.head
    before = head_by_number(session, head.number - 1)
    consistency = None
    if before is not None:
        earlier = before.signed.head.tree_size
        path = consistency_proof(earlier, head.tree_size, StoredTree(session).node_at)
        consistency = {"tree_size": earlier, "path": [step.hex() for step in path]}
    return {**stored.signed.as_json(), "consistency": consistency}


def _sealed(session: Session, entry_id: int, tree: StoredTree) -> dict[str, Any] | None:
    position = position_of(session, entry_id)
    stored = None if position is None else head_covering(session, position)
    if position is None or stored is None:
        return None
    path = inclusion_proof(position, stored.signed.head.tree_size, tree.node_at)
    return {"position": position, "path": [step.hex() for step in path], "published": stored.signed.as_json()}
