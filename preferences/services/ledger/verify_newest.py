"""Checks the newest part of the seal within one request, however long the ledger is. `flask ledger verify` reads it all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from preferences.queries.ledger.seal import StoredHead, newest_heads

from .verify_seal import SealVerified, verify_seal

MOST_ENTRIES = 5_000
MOST_HEADS = 200
MOST_FINDINGS = 10


@dataclass(frozen=True, slots=True)
class NewestVerified:
    """What was found in the heads after `after`; None: in all of them."""

    after: int | None
    newest: int
    found: SealVerified


def verify_newest(
    session: Session, trusted: Collection[bytes], *, entries: int = MOST_ENTRIES, heads: int = MOST_HEADS
) -> NewestVerified | None:
    """Check the newest heads that cover at most so many entries, and everything under them. None: nothing is sealed yet.

    Takes a `snapshot()`, as `verify_seal` does.
    """
    latest = newest_heads(session, heads + 1)
    if not latest:
        return None
    after = _after(latest, entries, heads)
    found = verify_seal(session, trusted, after=after, most=MOST_FINDINGS)
    return NewestVerified(after.signed.head.number if after else None, latest[0].signed.head.number, found)


def _after(latest: list[StoredHead], entries: int, heads: int) -> StoredHead | None:
    """The head to begin at: the oldest that is near enough, but never the newest itself. None: from the beginning."""
    size = latest[0].signed.head.tree_size
    near = [one for one in latest[1:] if size - one.signed.head.tree_size <= entries] or latest[1:2]
    if not near or (near[-1].signed.head.number == 1 and size <= entries and len(latest) <= heads):
        return None
    return near[-1]
