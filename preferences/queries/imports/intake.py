"""What is on record of many addresses at once: one look-up for people, one for external ids, one for stops, one for choices."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, Select, select, type_coerce
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import RecipientId
from preferences.domain.choice import Choice
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.intake_rules import StandingSuppression
from preferences.domain.purpose import PurposeId
from preferences.domain.suppression import Suppression
from preferences.models.bulk import among_ids, among_indexes
from preferences.models.ledger import EVERY_TRAINING, ChoiceRow, ConfirmationRow, LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow


@dataclass(frozen=True, slots=True)
class StoredRecipient:
    """A recipient with its encrypted columns as they lie there: opened only where a row brings something to compare."""

    id: RecipientId
    status: RecipientStatus
    external_index: bytes | None
    external_id: bytes | None
    name: bytes | None
    profile: bytes | None
    locale: str | None


_STORED = (
    RecipientRow.id,
    RecipientRow.status,
    RecipientRow.external_index,
    type_coerce(RecipientRow.external_id, LargeBinary),
    type_coerce(RecipientRow.name, LargeBinary),
    type_coerce(RecipientRow.profile, LargeBinary),
    RecipientRow.locale,
)


def stored_recipients(session: Session, indexes: Collection[bytes]) -> dict[bytes, StoredRecipient]:
    """Recipients by address index."""
    return _stored(session, _by_address(session, indexes)) if indexes else {}


def lock_recipients(session: Session, indexes: Collection[bytes]) -> dict[bytes, StoredRecipient]:
    """The same, and an erasure or another intake of these people waits until this transaction ends (T22)."""
    statement = _by_address(session, indexes).order_by(RecipientRow.id).with_for_update(key_share=True)
    return _stored(session, statement) if indexes else {}


def _by_address(session: Session, indexes: Collection[bytes]) -> Select[*tuple[Any, ...]]:
    return select(RecipientRow.address_index, *_STORED).where(
        among_indexes(session, RecipientRow.address_index, indexes)
    )


def _stored(session: Session, statement: Select[*tuple[Any, ...]]) -> dict[bytes, StoredRecipient]:
    return {bytes(row[0]): StoredRecipient(*row[1:]) for row in session.execute(statement)}


def owners_of_external_ids(session: Session, indexes: Collection[bytes]) -> dict[bytes, RecipientId]:
    """Who has these external ids, by their index."""
    if not indexes:
        return {}
    rows = session.execute(
        select(RecipientRow.external_index, RecipientRow.id).where(
            among_indexes(session, RecipientRow.external_index, indexes)
        )
    )
    return {bytes(index): RecipientId(owner) for index, owner in rows if index is not None}


def suppressions_of(session: Session, indexes: Collection[bytes]) -> dict[bytes, list[StandingSuppression]]:
    """Active suppressions by address index."""
    found: dict[bytes, list[StandingSuppression]] = {}
    if not indexes:
        return found
    rows = session.execute(
        select(
            SuppressionRow.address_index,
            SuppressionRow.reason,
            SuppressionRow.scope,
            SuppressionRow.purpose_id,
            SuppressionRow.source,
            SuppressionRow.created_at,
        ).where(among_indexes(session, SuppressionRow.address_index, indexes), SuppressionRow.lifted_at.is_(None))
    )
    for index, reason, scope, purpose_id, source, since in rows:
        suppression = Suppression(reason, scope, PurposeId(purpose_id) if purpose_id else None)
        found.setdefault(bytes(index), []).append(StandingSuppression(suppression, source, since))
    return found


def choices_of_many(session: Session, recipient_ids: Collection[int]) -> dict[int, dict[int, Choice]]:
    """Choices by recipient and purpose, leaving single trainings out."""
    found: dict[int, dict[int, Choice]] = {}
    if not recipient_ids:
        return found
    rows = session.execute(
        select(
            ChoiceRow.recipient_id,
            ChoiceRow.purpose_id,
            ChoiceRow.act,
            ChoiceRow.basis,
            ChoiceRow.since,
            ChoiceRow.entry_id,
            ChoiceRow.paused_at,
            ChoiceRow.paused_until,
            ChoiceRow.pause_entry_id,
        ).where(among_ids(session, ChoiceRow.recipient_id, recipient_ids), ChoiceRow.training_id == EVERY_TRAINING)
    )
    for row in rows:
        found.setdefault(row[0], {})[row[1]] = Choice(*row[2:])
    return found


Recorded = Mapping[int, Mapping[tuple[int, Act, datetime], int]]


def acts_on_record(session: Session, recipient_ids: Collection[int]) -> Recorded:
    """Every act in these people's ledgers: by recipient, then by purpose, act and the person's time, the entry's id."""
    found: dict[int, dict[tuple[int, Act, datetime], int]] = {}
    if not recipient_ids:
        return found
    rows = session.execute(
        select(
            LedgerEntryRow.recipient_id,
            LedgerEntryRow.purpose_id,
            LedgerEntryRow.act,
            LedgerEntryRow.occurred_at,
            LedgerEntryRow.id,
        ).where(among_ids(session, LedgerEntryRow.recipient_id, recipient_ids))
    )
    for recipient_id, purpose_id, act, occurred_at, entry_id in rows:
        found.setdefault(recipient_id, {})[(purpose_id, act, occurred_at)] = entry_id
    return found


def who_did(session: Session, entry_ids: Collection[int]) -> dict[int, str]:
    """Who did an entry, and how, in words: `the recipient (one_click)`."""
    if not entry_ids:
        return {}
    rows = session.execute(
        select(LedgerEntryRow.id, LedgerEntryRow.actor, LedgerEntryRow.method).where(
            among_ids(session, LedgerEntryRow.id, entry_ids)
        )
    )
    return {entry_id: f"the {actor.value} ({method.value})" for entry_id, actor, method in rows}


def waiting_confirmations(session: Session, recipient_ids: Collection[int]) -> list[tuple[int, int, datetime]]:
    """What these people asked for and have not confirmed yet: confirmation, recipient, and when it was asked for."""
    if not recipient_ids:
        return []
    rows = session.execute(
        select(ConfirmationRow.id, ConfirmationRow.recipient_id, ConfirmationRow.asked_at).where(
            among_ids(session, ConfirmationRow.recipient_id, recipient_ids),
            ConfirmationRow.confirmed_at.is_(None),
            ConfirmationRow.cancelled_at.is_(None),
        )
    )
    return [(row[0], row[1], row[2]) for row in rows]
