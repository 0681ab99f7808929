"""Seals the ledger: a growing Merkle tree over its entries, and signed heads that each name the one before (product.md 3).

One sealer at a time, in transactions that are short however long the ledger is: the tree is taken up where it ended. On
PostgreSQL ids become visible out of order, so entries get their position when they are sealed, and ids count as settled only
when every transaction that could still bring a smaller one is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import insert
from sqlalchemy.orm import Session

from preferences.domain.seal import Head, SignedHead
from preferences.models.bulk import bulk_insert, is_sqlite
from preferences.models.seal import SealedEntryRow, SealHeadRow, SealNodeRow
from preferences.queries.ledger.seal import (
    StoredHead,
    has_unsealed,
    newest_entry_id,
    newest_head,
    unsealed_entries,
)
from preferences.queries.ledger.tree import TILE, StoredTree

from .settling import clock_of, somebody_still_writes, takes_turn

EVERY = timedelta(hours=1)
MANY = 10_000
"""New entries that are not left to wait for the hour."""
BATCH = 2_000
"""Entries a head, so that no transaction is long: on SQLite an opt-out waits for it."""
_LOCK = 0x5EA1


class SealKeys:
    """The Ed25519 keys of an installation, oldest to newest: the newest signs."""

    def __init__(self, seeds: Sequence[bytes]) -> None:
        self._keys = {
            (key := Ed25519PrivateKey.from_private_bytes(seed)).public_key().public_bytes_raw(): key for seed in seeds
        }
        self.newest = list(self._keys)[-1]

    @property
    def public(self) -> frozenset[bytes]:
        """The public keys that this installation can sign with, and therefore trusts."""
        return frozenset(self._keys)

    def sign(self, head: Head) -> bytes:
        """The signature of the key that the head names."""
        return self._keys[head.public_key].sign(head.statement)

    def endorse(self, head: Head, previous: StoredHead | None) -> bytes | None:
        """That of the key before, where the key has just changed and the old one is still at hand."""
        if previous is None or previous.signed.head.public_key == head.public_key:
            return None
        older = self._keys.get(previous.signed.head.public_key)
        return None if older is None else older.sign(head.statement)


def is_signed(head: Head, signature: bytes, public_key: bytes) -> bool:
    """Whether the signature is the key's over the head."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, head.statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def seal_is_due(session: Session, *, now: datetime) -> bool:
    """Whether an hour has passed since the last head, or many entries came, and there is something to seal."""
    last = newest_head(session)
    if last is None:
        return has_unsealed(session, after=0)
    if now - last.signed.head.sealed_at < EVERY and newest_entry_id(session) - last.newest_entry_id < MANY:
        return False
    return has_unsealed(session, after=last.settled_entry_id)


def seal_next(session: Session, keys: SealKeys, *, now: datetime, limit: int = BATCH) -> SignedHead | None:
    """Seal the next entries, at most `limit`, under a new head. None when nothing is left, or another process is at it."""
    if not takes_turn(session, _LOCK):
        return None
    last = newest_head(session)
    candidate = _settled_before(session, last)
    entries = unsealed_entries(session, after=last.settled_entry_id if last else 0, limit=limit)
    if not entries:
        return None
    size = last.signed.head.tree_size if last else 0
    frontier = StoredTree(session).frontier(size)
    leaves, nodes = [], []
    for entry in entries:
        leaf = entry.leaf
        leaves.append((frontier.size, entry.entry, leaf))
        nodes += [node for node in frontier.append(leaf) if node[0] % TILE == 0]
    bulk_insert(session, SealedEntryRow.__table__, ("position", "entry_id", "leaf"), leaves)
    bulk_insert(session, SealNodeRow.__table__, ("level", "number", "hash"), nodes)
    head = Head(
        number=last.signed.head.number + 1 if last else 1,
        tree_size=frontier.size,
        root=frontier.root,
        previous=last.signed.head.digest if last else None,
        sealed_at=now,
        public_key=keys.newest,
    )
    signed = SignedHead(head, keys.sign(head), keys.endorse(head, last))
    newest = max(entries[-1].entry, last.newest_entry_id if last else 0)
    settled = newest if candidate is None else candidate
    if len(entries) == limit:
        settled = min(settled, entries[-1].entry)
    _store(session, signed, newest, max(settled, last.settled_entry_id if last else 0), now)
    return signed


def _settled_before(session: Session, last: StoredHead | None) -> int | None:
    """Up to which id nothing new can come; None where that is the newest sealed one itself: SQLite has one writer.

    Asked before the entries are read, so that what such a transaction brought is among them. Ids that the last head saw were
    given out before; once no transaction is as old as that, none of them can still appear.
    """
    if is_sqlite(session):
        return None
    if last is None:
        return 0
    return last.settled_entry_id if somebody_still_writes(session, last.seen_at) else last.newest_entry_id


def _store(session: Session, signed: SignedHead, newest: int, settled: int, now: datetime) -> None:
    head = signed.head
    session.execute(
        insert(SealHeadRow).values(
            number=head.number,
            tree_size=head.tree_size,
            root=head.root,
            previous=head.previous,
            sealed_at=head.sealed_at,
            public_key=head.public_key,
            signature=signed.signature,
            endorsement=signed.endorsement,
            newest_entry_id=newest,
            settled_entry_id=settled,
            seen_at=clock_of(session, now),
        )
    )
