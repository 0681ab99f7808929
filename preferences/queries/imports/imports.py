"""Imports: how far each has come, and the report by line of what it would do or did."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Actor
from preferences.domain.errors import NotFound
from preferences.domain.intake import Outcome, RowResult
from preferences.models.import_batch import ImportBatchRow, ImportPartRow, ImportStage, PartKind, open_part

NOT_A_STOP = frozenset({"suppressed_erased", "restricted", "paused"})
"""Reasons for holding a row that are no opt-out."""

PERCENT_READ = "percent_read"
"""Stands alone in `planned` while the dry run goes on."""

ROWS_A_PART = 10_000
"""More rows than any part of a report has: a place in a report is its part times this, and the row within it."""

MOST_PARTS = 2**31 - 1

_COLUMNS = (
    ImportBatchRow.id,
    ImportBatchRow.stage,
    ImportBatchRow.filename,
    ImportBatchRow.size,
    ImportBatchRow.digest,
    ImportBatchRow.reading,
    ImportBatchRow.actor,
    ImportBatchRow.actor_id,
    ImportBatchRow.planned,
    ImportBatchRow.applied,
    ImportBatchRow.rows,
    ImportBatchRow.position,
    ImportBatchRow.created_at,
    ImportBatchRow.planned_at,
    ImportBatchRow.started_at,
    ImportBatchRow.finished_at,
)


@dataclass(frozen=True, slots=True)
class ImportView:
    """One import. `planned` and `applied` count rows by outcome (`held`) and by outcome and reason (`held/withdrawn`)."""

    id: int
    stage: ImportStage
    filename: str
    size: int
    digest: bytes | None
    reading: Mapping[str, Any]
    actor: Actor
    actor_id: int | None
    planned: Mapping[str, int]
    applied: Mapping[str, int]
    rows: int | None
    position: int
    created_at: datetime
    planned_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def waits_for_columns(self) -> bool:
        """Whether the file is here, and somebody has to say what its columns are."""
        return self.stage is ImportStage.RECEIVING and self.digest is not None

    @property
    def percent_done(self) -> int:
        """How far the dry run, or once it is begun the application, has come."""
        if self.started_at is not None:
            return 100 * self.position // max(1, self.rows or 0)
        return self.planned.get(PERCENT_READ, 0)

    @property
    def counts(self) -> Mapping[str, int]:
        """Rows by outcome: as applied once it has begun, before that as the dry run saw them."""
        found = self.applied if self.started_at is not None else self.planned
        return {outcome.value: found.get(outcome.value, 0) for outcome in Outcome}

    @property
    def would_revive(self) -> int:
        """Rows held because they would reach people who opted out (T21)."""
        found = self.applied if self.started_at is not None else self.planned
        held = {key.partition("/")[2]: count for key, count in found.items() if key.startswith("held/")}
        return sum(count for reason, count in held.items() if reason not in NOT_A_STOP)


def import_by_id(session: Session, import_id: int) -> ImportView:
    """The import with this number. Raises NotFound."""
    found = _views(session, ImportBatchRow.id == import_id)
    if not found:
        raise NotFound(f"There is no import {import_id}.")
    return found[0]


def newest_imports(session: Session, *, limit: int = 50) -> list[ImportView]:
    """The newest imports, newest first."""
    rows = session.execute(select(*_COLUMNS).order_by(ImportBatchRow.id.desc()).limit(limit))
    return [ImportView(*row) for row in rows]


def imports_before(session: Session, before: int | None, *, limit: int) -> list[ImportView]:
    """Imports below this number, newest first."""
    wanted = select(*_COLUMNS).order_by(ImportBatchRow.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(ImportBatchRow.id < before)
    return [ImportView(*row) for row in session.execute(wanted)]


def oldest_imports_in(session: Session, stages: Collection[ImportStage], *, limit: int) -> list[ImportView]:
    """The imports that have been in these stages longest, oldest first: they are dropped first, too."""
    wanted = select(*_COLUMNS).where(ImportBatchRow.stage.in_(stages)).order_by(ImportBatchRow.id).limit(limit)
    return [ImportView(*row) for row in session.execute(wanted)]


def import_of(session: Session, mailer_id: int, import_id: int) -> ImportView:
    """The import with this number, provided that this mailer brought it. Raises NotFound, for others' imports too."""
    found = _views(
        session,
        and_(
            ImportBatchRow.id == import_id, ImportBatchRow.actor == Actor.MAILER, ImportBatchRow.actor_id == mailer_id
        ),
    )
    if not found:
        raise NotFound(f"This mailer has no import {import_id}.")
    return found[0]


def unfinished_imports_of(session: Session, mailer_id: int) -> int:
    """How many imports of this mailer still hold a file."""
    unfinished = (ImportStage.RECEIVING, ImportStage.RECEIVED, ImportStage.PLANNED, ImportStage.APPLYING)
    return (
        session.scalar(
            select(func.count())
            .select_from(ImportBatchRow)
            .where(ImportBatchRow.stage.in_(unfinished))
            .where(ImportBatchRow.actor == Actor.MAILER, ImportBatchRow.actor_id == mailer_id)
        )
        or 0
    )


def waiting_imports(session: Session, *, now: datetime) -> list[int]:
    """Imports that a worker can go on with, oldest first: received or begun, and nobody works on them.

    Those of the command line are not among them: the command does its own work, and goes on with it when it is run again.
    """
    return list(
        session.scalars(
            select(ImportBatchRow.id)
            .where(ImportBatchRow.stage.in_((ImportStage.RECEIVED, ImportStage.APPLYING)))
            .where(ImportBatchRow.actor != Actor.SYSTEM)
            .where(or_(ImportBatchRow.claimed_until.is_(None), ImportBatchRow.claimed_until <= now))
            .order_by(ImportBatchRow.id)
        )
    )


def _views(session: Session, condition: ColumnElement[bool]) -> list[ImportView]:
    return [ImportView(*row) for row in session.execute(select(*_COLUMNS).where(condition))]


def part_of(session: Session, import_id: int, kind: PartKind, number: int) -> bytes | None:
    """One part of a file or report; None after the last."""
    stored = session.scalar(
        select(ImportPartRow.content).where(
            ImportPartRow.import_id == import_id, ImportPartRow.kind == kind, ImportPartRow.number == number
        )
    )
    return None if stored is None else open_part(bytes(stored), import_id, kind, number)


def report_rows(session: Session, import_id: int, kind: PartKind) -> Iterator[RowResult]:
    """What the dry run foresaw (`dry_run`) or what was done (`applied`), line by line, streamed. Empty where not begun."""
    number = 1
    while (part := part_of(session, import_id, kind, number)) is not None:
        number += 1
        for line, outcome, *why in json.loads(part):
            yield RowResult(line, Outcome(outcome), None, *why)


def report_page(
    session: Session, import_id: int, kind: PartKind, outcomes: Collection[Outcome], *, after: int, limit: int
) -> list[tuple[int, RowResult]]:
    """Up to `limit` lines with these outcomes behind a place in the report, each with its own place; 0: from the start."""
    found: list[tuple[int, RowResult]] = []
    number, wanted = min(max(1, after // ROWS_A_PART), MOST_PARTS), {one.value for one in outcomes}
    while (part := part_of(session, import_id, kind, number)) is not None:
        for row, (line, outcome, *why) in enumerate(json.loads(part)):
            place = number * ROWS_A_PART + row
            if outcome in wanted and place > after:
                found.append((place, RowResult(line, Outcome(outcome), None, *why)))
                if len(found) == limit:
                    return found
        number += 1
    return found


def report_part(results: list[RowResult]) -> bytes:
    """Results as a part of a report; `report_rows` reads it."""
    rows = [
        (one.line, one.outcome.value, one.reason, one.detail)
        if one.reason or one.detail
        else (one.line, one.outcome.value)
        for one in results
    ]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()
