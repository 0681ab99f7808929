"""Finds recipients for staff: exactly by address, domain, external id or number; filtered by where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, false, or_, select, true
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
from preferences.queries.numbers.periods import entries_of, ids_between

from .asked import is_sqlite
from .few_entries import LOOKED_AT, Entries, Length, few_entries, length_of

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

    @property
    def is_of_address(self) -> bool:
        """Whether it is about what stops or is reported of an address; then the time is that of the stop or report."""
        return self.suppressed is not None or self.reported is not None


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
    session: Session, wanted: RecipientFilter, *, now: datetime, before: int | None = None, limit: int = 50
) -> Sequence[FoundRecipient]:
    """Up to `limit` recipients in a stable order (by id, descending), those below the id `before`."""
    acted = [] if wanted.is_of_address else _acts(session, wanted)
    person, did = _of_the_person(wanted, acted, now), _of_what_they_did(wanted, acted)
    entries = _entries_behind(wanted)
    few = None if entries is None else few_entries(session, entries)
    length = Length.LONG if entries is None or few is not None else length_of(session, entries)
    if length is Length.MIDDLING and not wanted.text and wanted.reason is None:
        first = select(RecipientRow.id.label("recipient_id")).where(*_below(RecipientRow.id, before))
        first = first.order_by(RecipientRow.id.desc()).limit(LOOKED_AT)
        found = _found(session, _among(session, first, [*person, *did], limit))
        if len(found) == limit:
            return found
    if entries is not None and length is not Length.LONG:
        few = [*entries.about(), *_gave_the_reason(session, wanted)]
    if few is not None:
        entry = LedgerEntryRow
        behind = select(entry.recipient_id).where(*few, *acted, *_below(entry.recipient_id, before)).distinct()
        everybody = behind.offset(0).subquery("behind")  # PostgreSQL: before they are put in order
        people = select(everybody.c.recipient_id).order_by(everybody.c.recipient_id.desc())
        return _found(session, _among(session, people if person else people.limit(limit), person, limit))
    statement = select(*_COLUMNS).where(*person, *did, *_below(RecipientRow.id, before))
    return _found(session, statement.order_by(RecipientRow.id.desc()).limit(limit))


def _found(session: Session, statement: Select[Any]) -> list[FoundRecipient]:
    return [FoundRecipient(*row) for row in session.execute(statement)]


def _below(column: Any, before: int | None) -> list[ColumnElement[bool]]:
    return [] if before is None else [column < before]


def _among(session: Session, ids: Select[Any], conditions: list[ColumnElement[bool]], limit: int) -> Select[Any]:
    """The people with these ids, given in order, of whom it is true: looked up one by one until there are enough."""
    people = ids.subquery("people")
    is_one = RecipientRow.id == people.c.recipient_id
    if is_sqlite(session):
        found = select(*_COLUMNS).join(people, is_one).where(*conditions)
    else:
        one = select(*_COLUMNS).where(is_one, *conditions).limit(1).lateral("one")
        found = select(*one.c).select_from(people.join(one, true()))
    return found.order_by(people.c.recipient_id.desc()).limit(limit)


def _entries_behind(wanted: RecipientFilter) -> Entries | None:
    """Which entries everybody who fits has one of at least; None where that says nothing, or the text finds them at once."""
    if wanted.is_of_address or (wanted.text and not wanted.text.startswith("@")):
        return None
    acts = {wanted.act} if wanted.act is not None else wanted.said or None
    return Entries(
        acts=acts,
        method=wanted.method,
        purpose_id=wanted.purpose_id,
        message_id=wanted.message_id,
        since=wanted.since,
        until=wanted.until,
    )


def _of_the_person(
    wanted: RecipientFilter, acted: list[ColumnElement[bool]], now: datetime
) -> list[ColumnElement[bool]]:
    """What is true of them now."""
    found: list[ColumnElement[bool]] = []
    if wanted.text:
        found.append(_matches(wanted.text[:MOST_TEXT]))
    if wanted.status is not None:
        found.append(RecipientRow.status == wanted.status)
    if wanted.suppressed is not None:
        found.append(_address_in(SuppressionRow, SuppressionRow.created_at, wanted, reason=wanted.suppressed))
    elif wanted.reported is not None:
        found.append(_address_in(EspEventRow, EspEventRow.received_at, wanted, type=wanted.reported))
    if wanted.act is not None:
        found.append(_stands(wanted, acted, now))
    return found


def _of_what_they_did(wanted: RecipientFilter, acted: list[ColumnElement[bool]]) -> list[ColumnElement[bool]]:
    """What some act of theirs was, where it is not the one that stands."""
    if wanted.act is not None:
        return []
    if acted:
        entries = select(LedgerEntryRow.id).where(LedgerEntryRow.recipient_id == RecipientRow.id, *acted)
        if wanted.purpose_id is not None:
            entries = entries.where(LedgerEntryRow.purpose_id == wanted.purpose_id)
        return [entries.exists()]
    if wanted.purpose_id is not None:
        return [_choices().where(ChoiceRow.purpose_id == wanted.purpose_id).exists()]
    return []


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


def _stands(wanted: RecipientFilter, acted: list[ColumnElement[bool]], now: datetime) -> ColumnElement[bool]:
    """Whether a choice of theirs stands so; where `acted` is asked for too, by the very act that it stands by."""
    choice = ChoiceRow
    if wanted.act is Act.RESUMED:  # the end of a pause, by which nothing stands
        return false()
    found = _choices().where(choice.training_id == EVERY_TRAINING)
    if wanted.act is Act.PAUSED:  # the pause lies beside the choice: the twin of Choice.is_paused()
        is_newest = or_(choice.since.is_(None), choice.paused_at >= choice.since)
        found, stands_by = found.where(choice.paused_until > now, is_newest), choice.pause_entry_id
    else:
        found, stands_by = found.where(choice.act == wanted.act), choice.entry_id
    if wanted.purpose_id is not None:
        found = found.where(choice.purpose_id == wanted.purpose_id)
    if acted:
        found = found.join(LedgerEntryRow, LedgerEntryRow.id == stands_by).where(*acted)
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


def _gave_the_reason(session: Session, wanted: RecipientFilter) -> list[ColumnElement[bool]]:
    """The same of the entries with a reason, so that a search can begin with those who gave it (PostgreSQL: OFFSET)."""
    if wanted.reason is None:
        return []
    known = ids_between(session, StopReasonRow.entry_id, wanted.since, wanted.until)
    told = select(StopReasonRow.entry_id).where(StopReasonRow.reason == wanted.reason, *known)
    return [LedgerEntryRow.id.in_(told.offset(0))]


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
