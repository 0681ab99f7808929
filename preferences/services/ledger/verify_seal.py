"""Recomputes the seal from the ledger and names what does not fit, the first wrong entry first. Changes nothing.

Streamed: leaves, nodes and heads are read side by side in order, and the tree is grown anew. What a head commits to can be
changed by nobody without its key; that heads were cut off the end shows only against one that was kept elsewhere (`published`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import LargeBinary, Row, func, select, type_coerce
from sqlalchemy.orm import Session

from preferences.domain.merkle import Frontier
from preferences.domain.seal import SignedHead
from preferences.models.crypto import UnreadableValue, keyring
from preferences.models.ledger import EvidenceRow, LedgerEntryRow
from preferences.models.purpose import PurposeRow
from preferences.models.seal import SealedEntryRow, SealNodeRow
from preferences.queries.ledger.seal import (
    ENTRY_COLUMNS,
    WIDTH,
    NoticeDigests,
    StoredHead,
    as_sealed,
    heads_in_order,
    notice_digests,
)
from preferences.queries.ledger.tree import TILE, StoredTree, TreeIncomplete
from preferences.services.choices.consent import digest_stored_evidence

from .sealing import is_signed

Tick = Callable[[int], None]


class Wrong(StrEnum):
    """What does not fit."""

    CHANGED = "changed"
    """The entry, or the notice text it names, is not what was sealed."""
    REMOVED = "removed"
    """The entry was sealed and is gone."""
    INSERTED = "inserted"
    """The entry lies where everything had been sealed already."""
    EVIDENCE = "evidence"
    """The evidence is not what the entry's digest says."""
    TREE = "tree"
    """The sealed hashes from this entry on do not make the head: rewritten, reordered, added or removed."""
    HEAD = "head"
    """A head is missing, does not follow the one before, or is not signed by a key of this installation."""


@dataclass(frozen=True, slots=True)
class SealFinding:
    """One thing that does not fit; `entry` is the first one concerned, `position` its place in the seal."""

    wrong: Wrong
    entry: int | None = None
    position: int | None = None
    head: int | None = None


@dataclass(frozen=True, slots=True)
class SealVerified:
    """What was read and found; `count` findings, of which at most `most` are listed."""

    heads: int
    sealed: int
    unsealed: int
    count: int
    findings: tuple[SealFinding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether everything is as it was sealed."""
        return self.count == 0

    @property
    def first(self) -> SealFinding | None:
        """The first wrong entry by its place in the seal; what is not sealed comes last."""
        named = [one for one in self.findings if one.entry is not None]
        last = self.sealed
        return min(named, key=lambda one: last if one.position is None else one.position, default=None)


@dataclass
class _Check:
    """The tree as it grows, and what was found on the way."""

    trusted: Collection[bytes]
    most: int
    digests: NoticeDigests
    frontier: Frontier = field(default_factory=Frontier)
    findings: list[SealFinding] = field(default_factory=list)
    count: int = 0
    heads: int = 0
    last: StoredHead | None = None
    fits: bool = True
    """Whether the tree has fitted so far: once it does not, no later head can fit."""
    since_head: tuple[int, int] | None = None
    """Entry and position of the first leaf that no head has confirmed yet."""
    in_tile: tuple[int, int] | None = None

    def found(
        self, wrong: Wrong, entry: int | None = None, position: int | None = None, head: int | None = None
    ) -> None:
        self.count += 1
        if len(self.findings) < self.most:
            self.findings.append(SealFinding(wrong, entry, position, head))

    def misfit(self, at: tuple[int, int] | None, head: int | None = None) -> None:
        if self.fits:
            self.fits = False
            entry, position = at or (None, None)
            self.found(Wrong.TREE, entry, position, head)


def verify_seal(
    session: Session,
    trusted: Collection[bytes],
    *,
    published: Sequence[SignedHead] = (),
    after: StoredHead | None = None,
    most: int = 100,
    tick: Tick | None = None,
) -> SealVerified:
    """Check every sealed entry, node and head. `trusted` are the public keys of this installation's SEAL_KEYS.

    Beside live writes the session has to be a `snapshot()`. `published` are heads kept elsewhere, which must still be there.
    With `after` only what was sealed since that head is read; the tree up to it comes from its nodes, which must make its root.
    """
    check = _Check(trusted, most, notice_digests(session))
    known = {one.head.number: one for one in published}
    if after is not None:
        _take_up(session, check, after)
    present = start = check.frontier.size
    before = check.heads
    heads = heads_in_order(session, after=before)
    with closing(_nodes(session, start >> TILE)) as nodes:
        waiting = next(heads, None)
        for row in _leaves(session, start):
            present += _check_entry(check, row)
            _grow(check, row, nodes)
            while waiting is not None and waiting.signed.head.tree_size <= check.frontier.size:
                _check_head(check, waiting, known)
                waiting = next(heads, None)
            if tick is not None:
                tick(1)
    while waiting is not None:
        check.misfit(None, waiting.signed.head.number)
        _check_head(check, waiting, known)
        waiting = next(heads, None)
    _check_end(session, check, known, after)
    total = session.scalar(select(func.count()).select_from(LedgerEntryRow)) or 0
    sealed = check.frontier.size - start
    return SealVerified(check.heads - before, sealed, total - present, check.count, tuple(check.findings))


def _take_up(session: Session, check: _Check, after: StoredHead) -> None:
    """Begin at a head instead of at nothing: its tree from the nodes that are kept."""
    head = after.signed.head
    check.heads, check.last = head.number, after
    if not is_signed(head, after.signed.signature, head.public_key):
        check.found(Wrong.HEAD, head=head.number)
    try:
        check.frontier = StoredTree(session).frontier(head.tree_size)
    except TreeIncomplete:
        check.frontier = Frontier(head.tree_size, [bytes(32)] * head.tree_size.bit_count())
    if check.frontier.root != head.root:
        check.misfit(None, head.number)


def _leaves(session: Session, start: int) -> Iterator[Any]:
    """Every leaf in order from a position on, with its entry and what is left of the evidence."""
    content = type_coerce(EvidenceRow.content, LargeBinary)
    wanted = (
        select(*ENTRY_COLUMNS, SealedEntryRow.position, SealedEntryRow.entry_id, SealedEntryRow.leaf, content)
        .select_from(SealedEntryRow)
        .outerjoin(LedgerEntryRow, LedgerEntryRow.id == SealedEntryRow.entry_id)
        .outerjoin(PurposeRow, PurposeRow.id == LedgerEntryRow.purpose_id)
        .outerjoin(EvidenceRow, EvidenceRow.entry_id == LedgerEntryRow.id)
        .where(SealedEntryRow.position >= start)
        .order_by(SealedEntryRow.position)
    )
    yield from session.execute(wanted, execution_options={"yield_per": 2000})


def _nodes(session: Session, start: int) -> Generator[tuple[int, int, bytes], None, None]:
    wanted = (
        select(SealNodeRow.number, SealNodeRow.hash)
        .where(SealNodeRow.level == TILE, SealNodeRow.number >= start)
        .order_by(SealNodeRow.number)
    )
    with session.execute(wanted, execution_options={"yield_per": 2000}) as rows:
        for number, found in rows:
            yield TILE, number, bytes(found)


def _check_entry(check: _Check, row: Row[Any]) -> int:
    """Compare one entry with its leaf. Returns 1 where the entry is there."""
    position, entry_id, leaf, evidence = row[WIDTH:]
    if row[0] is None:
        check.found(Wrong.REMOVED, entry_id, position)
        return 0
    entry = as_sealed(row, check.digests)
    if entry.leaf != bytes(leaf):
        check.found(Wrong.CHANGED, entry_id, position)
    elif evidence is not None and _digest(bytes(evidence)) != entry.evidence_digest:
        check.found(Wrong.EVIDENCE, entry_id, position)
    return 1


def _digest(stored: bytes) -> bytes | None:
    try:
        return digest_stored_evidence(keyring().decrypt(stored, b"evidence.content"))
    except UnreadableValue:
        return None


def _grow(check: _Check, row: Row[Any], nodes: Iterator[tuple[int, int, bytes]]) -> None:
    position, entry_id, leaf, _ = row[WIDTH:]
    here = (entry_id, position)
    if position != check.frontier.size:
        check.misfit(here)
    check.since_head = check.since_head or here
    check.in_tile = check.in_tile or here
    for made in check.frontier.append(bytes(leaf)):
        if made[0] == TILE:
            if next(nodes, None) != made:
                check.misfit(check.in_tile)
            check.in_tile = None


def _check_head(check: _Check, stored: StoredHead, published: dict[int, SignedHead]) -> None:
    signed, head, last = stored.signed, stored.signed.head, check.last
    check.heads += 1
    follows = head.number == check.heads and head.previous == (last.signed.head.digest if last else None)
    kept = published.pop(head.number, None)
    if (
        not follows
        or not is_signed(head, signed.signature, head.public_key)
        or (kept is not None and kept.head.digest != head.digest)
        or not _is_endorsed(signed, last)
    ):
        check.found(Wrong.HEAD, head=head.number)
    if head.tree_size != check.frontier.size or head.root != check.frontier.root:
        check.misfit(check.since_head, head.number)
    check.since_head, check.last = None, stored


def _is_endorsed(signed: SignedHead, last: StoredHead | None) -> bool:
    """A change of key that the old key signed too has to be signed rightly; where that key was gone there is no signature."""
    if signed.endorsement is None:
        return True
    return last is not None and is_signed(signed.head, signed.endorsement, last.signed.head.public_key)


def _check_end(session: Session, check: _Check, left: dict[int, SignedHead], after: StoredHead | None) -> None:
    """The last head vouches for all before it, so its key has to be ours; nothing may lie behind it, or unsealed before."""
    if check.last is not None and check.last.signed.head.public_key not in check.trusted:
        check.found(Wrong.HEAD, head=check.last.signed.head.number)
    for number in left:
        check.found(Wrong.HEAD, head=number)
    if check.since_head is not None:
        check.misfit(check.since_head)
    settled = check.last.settled_entry_id if check.last else 0
    inserted = (
        select(LedgerEntryRow.id)
        .outerjoin(SealedEntryRow, SealedEntryRow.entry_id == LedgerEntryRow.id)
        .where(LedgerEntryRow.id <= settled, SealedEntryRow.entry_id.is_(None))
        .order_by(LedgerEntryRow.id)
    )
    if after is not None:
        inserted = inserted.where(LedgerEntryRow.id > after.settled_entry_id)
    for entry_id in session.scalars(inserted, execution_options={"yield_per": 2000}):
        check.found(Wrong.INSERTED, entry_id)
