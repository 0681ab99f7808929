"""What proofs are made of, read for many entries at once: the entries as sealed, words, evidence, positions, heads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.seal import SealedEntry, SealedText
from preferences.models.ledger import EvidenceRow, LedgerEntryRow
from preferences.models.seal import SealedEntryRow, SealHeadRow

from .seal import StoredHead, as_sealed, covering_size, select_entries, stored_head, texts_as_sealed

Texts = dict[tuple[int, str], SealedText]
"""Notice texts that were read already, by version and language: many entries name the same few."""


@dataclass(frozen=True, slots=True)
class ProofParts:
    """What one entry's proof is made of."""

    entry: SealedEntry
    text: SealedText | None
    """None where nothing of ours was shown."""
    evidence: Mapping[str, Any] | None
    """With its salt; None where there was none, and after erasure."""
    position: int | None
    """Where it is sealed; None as long as it is not."""
    head: StoredHead | None
    """The first head that covers it."""


def proof_parts(
    session: Session, recipient_id: RecipientId, entry_ids: Collection[int], *, texts: Texts | None = None
) -> dict[int, ProofParts]:
    """Those of the entries that are the person's, by number; at most three statements, however many there are.

    Pages that are read one after the other share `texts`.
    """
    rows = session.execute(
        select_entries()
        .add_columns(SealedEntryRow.position, covering_size().label("covered"), EvidenceRow.content)
        .outerjoin(SealedEntryRow, SealedEntryRow.entry_id == LedgerEntryRow.id)
        .outerjoin(EvidenceRow, EvidenceRow.entry_id == LedgerEntryRow.id)
        .where(LedgerEntryRow.id.in_(entry_ids), LedgerEntryRow.recipient_id == recipient_id)
    ).all()
    known = _with_texts(session, {} if texts is None else texts, rows)
    heads = _heads(session, {row.covered for row in rows if row.covered is not None})
    digests = {key: text.digest for key, text in known.items()}
    return {
        row[0]: ProofParts(
            entry=as_sealed(row, digests),
            text=known.get((row.notice_version_id, row.locale)),
            evidence=row.content,
            position=row.position,
            head=heads.get(row.covered),
        )
        for row in rows
    }


def _with_texts(session: Session, texts: Texts, rows: Collection[Any]) -> Texts:
    """What is known of texts, after those that the rows name were read too."""
    named = {
        row.notice_version_id for row in rows if row.locale and (row.notice_version_id, row.locale) not in texts
    } - {None}
    if named:
        texts |= texts_as_sealed(session, named)
    return texts


def _heads(session: Session, sizes: Collection[int]) -> dict[int | None, StoredHead]:
    if not sizes:
        return {}
    rows = session.scalars(select(SealHeadRow).where(SealHeadRow.tree_size.in_(sizes)))
    return {row.tree_size: stored_head(row) for row in rows}
