"""Whether a search for people can begin with few entries of the ledger, and which those are.

Where many fit, the people are walked by their number and each is looked at: a page is full soon. Where few fit, that walk
would look at everybody, and the search begins with the entries instead.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.models.ledger import LedgerEntryRow
from preferences.queries.numbers.periods import ids_within

from .asked import is_sqlite

FEW = 20_000
"""So many entries of one kind are read at once; of a kind with more, every hundredth person or so has one."""

NARROW = 250_000
"""So many entries of one period are read at once, where it does not turn out at once that many fit."""

LOOKED_AT = 3_000
"""So many people, the first in order, are looked at to see whether they fill a page."""

_LOOK_UP = (
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), "
    "set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)"
)


class Length(StrEnum):
    """How much a period of the ledger holds."""

    SHORT = "short"
    """So little that all of it is read."""
    MIDDLING = "middling"
    """It is read, unless many of its people fit."""
    LONG = "long"
    """So much that it is not read."""


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of the ledger of some kinds; None: of any. `since` and `until` bound when they were recorded."""

    acts: Collection[Act] | None = None
    method: Method | None = None
    purpose_id: int | None = None
    message_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_kind(self) -> bool:
        """Whether it says more than when."""
        return self.acts is not None or self.method is not None or self.purpose_id is not None

    def of_kind(self) -> list[ColumnElement[bool]]:
        """The kinds, named one by one, as the index has them."""
        row = LedgerEntryRow
        return [
            row.method.in_(sorted(Method if self.method is None else {self.method})),
            row.act.in_(sorted(Act if self.acts is None else self.acts)),
            *self.about(),
        ]

    def about(self) -> list[ColumnElement[bool]]:
        """The purpose alone."""
        return [] if self.purpose_id is None else [LedgerEntryRow.purpose_id == self.purpose_id]


def few_entries(session: Session, wanted: Entries) -> list[ColumnElement[bool]] | None:
    """What finds the entries, beside what they have to be by act, method and time; None: it is better to walk the people.

    For the rest of a transaction that begins with few, PostgreSQL looks up by index: it would read a million to hash them.
    By the links of one message there are always few enough. SQLite, which does not know how often each kind is, has an index
    of messages only.
    """
    row = LedgerEntryRow
    if wanted.message_id is not None:
        return _looked_up(session, [row.reference == wanted.message_id, *wanted.about()])
    if is_sqlite(session) or not wanted.is_kind:
        return None
    most = select(row.id).where(*wanted.of_kind()).limit(FEW + 1).subquery()
    is_few = (session.scalar(select(func.count()).select_from(most)) or 0) <= FEW
    return _looked_up(session, wanted.of_kind()) if is_few else None


def length_of(session: Session, wanted: Entries) -> Length:
    """How much their period holds, of whatever kind. If it is not long, the search looks up as with few entries."""
    has_period = wanted.since is not None or wanted.until is not None
    if is_sqlite(session) or not has_period:
        return Length.LONG
    number = ids_within(session, wanted.since, wanted.until)
    if number > NARROW:
        return Length.LONG
    _looked_up(session, [])
    return Length.SHORT if number <= FEW else Length.MIDDLING


def _looked_up(session: Session, found: list[ColumnElement[bool]]) -> list[ColumnElement[bool]]:
    if not is_sqlite(session):
        session.execute(text(_LOOK_UP))
    return found
