"""Rebuilds every choice from the ledger and compares: the projection must say what the entries say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from preferences.domain.choice import NO_CHOICE, Choice, fold
from preferences.models.ledger import ChoiceRow, LedgerEntryRow
from preferences.queries.ledger.ledger import EntryView, entries_by_choice

Tick = Callable[[int], None]
"""Told of every entry read: long work shows how far it has come."""

_FIELDS = ("act", "basis", "since", "entry_id", "paused_at", "paused_until", "pause_entry_id")


@dataclass(frozen=True, slots=True)
class Difference:
    """A choice that is not what its entries make."""

    recipient_id: int
    purpose_id: int
    training_id: int
    stored: Choice
    folded: Choice


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification read and found."""

    entries: int
    choices: int
    differences: tuple[Difference, ...]

    @property
    def is_sound(self) -> bool:
        """Whether ledger and choices agree."""
        return not self.differences


def count_entries(session: Session) -> int:
    """How long the ledger is."""
    return session.scalar(select(func.count()).select_from(LedgerEntryRow)) or 0


def verify_ledger(session: Session, *, most: int = 100, tick: Tick | None = None) -> Verified:
    """Fold the whole ledger, streamed, and compare with the choices. Lists at most `most` differences; changes nothing.

    Beside live writes the session has to be a `snapshot()`, or what changes meanwhile would look like a difference.
    """
    differences: list[Difference] = []
    choices = 0
    stored = _stored_in_order(session)
    waiting = next(stored, None)
    for key, folded in _folded(session, tick):
        choices += 1
        while waiting is not None and waiting[0] < key:
            differences.append(Difference(*waiting[0], stored=waiting[1], folded=NO_CHOICE))
            waiting = next(stored, None)
        found = NO_CHOICE
        if waiting is not None and waiting[0] == key:
            found, waiting = waiting[1], next(stored, None)
        if found != folded:
            differences.append(Difference(*key, stored=found, folded=folded))
    while waiting is not None:
        differences.append(Difference(*waiting[0], stored=waiting[1], folded=NO_CHOICE))
        waiting = next(stored, None)
    return Verified(count_entries(session), choices, tuple(differences[:most]))


def rebuild_choices(session: Session, *, tick: Tick | None = None) -> int:
    """Throw the projection away and fold it anew from the ledger. Returns how many choices there are.

    Whoever wants to record an act waits until it is done: nothing may come between what is read and what is written.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE choices IN EXCLUSIVE MODE"))
    session.execute(delete(ChoiceRow))
    batch: list[dict[str, object]] = []
    count = 0
    for key, choice in _folded(session, tick):
        values: dict[str, object] = {name: getattr(choice, name) for name in _FIELDS}
        batch.append({"recipient_id": key[0], "purpose_id": key[1], "training_id": key[2], **values})
        count += 1
        if len(batch) == 5000:
            session.execute(insert(ChoiceRow), batch)
            batch = []
    if batch:
        session.execute(insert(ChoiceRow), batch)
    return count


def _folded(session: Session, tick: Tick | None) -> Iterator[tuple[tuple[int, int, int], Choice]]:
    for key, entries in groupby(_ticking(entries_by_choice(session), tick), key=lambda entry: entry.key):
        yield key, fold(entry.for_fold() for entry in entries)


def _ticking(entries: Iterator[EntryView], tick: Tick | None) -> Iterator[EntryView]:
    for entry in entries:
        if tick is not None:
            tick(1)
        yield entry


def _stored_in_order(session: Session) -> Iterator[tuple[tuple[int, int, int], Choice]]:
    rows = session.execute(
        select(
            ChoiceRow.recipient_id,
            ChoiceRow.purpose_id,
            ChoiceRow.training_id,
            *(getattr(ChoiceRow, name) for name in _FIELDS),
        ).order_by(ChoiceRow.recipient_id, ChoiceRow.purpose_id, ChoiceRow.training_id),
        execution_options={"yield_per": 5000},
    )
    for row in rows:
        yield (row[0], row[1], row[2]), Choice(*row[3:])
