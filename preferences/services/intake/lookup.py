"""Everything on record of a batch of prepared rows, in five queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.choice import Choice
from preferences.domain.intake import RowResult
from preferences.domain.intake_rules import Person, StandingSuppression
from preferences.queries.imports.intake import (
    Recorded,
    StoredRecipient,
    acts_on_record,
    choices_of_many,
    lock_recipients,
    owners_of_external_ids,
    stored_recipients,
    suppressions_of,
)

from .prepare import Prepared


@dataclass(slots=True)
class OnRecord:
    """What is known of every address and external id of a batch."""

    stored: dict[bytes, StoredRecipient]
    owners: dict[bytes, RecipientId]
    suppressions: dict[bytes, list[StandingSuppression]]
    choices: dict[int, dict[int, Choice]]
    recorded: Recorded

    def person(self, address_index: bytes) -> Person:
        """Where the person behind this address stands before the batch."""
        stored = self.stored.get(address_index)
        standing = self.suppressions.get(address_index, [])
        if stored is None:
            return Person(suppressions=standing)
        return Person(stored.id, stored.status, self.choices.get(stored.id, {}), standing)


def look_up(session: Session, prepared: Sequence[Prepared | RowResult]) -> OnRecord:
    """What is on record, for a dry run."""
    indexes = _addresses(prepared)
    return _complete(session, prepared, indexes, stored_recipients(session, indexes))


def look_up_and_lock(session: Session, prepared: Sequence[Prepared | RowResult]) -> OnRecord:
    """The same for writing. People are locked first: an erasure that came before is seen, one that comes after waits (T22)."""
    indexes = _addresses(prepared)
    return _complete(session, prepared, indexes, lock_recipients(session, indexes))


def _addresses(prepared: Sequence[Prepared | RowResult]) -> list[bytes]:
    return list({one.address_index for one in prepared if isinstance(one, Prepared)})


def _complete(
    session: Session,
    prepared: Sequence[Prepared | RowResult],
    indexes: list[bytes],
    stored: dict[bytes, StoredRecipient],
) -> OnRecord:
    external = {one.external_index for one in prepared if isinstance(one, Prepared) and one.external_index}
    choices = choices_of_many(session, [one.id for one in stored.values()])
    return OnRecord(
        stored=stored,
        owners=owners_of_external_ids(session, external),
        suppressions=suppressions_of(session, indexes),
        choices=choices,
        recorded=acts_on_record(session, _with_older_stops(prepared, stored, choices)),
    )


def _with_older_stops(
    prepared: Sequence[Prepared | RowResult],
    stored: dict[bytes, StoredRecipient],
    choices: dict[int, dict[int, Choice]],
) -> set[int]:
    """Recipients for whom a row brings a stop that is older than the grant on record: perhaps recorded before."""
    found: set[int] = set()
    for one in prepared:
        if not isinstance(one, Prepared) or one.act is None or not one.act.stops:
            continue
        recipient = stored.get(one.address_index)
        choice = choices.get(recipient.id, {}).get(one.act.purpose.id) if recipient else None
        if recipient and choice and not choice.stops and choice.since and one.act.occurred_at < choice.since:
            found.add(recipient.id)
    return found
