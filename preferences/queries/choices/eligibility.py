"""Eligibility set-wise: one statement decides about thousands of recipients, as domain.eligibility.decide() would one by one.

Two steps in one statement: `facts` looks up status, suppression and choices of everyone asked about, and the ladder is a
CASE whose rungs stand in the order of decide(). What only depends on the purposes is decided while the statement is built.
`tests/functional/test_eligibility_twin.py` holds the two equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import TypeEngine

from preferences.domain.acts import Act
from preferences.domain.eligibility import (
    HOLDS_FOR,
    STOP_REASONS,
    Allowed,
    Decision,
    Reason,
    RecipientStatus,
    Refused,
    Step,
    accepts_customer_exception,
    steps_of,
    suppressed,
)
from preferences.domain.purpose import About, LawfulBasis, Purpose
from preferences.domain.suppression import PRECEDENCE, SuppressionReason, SuppressionScope
from preferences.models.base import UtcDateTime, Vocabulary
from preferences.models.ledger import EVERY_TRAINING, ChoiceRow
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.recipients.asked import (
    Parameters,
    addresses_asked,
    any_addresses,
    any_ids,
    ids_asked,
    is_sqlite,
    prefer_index_lookups,
)

Condition = ColumnElement[bool]
_AT = bindparam("at", type_=UtcDateTime)
_BASIS = Vocabulary(LawfulBasis)
_BASES = {basis.value: basis for basis in LawfulBasis}
_PLACES = {reason: str(place) for place, reason in enumerate(PRECEDENCE)}
_REASONS = {
    **{place: suppressed(reason) for reason, place in _PLACES.items()},
    **{status.value: Reason(status.value) for status in RecipientStatus if status is not RecipientStatus.ACTIVE},
    **{act.value: reason for act, reason in STOP_REASONS.items()},
}
"""The reason by what stands in the way: a suppression's place in PRECEDENCE, a status, or an act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked about everyone: purposes from general to specific, when the message would go, when we are asked."""

    path: tuple[Purpose, ...]
    at: datetime
    asked_at: datetime
    training_id: int = EVERY_TRAINING

    @property
    def is_archived(self) -> bool:
        """Whether the answer is no for everyone, without looking at anyone."""
        return any(purpose.is_archived for purpose in self.path)


class _By(StrEnum):
    """What people are asked about by."""

    ID = "id"
    ADDRESS = "address"


def decide_by_address(session: Session, question: Question, address_indexes: Sequence[bytes]) -> list[Decision]:
    """The decision about each address, by its keyed hash, in the order asked. Repeats are answered each time."""
    return _answers(session, question, _By.ADDRESS, addresses_asked(address_indexes), len(address_indexes))


def decide_by_id(session: Session, question: Question, recipient_ids: Sequence[int]) -> list[Decision]:
    """The decision about each recipient, by id, in the order asked. Repeats are answered each time."""
    return _answers(session, question, _By.ID, ids_asked(recipient_ids, sqlite=is_sqlite(session)), len(recipient_ids))


def _answers(session: Session, question: Question, by: _By, asked: Parameters, count: int) -> list[Decision]:
    if not count or question.is_archived:
        return [Refused(Reason.PURPOSE_ARCHIVED)] * count
    statement, rungs = _statement(question.path, question.training_id, by, sqlite=is_sqlite(session))
    prefer_index_lookups(session)
    until = question.asked_at + HOLDS_FOR
    alike = [None if rung.by or rung.since else _alike(rung.reason, until) for rung in rungs]
    answers: list[Decision] = [Refused(Reason.UNKNOWN_RECIPIENT)] * count
    for position, number, by, since, ends in session.execute(statement, {**asked, "at": question.at}):
        same, rung = alike[number], rungs[number]
        if same is not None:
            answers[position] = same
        elif rung.reason is Reason.ALLOWED:
            answers[position] = Allowed(_BASES[by], _utc(since), until)
        else:
            answers[position] = Refused(rung.reason or _REASONS[by], _utc(since), _utc(ends))
    return answers


def _utc(moment: datetime | None) -> datetime | None:
    """As UtcDateTime reads it; done here, where most rows have none."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _alike(reason: Reason | None, until: datetime) -> Decision | None:
    """The answer of a rung on which nothing of the person's own stands: one object for everybody."""
    if reason is Reason.ALLOWED:
        return Allowed(LawfulBasis.LEGITIMATE_INTEREST, None, until)
    return Refused(reason) if reason else None


@lru_cache(maxsize=128)
def _statement(
    path: tuple[Purpose, ...], training_id: int, by: _By, *, sqlite: bool
) -> tuple[Select[Any], tuple[_Rung, ...]]:
    """For each position the number of the first rung that holds, and what stands on it. Made once for these purposes."""
    facts = _facts(path, training_id, by, sqlite=sqlite)
    rungs = tuple(_ladder(path, training_id, facts))
    first = case(*((rung.when, number) for number, rung in enumerate(rungs)))
    found = _once(select(facts, first.label("rung")), "found", sqlite=sqlite)

    def told(names: Iterable[str | None], kind: TypeEngine[Any]) -> ColumnElement[Any]:
        columns = {number: found.c[name] for number, name in enumerate(names) if name is not None}
        return type_coerce(case(columns, value=found.c.rung), kind)

    statement = select(
        found.c.position,
        found.c.rung,
        told((rung.by for rung in rungs), String()),
        told((rung.since for rung in rungs), DateTime(timezone=True)),
        told((rung.until for rung in rungs), DateTime(timezone=True)),
    )
    return statement, rungs


def _once(statement: Select[Any], name: str, *, sqlite: bool) -> FromClause:
    """A subquery whose expressions are evaluated once a row, not copied into the statement around it wherever they are named.

    Both databases would copy a plain one. PostgreSQL passes rows through OFFSET without storing them, SQLite copies past it.
    """
    if sqlite:
        return statement.cte(name).prefix_with("MATERIALIZED")
    return statement.offset(0).subquery(name)


def _facts(path: Sequence[Purpose], training_id: int, by: _By, *, sqlite: bool) -> FromClause:
    """One row for each position asked: `status`, `suppression` (its place in PRECEDENCE), and for every step by its number
    `act_0`, `since_0`, `granted_0` (the basis of a permission), `paused_at_0`, `paused_until_0` (of a pause that lasts).

    Looked up once, so that the ladder compares values instead of looking things up again for each of its rungs.
    """
    if by is _By.ADDRESS:
        asked = any_addresses(sqlite=sqlite)
        source = asked.outerjoin(RecipientRow, RecipientRow.address_index == asked.c.key)
        address = asked.c.key
    else:
        asked = any_ids(sqlite=sqlite)
        source = asked.outerjoin(RecipientRow, RecipientRow.id == asked.c.key)
        address = RecipientRow.address_index
    columns: list[ColumnElement[Any]] = [
        asked.c.position,
        RecipientRow.status.label("status"),
        _suppression(path, address).label("suppression"),
    ]
    for number, step in enumerate(steps_of(path, training_id)):
        choice = aliased(ChoiceRow)
        its_own = (choice.purpose_id == step.purpose.id, choice.training_id == step.training_id)
        source = source.outerjoin(choice, and_(choice.recipient_id == RecipientRow.id, *its_own))
        columns += [
            choice.act.label(f"act_{number}"),
            choice.since.label(f"since_{number}"),
            _granted(choice, step.purpose, path[-1]).label(f"granted_{number}"),
            choice.paused_at.label(f"paused_at_{number}"),
            _paused_until(choice).label(f"paused_until_{number}"),
        ]
    return _once(select(*columns).select_from(source), "facts", sqlite=sqlite)


def _suppression(path: Sequence[Purpose], address: Any) -> ColumnElement[str]:
    """The twin of Suppression.covers() and PRECEDENCE: the first reason that stands in the way, as its place there."""
    if path[0].about is About.PUBLICATION:
        covers: Condition = SuppressionRow.reason == SuppressionReason.ERASED
    else:
        covers = or_(
            SuppressionRow.scope != SuppressionScope.PURPOSE,
            SuppressionRow.purpose_id.in_({purpose.id for purpose in (path[0], path[-1])}),
        )
    place = case(_PLACES, value=SuppressionRow.reason)
    found = select(func.min(place)).where(
        SuppressionRow.address_index == address, SuppressionRow.lifted_at.is_(None), covers
    )
    return cast(ColumnElement[str], found.scalar_subquery())


def _granted(choice: Any, purpose: Purpose, leaf: Purpose) -> ColumnElement[Any]:
    """The twin of Choice.grants() and domain.eligibility._granted_basis(): the basis, or NULL where nothing is granted."""
    basis = func.coalesce(choice.basis, literal(purpose.lawful_basis, _BASIS))
    given, lifted = choice.act == Act.GIVEN, choice.act == Act.OBJECTION_LIFTED
    if not accepts_customer_exception(purpose, leaf):
        given = and_(given, basis != LawfulBasis.SOFT_OPT_IN)
        lifted = and_(lifted, basis != LawfulBasis.SOFT_OPT_IN)
    if purpose.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST:
        restored = literal(LawfulBasis.LEGITIMATE_INTEREST, _BASIS)
        return case((choice.act == Act.OBJECTION_LIFTED, restored), (given, basis))
    return case((or_(given, and_(lifted, choice.basis == LawfulBasis.SOFT_OPT_IN)), basis))


def _paused_until(choice: Any) -> ColumnElement[Any]:
    """The twin of Choice.is_paused(): until when, or NULL where nothing is paused."""
    newest = or_(choice.since.is_(None), choice.paused_at >= choice.since)
    return case((and_(choice.paused_until > _AT, newest), choice.paused_until))


@dataclass(frozen=True, slots=True)
class _Rung:
    """When this holds, and no rung above it does, that is the answer. `by`, `since` and `until` name columns of the facts."""

    when: Condition
    reason: Reason | None
    """None: told by what stands in `by`."""
    by: str | None = None
    since: str | None = None
    until: str | None = None


def _ladder(path: Sequence[Purpose], training_id: int, facts: FromClause) -> list[_Rung]:
    """The twin of decide(): its steps from top to bottom."""
    steps = list(enumerate(steps_of(path, training_id)))
    leaf = path[-1]
    by_interest = leaf.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST
    return [
        _Rung(facts.c.suppression.is_not(None), None, by="suppression"),
        _Rung(facts.c.status.is_(None), Reason.UNKNOWN_RECIPIENT),
        _Rung(facts.c.status != RecipientStatus.ACTIVE, None, by="status"),
        *(_stop(facts, number, step, steps) for number, step in steps),
        *(_pause(facts, number, len(steps)) for number, _ in steps),
        *(
            _Rung(facts.c[f"granted_{number}"].is_not(None), Reason.ALLOWED, f"granted_{number}", f"since_{number}")
            for number, step in reversed(steps)
            if step.purpose.lawful_basis is leaf.lawful_basis
        ),
        _Rung(true(), Reason.ALLOWED if by_interest else Reason.NO_BASIS),
    ]


def _stop(facts: FromClause, number: int, step: Step, steps: Sequence[tuple[int, Step]]) -> _Rung:
    """A stop that nothing more specific was allowed after."""
    since = facts.c[f"since_{number}"]
    stands = [
        or_(facts.c[f"granted_{part}"].is_(None), facts.c[f"since_{part}"] <= since)
        for part, other in steps
        if other.narrows(step)
    ]
    stops = facts.c[f"act_{number}"].in_(list(STOP_REASONS))
    return _Rung(and_(stops, *stands), None, by=f"act_{number}", since=f"since_{number}")


def _pause(facts: FromClause, number: int, count: int) -> _Rung:
    """The pause that ends last; of those that end together, the most general."""
    until = facts.c[f"paused_until_{number}"]
    others = [facts.c[f"paused_until_{other}"] for other in range(count) if other != number]
    ends_last = [or_(other.is_(None), other <= until) for other in others]
    names = {"since": f"paused_at_{number}", "until": f"paused_until_{number}"}
    return _Rung(and_(until.is_not(None), *ends_last), Reason.PAUSED, **names)
