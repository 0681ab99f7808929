"""Finds recipients for staff: exactly by address, domain, external id or number; filtered by where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, false, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.address import parse_address, parse_domain
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import InvalidValue
from preferences.domain.esp_events import EspEventType
from preferences.domain.reasons import StopReason
from preferences.domain.recipient_id import read_recipient_id
from preferences.domain.suppression import SuppressionReason
from preferences.models.crypto import keyring
from preferences.models.esp import EspEventRow
from preferences.models.ledger import EVERY_TRAINING, ChoiceRow, LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.models.stop_reason import StopReasonRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.numbers.periods import entries_of

MOST_TEXT = 320


@dataclass(frozen=True, slots=True)
class RecipientFilter:
    """What is looked for; everything empty: everybody. `since` and `until` bound when the act was recorded."""

    text: str = ""
    """An address, `@domain`, an external id, or the recipient's id as the API writes it. Nothing is ever matched in part."""
    status: RecipientStatus | None = None
    purpose_id: int | None = None
    act: Act | None = None
    method: Method | None = None
    since: datetime | None = None
    until: datetime | None = None
    said: frozenset[Act] = frozenset()
    """What they did, where `act` is how it stands now."""
    message_id: int | None = None
    reason: StopReason | None = None
    suppressed: SuppressionReason | None = None
    reported: EspEventType | None = None

    @property
    def is_set(self) -> bool:
        """Whether anything is looked for."""
        return self != RecipientFilter()


@dataclass(frozen=True, slots=True, repr=False)
class FoundRecipient:
    """One row of the result. Never logged."""

    id: RecipientId
    address: str | None
    name: str | None
    status: RecipientStatus
    locale: str | None
    source: str
    created_at: datetime


_COLUMNS = tuple(getattr(RecipientRow, name) for name in FoundRecipient.__dataclass_fields__)


def find_recipients(
    session: Session, wanted: RecipientFilter, *, before: int | None = None, limit: int = 50
) -> Sequence[FoundRecipient]:
    """Up to `limit` recipients in a stable order (by id, descending), those below the id `before`."""
    statement = select(*_COLUMNS).order_by(RecipientRow.id.desc()).limit(limit)
    for condition in _conditions(session, wanted):
        statement = statement.where(condition)
    if before is not None:
        statement = statement.where(RecipientRow.id < before)
    return [FoundRecipient(*row) for row in session.execute(statement)]


def _conditions(session: Session, wanted: RecipientFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.text:
        found.append(_matches(wanted.text[:MOST_TEXT]))
    if wanted.status is not None:
        found.append(RecipientRow.status == wanted.status)
    acted = _acts(session, wanted)
    if wanted.suppressed is not None:
        found.append(_address_in(SuppressionRow, SuppressionRow.created_at, wanted, reason=wanted.suppressed))
        acted = []
    elif wanted.reported is not None:
        found.append(_address_in(EspEventRow, EspEventRow.received_at, wanted, type=wanted.reported))
        acted = []
    if wanted.act is not None:
        found.append(_stands(wanted, acted))
    elif acted:
        entries = select(LedgerEntryRow.id).where(LedgerEntryRow.recipient_id == RecipientRow.id, *acted)
        if wanted.purpose_id is not None:
            entries = entries.where(LedgerEntryRow.purpose_id == wanted.purpose_id)
        found.append(entries.exists())
    elif wanted.purpose_id is not None:
        found.append(_choices().where(ChoiceRow.purpose_id == wanted.purpose_id).exists())
    return found


def _address_in(
    rows: type[SuppressionRow | EspEventRow], moment: Any, wanted: RecipientFilter, **values: Any
) -> ColumnElement[bool]:
    """Whether such a row about their address is from the time asked for; then no act of theirs has to be."""
    found = select(rows.id).where(rows.address_index == RecipientRow.address_index).filter_by(**values)
    if wanted.since is not None:
        found = found.where(moment >= wanted.since)
    if wanted.until is not None:
        found = found.where(moment < wanted.until)
    return found.exists()


def _choices() -> Select[int]:
    return select(ChoiceRow.recipient_id).where(ChoiceRow.recipient_id == RecipientRow.id)


def _stands(wanted: RecipientFilter, acted: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Whether a choice of theirs stands so; where `acted` is asked for too, by the very act that it stands by."""
    found = _choices().where(ChoiceRow.training_id == EVERY_TRAINING, ChoiceRow.act == wanted.act)
    if wanted.purpose_id is not None:
        found = found.where(ChoiceRow.purpose_id == wanted.purpose_id)
    if acted:
        found = found.join(LedgerEntryRow, LedgerEntryRow.id == ChoiceRow.entry_id).where(*acted)
    return found.exists()


def _acts(session: Session, wanted: RecipientFilter) -> list[ColumnElement[bool]]:
    """What some act of theirs has to be: by kind, method, message, reason and time."""
    found: list[ColumnElement[bool]] = []
    if wanted.method is not None:
        found.append(LedgerEntryRow.method == wanted.method)
    if wanted.said:
        found.append(LedgerEntryRow.act.in_(sorted(wanted.said)))
    if wanted.message_id is not None:
        found.append(LedgerEntryRow.reference == wanted.message_id)
    if wanted.reason is not None:
        told = select(StopReasonRow.entry_id).where(
            StopReasonRow.entry_id == LedgerEntryRow.id, StopReasonRow.reason == wanted.reason
        )
        found.append(told.exists())
    return found + entries_of(session, wanted.since, wanted.until)


def _matches(text: str) -> ColumnElement[bool]:
    """By keyed hash: the database holds no address that could be searched in part (GDPR 32)."""
    if text.startswith("@"):
        try:
            return RecipientRow.domain_index == keyring().domain_index(parse_domain(text[1:]))
        except InvalidValue:
            return false()
    found: ColumnElement[bool] = RecipientRow.external_index == keyring().external_index(text)
    if "@" in text:
        try:
            return found | (RecipientRow.address_index == keyring().address_index(parse_address(text).normal))
        except InvalidValue:
            return found
    number = read_recipient_id(text)
    return found if number is None else found | (RecipientRow.id == number)
