"""Proves entries to their person: each as it was sealed, the words shown, the evidence, and the way to a signed head.

A proof names the first head that covers the entry, so it is the same each time. static/verify_receipt.py checks one offline.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.merkle import consistency_proof, inclusion_proof
from preferences.domain.seal import PROOF_FORMAT
from preferences.queries.ledger.proof_parts import ProofParts, Texts, proof_parts
from preferences.queries.ledger.seal import StoredHead, head_by_number
from preferences.queries.ledger.tree import StoredTree


def proof_of(session: Session, recipient_id: RecipientId, entry_id: int) -> dict[str, Any] | None:
    """The proof of one of the person's own entries; `sealed` is None as long as it waits. None for anybody else's entry."""
    return Proofs(session).of(recipient_id, [entry_id]).get(entry_id)


class Proofs:
    """Proofs in one transaction, asked for a page of entries at a time: pages share the words and the nodes of the tree."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tree = StoredTree(session)
        self._texts: Texts = {}

    def of(self, recipient_id: RecipientId, entry_ids: Collection[int]) -> dict[int, dict[str, Any]]:
        """Those of the person's own entries, by number: a few statements, however many. Others are left out."""
        found = proof_parts(self._session, recipient_id, entry_ids, texts=self._texts)
        self._tree.read_ahead(
            (one.position, one.head.signed.head.tree_size)
            for one in found.values()
            if one.position is not None and one.head is not None
        )
        return {entry_id: self._proof(parts) for entry_id, parts in found.items()}

    def _proof(self, parts: ProofParts) -> dict[str, Any]:
        return {
            "format": PROOF_FORMAT,
            "entry": parts.entry.as_json(),
            "notice": None if parts.text is None else parts.text.as_json(),
            "evidence": None if parts.evidence is None else dict(parts.evidence),
            "sealed": self._sealed(parts),
        }

    def _sealed(self, parts: ProofParts) -> dict[str, Any] | None:
        position, stored = parts.position, parts.head
        if position is None or stored is None:
            return None
        path = inclusion_proof(position, stored.signed.head.tree_size, self._tree.node_at)
        return {"position": position, "path": [step.hex() for step in path], "published": stored.signed.as_json()}


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
