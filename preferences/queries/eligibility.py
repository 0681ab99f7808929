"""Eligibility set-wise: one statement decides about thousands of recipients, as domain.eligibility.decide() would one by one.

Two steps in one statement: `facts` looks up status, suppression and choices of everyone asked about, and the ladder is a
CASE whose rungs stand in the order of decide(). What only depends on the purposes is decided while the statement is built.
`tests/functional/test_eligibility_twin.py` holds the two equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased

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

from .asked import asked_addresses, asked_ids, prefer_index_lookups

Condition = ColumnElement[bool]
_CHOICE = ("act", "basis", "since", "paused_at", "paused_until")
_BASIS = Vocabulary(LawfulBasis)
_REASON = Vocabulary(Reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked about everyone: purposes from general to specific, when the message would go, when we are asked."""

    path: Sequence[Purpose]
    at: datetime
    asked_at: datetime
    training_id: int = EVERY_TRAINING

    @property
    def is_archived(self) -> bool:
        """Whether the answer is no for everyone, without looking at anyone."""
        return any(purpose.is_archived for purpose in self.path)


def decide_by_address(session: Session, question: Question, address_indexes: Sequence[bytes]) -> list[Decision]:
    """The decision about each address, by its keyed hash, in the order asked. Repeats are answered each time."""
    if not address_indexes or question.is_archived:
        return [Refused(Reason.PURPOSE_ARCHIVED)] * len(address_indexes)
    asked = asked_addresses(session, address_indexes)
    facts = _facts(question, asked, RecipientRow.address_index == asked.c.key, address=asked.c.key)
    return _answers(session, question, facts, len(address_indexes))


def decide_by_id(session: Session, question: Question, recipient_ids: Sequence[int]) -> list[Decision]:
    """The decision about each recipient, by id, in the order asked."""
    if not recipient_ids or question.is_archived:
        return [Refused(Reason.PURPOSE_ARCHIVED)] * len(recipient_ids)
    asked = asked_ids(session, recipient_ids)
    facts = _facts(question, asked, RecipientRow.id == asked.c.key, address=RecipientRow.address_index)
    return _answers(session, question, facts, len(recipient_ids))


def _answers(session: Session, question: Question, facts: CTE, count: int) -> list[Decision]:
    prefer_index_lookups(session)
    until = question.asked_at + HOLDS_FOR
    answers: list[Decision] = [Refused(Reason.UNKNOWN_RECIPIENT)] * count
    for position, reason, basis, since, ends in session.execute(_ladder(question, facts)):
        if reason is Reason.ALLOWED:
            answers[position] = Allowed(basis, since, until)
        elif reason is not Reason.UNKNOWN_RECIPIENT:
            answers[position] = Refused(reason, since, ends)
    return answers


def _facts(question: Question, asked: Any, is_asked: Condition, *, address: Any) -> CTE:
    """One row for each position asked: `status`, `suppression` (its place in PRECEDENCE), and the choice of every step.

    Materialised, so that the rungs of the ladder compare stored values instead of looking things up again.
    """
    columns: list[ColumnElement[Any]] = [
        asked.c.position,
        RecipientRow.status.label("status"),
        _suppression(question.path, address).label("suppression"),
    ]
    source = asked.outerjoin(RecipientRow, is_asked)
    for number, step in enumerate(steps_of(question.path, question.training_id)):
        choice = aliased(ChoiceRow)
        source = source.outerjoin(
            choice,
            and_(
                choice.recipient_id == RecipientRow.id,
                choice.purpose_id == step.purpose.id,
                choice.training_id == step.training_id,
            ),
        )
        columns += [getattr(choice, name).label(f"{name}_{number}") for name in _CHOICE]
    return select(*columns).select_from(source).cte("facts").prefix_with("MATERIALIZED")


def _suppression(path: Sequence[Purpose], address: Any) -> ColumnElement[int]:
    """The twin of Suppression.covers() and PRECEDENCE: the first reason that stands in the way, as its place there."""
    if path[0].about is About.PUBLICATION:
        covers: Condition = SuppressionRow.reason == SuppressionReason.ERASED
    else:
        covers = or_(
            SuppressionRow.scope != SuppressionScope.PURPOSE,
            SuppressionRow.purpose_id.in_({purpose.id for purpose in (path[0], path[-1])}),
        )
    place = case({reason: place for place, reason in enumerate(PRECEDENCE)}, value=SuppressionRow.reason)
    found = select(func.min(place)).where(
        SuppressionRow.address_index == address, SuppressionRow.lifted_at.is_(None), covers
    )
    return cast(ColumnElement[int], found.scalar_subquery())


@dataclass(frozen=True, slots=True)
class _Rung:
    """When this holds, and no rung above it does, that is the answer."""

    when: Condition
    reason: Reason | ColumnElement[Any]
    basis: ColumnElement[Any] = field(default_factory=null)
    since: ColumnElement[Any] = field(default_factory=null)
    until: ColumnElement[Any] = field(default_factory=null)


@dataclass(frozen=True, slots=True)
class _Level:
    """A step with the columns of its choice: the twin of domain.eligibility.Level."""

    step: Step
    leaf: Purpose
    act: ColumnElement[Any]
    basis: ColumnElement[Any]
    since: ColumnElement[Any]
    paused_at: ColumnElement[Any]
    paused_until: ColumnElement[Any]

    def granted_basis(self) -> ColumnElement[Any]:
        """The twin of `_granted_basis`, for rows where `grants` holds."""
        basis = func.coalesce(self.basis, literal(self.step.purpose.lawful_basis, _BASIS))
        if self.step.purpose.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST:
            restored = literal(LawfulBasis.LEGITIMATE_INTEREST, _BASIS)
            return case((self.act == Act.OBJECTION_LIFTED, restored), else_=basis)
        return basis

    def grants(self) -> Condition:
        """The twin of Choice.grants(), and of a customer exception being accepted. Never NULL."""
        restores = self.act == Act.OBJECTION_LIFTED
        if self.step.purpose.lawful_basis is not LawfulBasis.LEGITIMATE_INTEREST:
            restores = and_(restores, self.basis == LawfulBasis.SOFT_OPT_IN)
        grants = or_(self.act == Act.GIVEN, restores)
        if not accepts_customer_exception(self.step.purpose, self.leaf):
            grants = and_(grants, self.granted_basis() != LawfulBasis.SOFT_OPT_IN)
        return func.coalesce(grants, false())

    def is_paused(self, at: datetime) -> Condition:
        """The twin of Choice.is_paused(). Never NULL."""
        newest = or_(self.since.is_(None), self.paused_at >= self.since)
        return func.coalesce(and_(self.paused_until > at, newest), false())


def _ladder(question: Question, facts: CTE) -> Select[Any]:
    """The twin of decide(): its steps from top to bottom."""
    levels = _levels(question, facts)
    rungs = [
        *(_Rung(facts.c.suppression == place, suppressed(reason)) for place, reason in enumerate(PRECEDENCE)),
        _Rung(facts.c.status.is_(None), Reason.UNKNOWN_RECIPIENT),
        *(
            _Rung(facts.c.status == status, Reason(status.value))
            for status in RecipientStatus
            if status is not RecipientStatus.ACTIVE
        ),
        *(_stop(level, levels) for level in levels),
        *(_pause(level, levels, question.at) for level in levels),
        *_permissions(levels),
    ]
    return select(
        facts.c.position,
        case(*((rung.when, _reason(rung.reason)) for rung in rungs)),
        type_coerce(case(*((rung.when, rung.basis) for rung in rungs)), _BASIS),
        type_coerce(case(*((rung.when, rung.since) for rung in rungs)), UtcDateTime()),
        type_coerce(case(*((rung.when, rung.until) for rung in rungs)), UtcDateTime()),
    )


def _levels(question: Question, facts: CTE) -> list[_Level]:
    return [
        _Level(step, question.path[-1], *(facts.c[f"{name}_{number}"] for name in _CHOICE))
        for number, step in enumerate(steps_of(question.path, question.training_id))
    ]


def _reason(reason: Reason | ColumnElement[Any]) -> ColumnElement[Any]:
    return literal(reason, _REASON) if isinstance(reason, Reason) else reason


def _stop(level: _Level, levels: Sequence[_Level]) -> _Rung:
    overruled = [and_(part.grants(), part.since > level.since) for part in levels if part.step.narrows(level.step)]
    reason = case({act: literal(reason, _REASON) for act, reason in STOP_REASONS.items()}, value=level.act)
    stops = level.act.in_(list(STOP_REASONS))
    return _Rung(and_(stops, ~or_(false(), *overruled)), reason, since=level.since)


def _pause(level: _Level, levels: Sequence[_Level], at: datetime) -> _Rung:
    """The pause that ends last; of those that end together, the most general."""
    ends_last = [
        or_(~other.is_paused(at), other.paused_until <= level.paused_until) for other in levels if other is not level
    ]
    return _Rung(and_(level.is_paused(at), *ends_last), Reason.PAUSED, since=level.paused_at, until=level.paused_until)


def _permissions(levels: Sequence[_Level]) -> list[_Rung]:
    leaf = levels[-1].leaf
    rungs = [
        _Rung(level.grants(), Reason.ALLOWED, basis=level.granted_basis(), since=level.since)
        for level in reversed(levels)
        if level.step.purpose.lawful_basis is leaf.lawful_basis
    ]
    if leaf.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST:
        return [*rungs, _Rung(true(), Reason.ALLOWED, basis=literal(LawfulBasis.LEGITIMATE_INTEREST, _BASIS))]
    return [*rungs, _Rung(true(), Reason.NO_BASIS)]
