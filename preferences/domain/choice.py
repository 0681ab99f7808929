"""A choice is the fold of a recipient's ledger entries for one purpose (and, for photos, one training).

Two registers lie beside each other: the permission and the pause. In each the newest act by *the person's own time* wins;
on a tie the opt-out wins (T28), then the entry recorded later. That makes the fold independent of the order in which entries
arrive, so it can be kept up to date entry by entry and rebuilt at any time (`flask ledger verify`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from .acts import GRANTS, PAUSES, STOPS, Act
from .purpose import LawfulBasis

EVERY_TRAINING = 0
"""The scope of an act or choice about no training in particular. No row has this id."""


@dataclass(frozen=True, slots=True)
class FoldEntry:
    """The part of a ledger entry that the fold needs."""

    entry_id: int
    act: Act
    basis: LawfulBasis | None
    occurred_at: datetime
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The current state. `since` and `act` are the permission, `paused_*` the pause; each with the entry that set it."""

    act: Act | None = None
    basis: LawfulBasis | None = None
    since: datetime | None = None
    entry_id: int | None = None
    paused_at: datetime | None = None
    paused_until: datetime | None = None
    pause_entry_id: int | None = None

    @property
    def stops(self) -> bool:
        """Whether the newest permission act is an opt-out."""
        return self.act in STOPS

    def grants(self, basis: LawfulBasis) -> bool:
        """Whether the newest permission act allows something, under a purpose with this lawful basis.

        Lifting an objection restores a legitimate interest or a customer exception; it never creates consent (L1).
        """
        if self.act is Act.GIVEN:
            return True
        return self.act is Act.OBJECTION_LIFTED and (
            basis is LawfulBasis.LEGITIMATE_INTEREST or self.basis is LawfulBasis.SOFT_OPT_IN
        )

    def is_paused(self, at: datetime) -> bool:
        """Paused now: until a date in the future, and not overtaken by a newer permission act."""
        return (
            self.paused_until is not None
            and self.paused_at is not None
            and self.paused_until > at
            and (self.since is None or self.paused_at >= self.since)
        )


NO_CHOICE = Choice()


def apply_entry(choice: Choice, entry: FoldEntry) -> Choice:
    """The choice after one more entry. Commutative: any order of the same entries gives the same choice."""
    if entry.act in PAUSES:
        if _pause_rank(choice) >= _entry_pause_rank(entry):
            return choice
        until = entry.paused_until if entry.act is Act.PAUSED else None
        return replace(choice, paused_at=entry.occurred_at, paused_until=until, pause_entry_id=entry.entry_id)
    if _permission_rank(choice) >= (entry.occurred_at, entry.act in STOPS, entry.entry_id):
        return choice
    return replace(choice, act=entry.act, basis=entry.basis, since=entry.occurred_at, entry_id=entry.entry_id)


def fold(entries: Iterable[FoldEntry]) -> Choice:
    """The choice that these entries make together."""
    choice = NO_CHOICE
    for entry in entries:
        choice = apply_entry(choice, entry)
    return choice


_Rank = tuple[datetime, bool, int] | tuple[()]


def _permission_rank(choice: Choice) -> _Rank:
    if choice.since is None or choice.act is None:
        return ()
    return (choice.since, choice.act in STOPS, choice.entry_id or 0)


def _pause_rank(choice: Choice) -> _Rank:
    if choice.paused_at is None:
        return ()
    return (choice.paused_at, choice.paused_until is not None, choice.pause_entry_id or 0)


def _entry_pause_rank(entry: FoldEntry) -> _Rank:
    return (entry.occurred_at, entry.act is Act.PAUSED and entry.paused_until is not None, entry.entry_id)


def stop_act(lawful_basis: LawfulBasis, current: Choice) -> Act:
    """What «unsubscribe» means here: `withdrawn` for consent, `objected` for legitimate interest and customer exception."""
    if lawful_basis is LawfulBasis.CONSENT and current.basis is not LawfulBasis.SOFT_OPT_IN:
        return Act.WITHDRAWN
    return Act.OBJECTED


def is_reduction(act: Act) -> bool:
    """Whether the act can only reduce what is done to the person."""
    return act not in GRANTS and act is not Act.RESUMED
