"""Applies a planned import, a chunk a transaction. The next chunk is checked and encrypted before its transaction begins."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from sqlalchemy import Select, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from preferences.domain.acts import Method
from preferences.domain.errors import Conflict
from preferences.domain.intake import Outcome, RowResult
from preferences.domain.seen import SeenLines
from preferences.models.bulk import others_version
from preferences.models.import_batch import ImportBatchRow, ImportPartRow, ImportStage, PartKind, seal_part
from preferences.queries.imports.imports import ImportView, import_by_id, report_part, report_rows
from preferences.queries.purposes.purposes import catalogue
from preferences.services.intake.decide import remember_line
from preferences.services.intake.intake import apply_prepared
from preferences.services.intake.prepare import Prepared, prepare_rows
from preferences.services.intake.write import Origin

from .chunks import Preparing, open_chunks
from .imports import (
    CHUNK_ROWS,
    CLAIM,
    GIVE_WAY_SECONDS,
    ImportTools,
    OpenFile,
    Progress,
    count_results,
    finish_import,
    import_source,
    no_progress,
    open_file,
)

MOST_FAILURES = 3


def apply_import(
    tools: ImportTools, import_id: int, *, progress: Progress = no_progress, preparing: Preparing = Preparing.HERE
) -> ImportView:
    """Apply an import to its end, from wherever it stands. Raises Conflict when it cannot be applied, NotFound."""
    run = open_import(tools, import_id, preparing=preparing)
    try:
        _apply_all(run, progress)
    finally:
        run.close()
    with tools.reading() as session:
        return import_by_id(session, import_id)


def _apply_all(run: ImportRun, progress: Progress) -> None:
    progress(run.position)
    failures = 0
    while True:
        try:
            done = run.apply_next_chunk()
        except OperationalError:
            failures += 1
            if failures > MOST_FAILURES:
                raise
            continue
        failures = 0
        if done == 0:
            return
        progress(done)


def open_import(tools: ImportTools, import_id: int, *, preparing: Preparing = Preparing.HERE) -> ImportRun:
    """Begin or go on with a planned import. Raises Conflict when there was no dry run, or nothing is left to apply."""
    with tools.reading() as session:
        view = import_by_id(session, import_id)
    if view.stage not in {ImportStage.PLANNED, ImportStage.APPLYING}:
        hint = {
            ImportStage.RECEIVED: "do the dry run first",
            ImportStage.RECEIVING: "its file has not arrived whole",
        }.get(view.stage, "there is nothing left to apply")
        raise Conflict(f"Import {import_id} is {view.stage}: {hint}.")
    return ImportRun(tools, view, preparing)


class ImportRun:
    """One import being applied by one process: its chunks, where it stands, and which lines were about whom."""

    def __init__(self, tools: ImportTools, view: ImportView, preparing: Preparing) -> None:
        self._tools = tools
        self._view = view
        self._seen = SeenLines()
        self._waiting: list[Prepared | RowResult] = []
        self._origin = Origin(
            source=import_source(view.id), method=Method.IMPORT, actor=view.actor, actor_id=view.actor_id
        )
        self.position = view.position
        self._version = 0
        self._others_write = False
        self._chunks = open_chunks(tools, view, self.position, preparing)
        if self.position:
            self._remember_applied(open_file(tools, view))

    def close(self) -> None:
        """Let go of what prepares the chunks."""
        self._chunks.close()

    def apply_next_chunk(self) -> int:
        """Apply one chunk and return how many rows it had; 0: everything is applied. After a failure, call again.

        Raises Conflict when another process has moved this import on.
        """
        now = self._tools.now()
        if self._others_write:
            self._tools.sleep(GIVE_WAY_SECONDS)
        chunk = self._waiting = self._waiting or self._chunks.next()
        try:
            with self._tools.transaction() as session:
                self._claim(session)
                if chunk:
                    self._apply(session, chunk)
                else:
                    finish_import(session, self._view.id, now=now)
        except BaseException:
            self._seen.forget()
            raise
        self._seen.settle()
        self._waiting = []
        self.position += len(chunk)
        return len(chunk)

    def _claim(self, session: Session) -> None:
        """Hold the import until the end of the transaction, and see that nobody else has moved it on."""
        stage, position = session.execute(
            select(ImportBatchRow.stage, ImportBatchRow.position)
            .where(ImportBatchRow.id == self._view.id)
            .with_for_update()
        ).one()
        if stage not in {ImportStage.PLANNED, ImportStage.APPLYING} or position != self.position:
            raise Conflict(f"Import {self._view.id} was moved on by another process, or is {stage}.")
        before, self._version = self._version, others_version(session)
        self._others_write = self._version != before

    def _apply(self, session: Session, chunk: list[Prepared | RowResult]) -> None:
        now = self._tools.now()
        results = apply_prepared(session, chunk, origin=self._origin, now=now, seen=self._seen)
        batch = session.get_one(ImportBatchRow, self._view.id)
        batch.stage = ImportStage.APPLYING
        batch.started_at = batch.started_at or now
        batch.applied = dict(Counter(batch.applied) + count_results(results))
        batch.position = self.position + len(chunk)
        batch.claimed_until = now + CLAIM
        number = 1 + (session.scalar(_newest_part(batch.id)) or 0)
        content = seal_part(report_part(results), batch.id, PartKind.APPLIED, number)
        session.add(ImportPartRow(import_id=batch.id, kind=PartKind.APPLIED, number=number, content=content))
        session.flush()

    def _remember_applied(self, file: OpenFile) -> None:
        """Read again what is applied, remembering the lines that were taken: a later duplicate has to be known as one."""
        with self._tools.reading() as session:
            known = catalogue(session)
            results = report_rows(session, self._view.id, PartKind.APPLIED)
            for start in range(0, self.position, CHUNK_ROWS):
                rows = list(islice(file.rows, min(CHUNK_ROWS, self.position - start)))
                for one, result in zip(prepare_rows(rows, known, now=self._tools.now()), results, strict=False):
                    if isinstance(one, Prepared) and result.outcome not in {Outcome.HELD, Outcome.INVALID}:
                        remember_line(self._seen, one)
                self._seen.settle()


def _newest_part(import_id: int) -> Select[int]:
    return select(func.max(ImportPartRow.number)).where(
        ImportPartRow.import_id == import_id, ImportPartRow.kind == PartKind.APPLIED
    )
