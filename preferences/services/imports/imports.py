"""Imports: receive a file, say what it would do, then do it chunk by chunk. What is stopped anywhere goes on where it was.

An import spans many transactions, so the edge lends its own (`ImportTools`) instead of one session. A chunk's rows, its part of
the report and the new position are one transaction: after a `kill -9` it is wholly applied or wholly not, and no row is
recorded twice. The file lies encrypted in the database, with its SHA-256, until the import is done: what the dry run read is
what is applied.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import PurePath
from typing import Any, BinaryIO

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Actor
from preferences.domain.errors import Conflict
from preferences.domain.intake import IncomingRecipient, RowResult
from preferences.domain.seen import SeenLines
from preferences.models.import_batch import ImportBatchRow, ImportPartRow, ImportStage, PartKind, seal_part
from preferences.queries.imports.imports import PERCENT_READ, ImportView, import_by_id, part_of, report_part
from preferences.services.intake.intake import plan_intake

from .files import PART_BYTES, PartsStream, buffered

CHUNK_ROWS = 1000
"""Rows a transaction: long enough to be fast, short enough that a one-click hardly waits for SQLite's one writer."""

GIVE_WAY_SECONDS = 0.025
"""SQLite's waiting writers look again at least this often during their first tenth of a second."""

KEPT_FOR = timedelta(days=7)
"""How long a file may wait to be applied; then it is removed."""

CLAIM = timedelta(minutes=2)
"""How long a claim on an import holds; whoever works on it renews it with every chunk."""

NOTED_EVERY = timedelta(seconds=1)
"""How often a dry run stores how far it has come, for those who watch it."""

Transaction = Callable[[], AbstractContextManager[Session]]
ReadRows = Callable[[BinaryIO, Mapping[str, Any]], Iterator[IncomingRecipient | RowResult]]
Progress = Callable[[int], None]
"""Called with the number of rows just done."""


def no_progress(_rows: int) -> None:
    """For edges that ask the queries instead."""


def do_not_sleep(_seconds: float) -> None:
    """For edges that are themselves what others would wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTools:
    """What an edge lends: its transactions, its clock, and how a stored file is read."""

    transaction: Transaction
    reading: Transaction
    read_rows: ReadRows
    now: Callable[[], datetime]
    sleep: Callable[[float], None] = do_not_sleep
    """Called between two chunks when others are writing, too, and there is but one writer at a time."""


def receive_import(
    tools: ImportTools,
    stream: BinaryIO,
    *,
    filename: str,
    reading: Mapping[str, Any],
    actor: Actor,
    actor_id: int | None,
) -> ImportView:
    """Store the file for its dry run. `reading` says how it is read and is handed back to `read_rows`."""
    view = store_import(tools, stream, filename=filename, reading=reading, actor=actor, actor_id=actor_id)
    with tools.transaction() as session:
        _set(session, view.id, stage=ImportStage.RECEIVED)
        return import_by_id(session, view.id)


def store_import(
    tools: ImportTools,
    stream: BinaryIO,
    *,
    filename: str,
    reading: Mapping[str, Any],
    actor: Actor,
    actor_id: int | None,
) -> ImportView:
    """Store the file, a part a transaction; before its dry run somebody has to say what its columns are."""
    with tools.transaction() as session:
        import_id = create_import(
            session, filename=filename, reading=reading, actor=actor, actor_id=actor_id, now=tools.now()
        )
    digest, size, number = sha256(), 0, 1
    stream.seek(0)
    while part := stream.read(PART_BYTES):
        digest.update(part)
        size += len(part)
        sealed = seal_part(part, import_id, PartKind.FILE, number)
        with tools.transaction() as session:
            session.add(ImportPartRow(import_id=import_id, kind=PartKind.FILE, number=number, content=sealed))
        number += 1
    with tools.transaction() as session:
        _set(session, import_id, size=size, digest=digest.digest())
        return import_by_id(session, import_id)


def create_import(
    session: Session, *, filename: str, reading: Mapping[str, Any], actor: Actor, actor_id: int | None, now: datetime
) -> int:
    """Begin an import. Its file follows in parts. Returns its id."""
    row = ImportBatchRow(
        stage=ImportStage.RECEIVING,
        filename=PurePath(filename.replace("\\", "/").replace("\x00", "")).name[:200] or "unnamed",
        reading=reading,
        actor=actor,
        actor_id=actor_id,
        planned={},
        applied={},
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row.id


def dry_run(tools: ImportTools, import_id: int, *, progress: Progress = no_progress) -> ImportView:
    """Say what every row would do, without doing it. May be repeated until the import is begun.

    Raises Conflict after that, and where somebody has discarded it or chosen other columns meanwhile.
    """
    with tools.reading() as session:
        view = import_by_id(session, import_id)
    if view.stage not in {ImportStage.RECEIVED, ImportStage.PLANNED}:
        raise Conflict(f"Import {import_id} is {view.stage}: there is nothing to try out.")
    seen, counts, parts = SeenLines(), Counter[str](), list[bytes]()
    file, noted_at = open_file(tools, view), tools.now()
    while chunk := list(islice(file.rows, CHUNK_ROWS)):
        with tools.reading() as session:
            results = plan_intake(session, chunk, now=tools.now(), seen=seen)
        counts.update(count_results(results))
        parts.append(seal_part(report_part(results), import_id, PartKind.DRY_RUN, 1 + len(parts)))
        progress(len(results))
        if view.stage is ImportStage.RECEIVED and tools.now() - noted_at >= NOTED_EVERY:
            noted_at = tools.now()
            with tools.transaction() as session:
                _set(session, import_id, planned={PERCENT_READ: 100 * file.stream.position // max(1, view.size)})
    file.check()
    with tools.transaction() as session:
        now_stored = held_import(session, import_id)
        if (now_stored.stage, now_stored.reading) != (view.stage, view.reading):
            raise Conflict(f"Import {import_id} has moved on meanwhile, and is {now_stored.stage}.")
        forget_parts(session, import_id, PartKind.DRY_RUN)
        for number, content in enumerate(parts, start=1):
            session.add(ImportPartRow(import_id=import_id, kind=PartKind.DRY_RUN, number=number, content=content))
        rows = sum(counts[key] for key in counts if "/" not in key)
        _set(session, import_id, stage=ImportStage.PLANNED, planned=dict(counts), rows=rows, planned_at=tools.now())
        session.flush()
        return import_by_id(session, import_id)


def begin_import(session: Session, import_id: int, *, now: datetime) -> None:
    """Have a worker apply a planned import. Repeating it changes nothing. Raises NotFound, or Conflict without a dry run."""
    view = held_import(session, import_id)
    if view.stage is ImportStage.PLANNED:
        _set(session, import_id, stage=ImportStage.APPLYING, started_at=now)
    elif view.stage is not ImportStage.APPLYING:
        hint = "its dry run is not done yet" if view.stage is ImportStage.RECEIVED else "it cannot be applied"
        raise Conflict(f"Import {import_id} is {view.stage}: {hint}.")


def discard_import(session: Session, import_id: int, *, now: datetime) -> None:
    """Give up an import that is not finished, and remove its file. What was applied stays. Raises NotFound or Conflict."""
    view = held_import(session, import_id)
    if view.stage in {ImportStage.APPLIED, ImportStage.DISCARDED}:
        raise Conflict(f"Import {import_id} is {view.stage} already.")
    _set(session, import_id, stage=ImportStage.DISCARDED, finished_at=now)
    forget_parts(session, import_id, PartKind.FILE)


def held_import(session: Session, import_id: int) -> ImportView:
    """The import as it stands, which nobody else moves on before this transaction ends. Raises NotFound."""
    session.execute(select(ImportBatchRow.id).where(ImportBatchRow.id == import_id).with_for_update())
    return import_by_id(session, import_id)


def forget_old_imports(session: Session, *, now: datetime) -> int:
    """Discard imports that have waited longer than a week, with their files. Returns how many. Safe to repeat."""
    unfinished = (ImportStage.RECEIVING, ImportStage.RECEIVED, ImportStage.PLANNED, ImportStage.APPLYING)
    old = session.scalars(
        select(ImportBatchRow.id).where(
            ImportBatchRow.stage.in_(unfinished), ImportBatchRow.created_at < now - KEPT_FOR
        )
    ).all()
    for import_id in old:
        discard_import(session, import_id, now=now)
    return len(old)


@dataclass(slots=True)
class OpenFile:
    """The rows of a stored file, and its hash once they have all been read."""

    view: ImportView
    stream: PartsStream
    rows: Iterator[IncomingRecipient | RowResult]

    def check(self) -> None:
        """Raise Conflict unless what was read is the file that was received."""
        if self.stream.digest != self.view.digest:
            raise Conflict(f"The stored file of import {self.view.id} is not the one received: receive it again.")


def open_file(tools: ImportTools, view: ImportView) -> OpenFile:
    """The stored file from its start, row by row."""
    stream = _stream(tools, view)
    return OpenFile(view, stream, tools.read_rows(buffered(stream), view.reading))


def open_stream(tools: ImportTools, view: ImportView) -> BinaryIO:
    """The stored file from its start, as bytes."""
    return buffered(_stream(tools, view))


def _stream(tools: ImportTools, view: ImportView) -> PartsStream:
    """Parts are fetched as they are needed, in short reading sessions."""

    def load(number: int) -> bytes | None:
        with tools.reading() as session:
            return part_of(session, view.id, PartKind.FILE, number)

    return PartsStream(load)


def import_source(import_id: int) -> str:
    """How an import is named where things say where they came from."""
    return f"import:{import_id}"


def count_results(results: list[RowResult]) -> Counter[str]:
    """Rows by outcome, and by outcome and reason."""
    counts = Counter(one.outcome.value for one in results)
    counts.update(f"{one.outcome.value}/{one.reason}" for one in results if one.reason)
    return counts


def finish_import(session: Session, import_id: int, *, now: datetime) -> None:
    """Everything is applied: remove the file."""
    _set(session, import_id, stage=ImportStage.APPLIED, finished_at=now)
    forget_parts(session, import_id, PartKind.FILE)


def _set(session: Session, import_id: int, **values: Any) -> None:
    session.execute(update(ImportBatchRow).where(ImportBatchRow.id == import_id).values(**values))


def forget_parts(session: Session, import_id: int, kind: PartKind) -> None:
    """Remove the file, or a report."""
    session.execute(delete(ImportPartRow).where(ImportPartRow.import_id == import_id, ImportPartRow.kind == kind))
