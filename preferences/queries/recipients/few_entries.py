"""Whether a search for people can begin with few entries of the ledger, and which those are.

Where many fit, the people are walked by their number and each is looked at: a page is full soon. Where few fit, that walk
would look at everybody, and the search begins with the entries instead.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.models.ledger import LedgerEntryRow
from preferences.queries.numbers.periods import ids_within

from .asked import is_sqlite

FEW = 20_000
"""So many entries of one kind are read at once; of a kind with more, every hundredth person or so has one."""

NARROW = 250_000
"""So many entries of one period are read at once to find those of a kind."""

DENSE = 50_000
"""So many entries of one period are read at once where every one of them counts."""

_LOOK_UP = (
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), "
    "set_config('enable_seqscan', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)"
)


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

    def are_within(self, session: Session, most: int) -> bool:
        """Whether they are of a period that holds no more entries than this, of whatever kind."""
        has_period = self.since is not None or self.until is not None
        return has_period and ids_within(session, self.since, self.until) <= most


def few_entries(session: Session, wanted: Entries) -> list[ColumnElement[bool]] | None:
    """What finds the entries, beside what they have to be by act, method and time; None: it is better to walk the people.

    For the rest of a transaction that begins with few, PostgreSQL looks up by index: it would read a million to hash them.
    By the links of one message there are always few enough. SQLite, which does not know how often each kind is, has an index
    of messages only.
    """
    row = LedgerEntryRow
    if wanted.message_id is not None:
        found: list[ColumnElement[bool]] | None = [row.reference == wanted.message_id, *wanted.about()]
    elif is_sqlite(session):
        return None
    elif not wanted.is_kind:
        found = [] if wanted.are_within(session, DENSE) else None
    else:
        found = _of_few_kinds(session, wanted)
    if found is not None and not is_sqlite(session):
        session.execute(text(_LOOK_UP))
    return found


def _of_few_kinds(session: Session, wanted: Entries) -> list[ColumnElement[bool]] | None:
    kinds = wanted.of_kind()
    most = select(LedgerEntryRow.id).where(*kinds).limit(FEW + 1).subquery()
    if (session.scalar(select(func.count()).select_from(most)) or 0) <= FEW:
        return kinds
    return wanted.about() if wanted.are_within(session, NARROW) else None
