"""The statements behind `record_act`: entry, choice, event and cancelled confirmations, written whole or not at all.

PostgreSQL does it in one statement, because a one-click is mostly round trips; SQLite, which has no writing WITH, in up to four
on the connection that already holds the write lock. Both fold as domain.choice.apply_entry does; a property test holds them to
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Table,
    Update,
    bindparam,
    case,
    exists,
    insert,
    literal_column,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from preferences.domain.acts import PAUSES, STOPS, Act
from preferences.models.ledger import ChoiceRow, ConfirmationRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.prepared import Prepared
from preferences.services.outbox.fan_out import fan_out_of, fan_out_one


def _table(model: Any) -> Table:
    found = model.__table__
    assert isinstance(found, Table)  # noqa: S101 - narrows the declarative type
    return found


_ledger, _choices = _table(LedgerEntryRow), _table(ChoiceRow)
_events, _confirmations = _table(ChangeEventRow), _table(ConfirmationRow)

_ZERO, _ONE = literal_column("0", Integer), literal_column("1", Integer)
_NEXT_ID: ColumnElement[int] = literal_column("nextval('ledger_entries_id_seq')", _ledger.c.id.type)
_KEY = ("recipient_id", "purpose_id", "training_id")
_TOLD = ("type", "recipient_id", "recorded_at")
_ENTRY = tuple(column for column in _ledger.c if column.name != "id")


class Register(Enum):
    """What an act changes: the permission or the pause; a stop also cancels what was asked for before it (T13)."""

    GRANT = auto()
    STOP = auto()
    PAUSE = auto()


class Seen(Enum):
    """Stands in for a choice when the act holds whatever the choice is."""

    ANYTHING = auto()


def register_of(act: Act) -> Register:
    """Which register an act belongs to."""
    if act in PAUSES:
        return Register.PAUSE
    return Register.STOP if act in STOPS else Register.GRANT


def write_entry(session: Session, values: Mapping[str, Any], *, seen: int | Seen | None = Seen.ANYTHING) -> int | None:
    """Append an entry with all that follows from it, and return its id.

    `values` are the entry's columns and `type`, the event to tell. With `seen`, the entry id of the choice the act was decided
    on, nothing is written and None is returned when another act has changed that choice since.
    """
    register, connection = register_of(values["act"]), session.connection()
    if connection.dialect.name == "sqlite":
        return _write_in_steps(connection, register, values)
    guarded = seen is not Seen.ANYTHING
    parameters = {f"new_{name}": value for name, value in values.items()}
    if guarded:
        parameters["seen"] = seen
    row = _at_once(register, guarded=guarded).fetch_one(connection, parameters)
    return None if row is None else int(row[0])


def _write_in_steps(connection: Connection, register: Register, values: Mapping[str, Any]) -> int:
    """SQLite has one writer and this is it (BEGIN IMMEDIATE), so what was seen is still so."""
    parameters = {f"new_{name}": value for name, value in values.items()}
    row = _insert_entry().fetch_one(connection, parameters)
    assert row is not None  # noqa: S101 - RETURNING
    parameters["new_id"] = row[0]
    if _upsert_choice(register).run(connection, parameters) == 1:
        event = _insert_event().fetch_one(connection, parameters)
        assert event is not None  # noqa: S101 - RETURNING
        fan_out_one().run(connection, {"event_id": event[0], **{name: values[name] for name in _TOLD}})
    if register is Register.STOP:
        _cancel().run(connection, parameters)
    return int(row[0])


@cache
def _at_once(register: Register, *, guarded: bool) -> Prepared:
    """Everything in one PostgreSQL statement. The upsert comes first: its row lock makes concurrent acts take turns."""
    fresh = select(_NEXT_ID.label("id")).cte("fresh")
    choice = _choice_values(register, fresh.c.id)
    upsert = postgresql.insert(_choices).from_select(list(choice), select(*choice.values()))
    folded = _where_newer(upsert, register, choice, guarded=guarded).returning(_choices.c.recipient_id).cte("folded")
    has_folded = exists(select(folded.c.recipient_id))
    entry = {"id": fresh.c.id} | {column.name: _new(column.name) for column in _ENTRY}
    event = _event_values(fresh.c.id)
    written = insert(_ledger).from_select(list(entry), select(*entry.values()).where(has_folded if guarded else true()))
    events = insert(_events).from_select(list(event), select(*event.values()).where(has_folded))
    told = events.returning(_events.c.id).cte("told")
    fanned = fan_out_of(told.c.id, event["type"], event["recipient_id"], event["recorded_at"])
    statement = select(fresh.c.id).add_cte(written.cte("written"), folded, told, fanned.cte("fanned"))
    if register is Register.STOP:
        statement = statement.add_cte(_cancelling().cte("cancelled"))
    return Prepared(statement.where(has_folded) if guarded else statement)


@cache
def _insert_entry() -> Prepared:
    entry = {column.name: _new(column.name) for column in _ENTRY}
    return Prepared(insert(_ledger).values(entry).returning(_ledger.c.id))


@cache
def _upsert_choice(register: Register) -> Prepared:
    choice = _choice_values(register, _new("id"))
    return Prepared(_where_newer(sqlite.insert(_choices).values(choice), register, choice, guarded=False))


@cache
def _insert_event() -> Prepared:
    return Prepared(insert(_events).values(_event_values(_new("id"))).returning(_events.c.id))


@cache
def _cancel() -> Prepared:
    return Prepared(_cancelling())


def _cancelling() -> Update:
    asked_before = _confirmations.c.asked_at <= _new("occurred_at")
    return (
        update(_confirmations)
        .where(_confirmations.c.recipient_id == _new("recipient_id"), asked_before)
        .where(_confirmations.c.confirmed_at.is_(None), _confirmations.c.cancelled_at.is_(None))
        .values(cancelled_at=_new("recorded_at"))
    )


def _new(name: str) -> Any:
    """A value of the new entry."""
    return bindparam(f"new_{name}", type_=_ledger.c[name].type)


def _choice_values(register: Register, entry_id: Any) -> dict[str, Any]:
    key = {name: _new(name) for name in _KEY}
    if register is Register.PAUSE:
        return {
            **key,
            "paused_at": _new("occurred_at"),
            "paused_until": _new("paused_until"),
            "pause_entry_id": entry_id,
        }
    return {**key, "act": _new("act"), "basis": _new("basis"), "since": _new("occurred_at"), "entry_id": entry_id}


def _event_values(entry_id: Any) -> dict[str, Any]:
    return {
        "type": bindparam("new_type", type_=_events.c.type.type),
        "recipient_id": _new("recipient_id"),
        "entry_id": entry_id,
        "recorded_at": _new("recorded_at"),
    }


def _where_newer(statement: Any, register: Register, choice: Mapping[str, Any], *, guarded: bool) -> Any:
    """Fold the act in where it outranks what is stored; guarded, only where what is stored is what was seen."""
    newer = (pause_is_newer if register is Register.PAUSE else permission_is_newer)(statement.excluded)
    if guarded:
        newer = newer & _choices.c.entry_id.is_not_distinct_from(bindparam("seen", type_=_choices.c.entry_id.type))
    changed = {name: statement.excluded[name] for name in choice if name not in _KEY}
    return statement.on_conflict_do_update(index_elements=list(_KEY), set_=changed, where=newer)


def permission_is_newer(excluded: Any) -> Any:
    """Whether an incoming permission act outranks the stored one: by time, then opt-out first, then by entry."""
    return _choices.c.since.is_(None) | (
        tuple_(excluded.since, _stops(excluded.act), excluded.entry_id)
        > tuple_(_choices.c.since, _stops(_choices.c.act), _choices.c.entry_id)
    )


def pause_is_newer(excluded: Any) -> Any:
    """Whether an incoming pause act outranks the stored one."""
    return _choices.c.paused_at.is_(None) | (
        tuple_(excluded.paused_at, _set(excluded.paused_until), excluded.pause_entry_id)
        > tuple_(_choices.c.paused_at, _set(_choices.c.paused_until), _choices.c.pause_entry_id)
    )


def _stops(act: Any) -> Any:
    return case((act.in_([literal_column(f"'{stop}'") for stop in sorted(STOPS)]), _ONE), else_=_ZERO)


def _set(column: Any) -> Any:
    return case((column.is_not(None), _ONE), else_=_ZERO)
