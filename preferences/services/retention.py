"""Applies the table of domain.retention_rules: says what would go, removes it in portions, records what was removed.

The short periods are kept by the worker's hourly work as well; here they are shown, counted and recorded with the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.orm import Session

from preferences.domain.retention import Kind, Rule, RunSource
from preferences.domain.retention_rules import RULES
from preferences.models.retention import RetentionRunRow

from .retention_kinds import DUE, REMOVE

PORTION = 1_000
"""Rows a transaction."""
PEOPLE = 50
"""People a transaction, where a whole person goes: so few that nobody waits long for the writer."""
Months = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule, the period that is set, what it would remove now, and when it last ran."""

    rule: Rule
    how_long: str
    due: int
    last_ran_at: datetime | None
    last_removed: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one run of a rule has come: the key of the last row it looked at, its row in the record, what went so far."""

    rule: Rule
    after: Any = None
    run_id: int | None = None
    removed: int = 0
    is_done: bool = False


def retention_standing(session: Session, months: Months, *, now: datetime) -> list[Standing]:
    """Every kind of data in the order of the table. Changes nothing."""
    last = _last_runs(session)
    return [
        Standing(rule, rule.how_long(months), count_due(session, rule, months, now=now), *last.get(kind, (None, None)))
        for kind, rule in RULES.items()
    ]


def count_due(session: Session, rule: Rule, months: Months, *, now: datetime) -> int:
    """How much the rule would remove now."""
    cutoff = rule.cutoff(months, now)
    if cutoff is None:
        return 0
    return session.scalar(select(func.count()).select_from(DUE[rule.kind](cutoff).subquery())) or 0


def first_of(rule: Rule) -> Progress:
    """A run of the rule that has not begun."""
    return Progress(rule)


def next_portion(
    session: Session, run: Progress, months: Months, *, source: RunSource, now: datetime, limit: int = PORTION
) -> Progress:
    """Remove one portion and add it to the run's row in the record, both in this transaction: broken off, the record is true.

    `now` is the moment the run began, and stays so until it `is_done`: what becomes old meanwhile is for the next run.
    """
    cutoff = run.rule.cutoff(months, now)
    kind, after = run.rule.kind, run.after
    most = min(limit, PEOPLE) if kind is Kind.UNUSED_RECIPIENTS else limit
    if cutoff is None:
        taken = []
    else:
        found = [tuple(row) for row in session.execute(_after(DUE[kind](cutoff), after).limit(most))]
        taken = [row[0] if len(row) == 1 else row for row in found]
        if taken:
            REMOVE[kind](session, taken, cutoff, now)
            after = taken[-1]
    run_id = _record(session, run, len(taken), source=source, now=now)
    return replace(run, after=after, run_id=run_id, removed=run.removed + len(taken), is_done=len(taken) < most)


def run_retention(session: Session, months: Months, *, source: RunSource, now: datetime, limit: int = PORTION) -> int:
    """One portion of every rule, recorded. Returns how much went."""
    rules = [rule for rule in RULES.values() if not rule.is_kept]
    return sum(
        next_portion(session, first_of(rule), months, source=source, now=now, limit=limit).removed for rule in rules
    )


def _after(due: Select[Any], last: Any) -> Select[Any]:
    """From the row after the one looked at last: what stays is passed over once in a run, and not in every portion."""
    columns = list(due.selected_columns)
    if len(columns) > 1:
        return due
    due = due.order_by(None).order_by(columns[0])
    return due if last is None else due.where(columns[0] > last)


def _record(session: Session, run: Progress, removed: int, *, source: RunSource, now: datetime) -> int:
    if run.run_id is None:
        values = {"rule": run.rule.kind.value, "source": source.value, "ran_at": now, "removed": removed}
        return session.execute(insert(RetentionRunRow).values(values).returning(RetentionRunRow.id)).scalar_one()
    if removed:
        more = RetentionRunRow.removed + removed
        session.execute(update(RetentionRunRow).where(RetentionRunRow.id == run.run_id).values(removed=more))
    return run.run_id


def _last_runs(session: Session) -> dict[Kind, tuple[datetime, int]]:
    newest = select(func.max(RetentionRunRow.id)).group_by(RetentionRunRow.rule)
    rows = session.execute(
        select(RetentionRunRow.rule, RetentionRunRow.ran_at, RetentionRunRow.removed).where(
            RetentionRunRow.id.in_(newest)
        )
    )
    return {Kind(rule): (ran_at, removed) for rule, ran_at, removed in rows if rule in set(Kind)}
