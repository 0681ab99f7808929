"""`POST /imports` (a CSV file), `GET /imports/{id}`, its report by line, `POST /imports/{id}/apply`: dry run first (T21)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Annotated, Any, BinaryIO, cast

from flask import url_for
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from preferences.domain.acts import Actor
from preferences.domain.errors import Conflict, NotFound
from preferences.domain.intake import Outcome
from preferences.domain.scopes import Scope
from preferences.integrations.csv_mapping import Reading, choose_reading
from preferences.integrations.csv_rows import read_rows
from preferences.models.import_batch import ImportStage, PartKind
from preferences.models.transaction import reading, transaction
from preferences.queries.imports.imports import ImportView, import_of, report_rows, unfinished_imports_of
from preferences.services.imports.imports import ImportTools, begin_import, discard_import, receive_import
from preferences.web.access import Access, access
from preferences.web.plumbing import settings, utc_now

from . import blueprint
from .answers import Answer, Stream
from .calls import Call, Effect, call
from .types import Moment, Nothing, Strict, read_number, separated, write_moment

MOST_MAPPING = 20_000
MOST_UNFINISHED = 20
"""So many files of one mailer may lie here at a time."""

CsvFile = Annotated[
    FileStorage,
    WithJsonSchema({"type": "string", "format": "binary", "description": "The CSV file, with its name."}),
]


class ImportAsked(Strict, arbitrary_types_allowed=True):
    """A file to import. Nothing is imported before it is applied."""

    file: CsvFile
    mapping: Annotated[
        str | None,
        Field(max_length=MOST_MAPPING, description="Which column is which field, as JSON; guessed where left out."),
    ] = None


class ImportShown(BaseModel):
    """An import and how far it has come."""

    id: int
    stage: Annotated[
        ImportStage, Field(description="`received`, then `planned` (dry run done), `applying`, `applied`.")
    ]
    filename: str
    bytes: int
    sha256: str | None
    rows: Annotated[int | None, Field(description="Rows in the file, known after the dry run.")]
    applied: Annotated[int, Field(description="Rows worked through.")]
    counts: Annotated[dict[Outcome, int], Field(description="Rows by outcome: as foreseen, once it is begun as done.")]
    reasons: Annotated[dict[str, int], Field(description="The same by outcome and reason, such as `held/withdrawn`.")]
    would_revive: Annotated[int, Field(description="Rows held because they would reach people who opted out.")]
    columns: Annotated[dict[str, str], Field(description="Fields and the headers they are read from.")]
    not_read: Annotated[list[str], Field(description="Headers of columns that are not read.")]
    created_at: Moment
    planned_at: Moment | None
    started_at: Moment | None
    finished_at: Moment | None


class ReportAsked(Strict):
    """Which lines."""

    outcome: Annotated[
        list[Annotated[Outcome, Field(strict=False)]] | None,
        BeforeValidator(separated),
        Field(min_length=1, max_length=len(Outcome), description="Only lines with these outcomes."),
    ] = None


class ReportLine(BaseModel):
    """What becomes of one line of the file. It holds no address."""

    line: int
    outcome: Outcome
    reason: str | None
    detail: str | None


class ReportShown(BaseModel):
    """What the dry run foresaw or, once the import is begun, what was done."""

    lines: list[ReportLine]
    count: int


@blueprint.post("/imports")
@access(Access.MAILER)
@call(
    scope=Scope.IMPORTS,
    summary="Upload a CSV file for a dry run",
    takes=ImportAsked,
    gives=ImportShown,
    effect=Effect.CHANGES,
    statuses=(202,),
    problems=(409,),
    upload="file",
)
def upload_import(call: Call[ImportAsked]) -> Answer:
    """The file is stored, encrypted, and a worker does the dry run. Look at `stage`, and read the report before you apply."""
    if unfinished_imports_of(call.session, call.key.mailer.id) >= MOST_UNFINISHED:
        raise Conflict(f"{MOST_UNFINISHED} imports of this mailer are not finished: apply or discard one first.")
    file = call.body.file
    stream = cast("BinaryIO", file.stream)
    chosen = choose_reading(stream, call.body.mapping, time_zone=settings().time_zone)
    view = receive_import(
        replace(_tools(), transaction=lambda: nullcontext(call.session)),
        stream,
        filename=file.filename or "",
        reading=chosen.as_json(),
        actor=Actor.MAILER,
        actor_id=call.key.mailer.id,
    )
    place = url_for("api.get_import", import_id=view.id)
    return Answer(_as_json(view), status=202, headers={"Location": place})


@blueprint.get("/imports/<import_id>")
@access(Access.MAILER)
@call(
    scope=Scope.IMPORTS,
    summary="Show an import and its progress",
    takes=Nothing,
    gives=ImportShown,
    effect=Effect.READS,
    problems=(404,),
)
def get_import(call: Call[Nothing], import_id: str) -> Answer:
    """Stage, counts by outcome, and how many rows are worked through. Only this mailer's own imports are found."""
    return Answer(_as_json(_own(call, import_id)))


@blueprint.get("/imports/<import_id>/report")
@access(Access.MAILER)
@call(
    scope=Scope.IMPORTS,
    summary="Read the report by line",
    takes=ReportAsked,
    gives=ReportShown,
    effect=Effect.READS,
    rows="lines",
    problems=(404,),
)
def get_report(call: Call[ReportAsked], import_id: str) -> Stream:
    """Streamed, in the order of the file. `?outcome=held,invalid` gives the lines that somebody should look at."""
    view = _own(call, import_id)
    kind = PartKind.DRY_RUN if view.started_at is None else PartKind.APPLIED
    return Stream(_lines(call.session, view, kind, set(call.body.outcome or Outcome)), name="lines")


@blueprint.post("/imports/<import_id>/apply")
@access(Access.MAILER)
@call(
    scope=Scope.IMPORTS,
    summary="Apply an import after its dry run",
    takes=Nothing,
    gives=ImportShown,
    effect=Effect.CHANGES,
    statuses=(202,),
    problems=(404, 409),
)
def apply_import(call: Call[Nothing], import_id: str) -> Answer:
    """A worker applies it, in chunks; `applied` counts the rows. Nobody is revived: such rows are held."""
    view = _own(call, import_id)
    begin_import(call.session, view.id, now=call.now)
    return Answer(_as_json(import_of(call.session, call.key.mailer.id, view.id)), status=202)


@blueprint.delete("/imports/<import_id>")
@access(Access.MAILER)
@call(
    scope=Scope.IMPORTS,
    summary="Discard an import that is not finished",
    takes=Nothing,
    gives=ImportShown,
    effect=Effect.CHANGES,
    problems=(404, 409),
)
def discard_own_import(call: Call[Nothing], import_id: str) -> Answer:
    """The file is removed; what was applied stays. Also stops an import that is being applied, behind the chunk in hand."""
    view = _own(call, import_id)
    discard_import(call.session, view.id, now=call.now)
    return Answer(_as_json(import_of(call.session, call.key.mailer.id, view.id)))


def _own(call: Call[Any], import_id: str) -> ImportView:
    number = read_number(import_id)
    if number is None:
        raise NotFound("There is no import with this number.")
    return import_of(call.session, call.key.mailer.id, number)


def _tools() -> ImportTools:
    return ImportTools(transaction=transaction, reading=reading, read_rows=read_rows, now=utc_now)


def _lines(session: Session, view: ImportView, kind: PartKind, outcomes: set[Outcome]) -> Iterator[dict[str, Any]]:
    for one in report_rows(session, view.id, kind):
        if one.outcome in outcomes:
            yield {"line": one.line, "outcome": one.outcome.value, "reason": one.reason, "detail": one.detail}


def _as_json(view: ImportView) -> dict[str, Any]:
    kept = Reading.from_json(view.reading)
    reasons = view.planned if view.started_at is None else view.applied
    times = {"planned_at": view.planned_at, "started_at": view.started_at, "finished_at": view.finished_at}
    return {
        "id": view.id,
        "stage": view.stage.value,
        "filename": view.filename,
        "bytes": view.size,
        "sha256": view.digest.hex() if view.digest else None,
        "rows": view.rows,
        "applied": view.position,
        "counts": dict(view.counts),
        "reasons": {key: count for key, count in reasons.items() if "/" in key},
        "would_revive": view.would_revive,
        "columns": {name: kept.headers[column] for name, column in kept.columns.items()},
        "not_read": kept.unused,
        "created_at": write_moment(view.created_at),
        **{name: moment and write_moment(moment) for name, moment in times.items()},
    }
