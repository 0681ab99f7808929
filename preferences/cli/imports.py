"""`flask import`: a dry run says what a CSV file would do, then apply does it. Can be stopped anywhere and goes on."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from preferences.config import Settings
from preferences.domain.acts import Actor
from preferences.domain.errors import InvalidValue
from preferences.domain.intake import Outcome
from preferences.integrations.csv_files import write_csv
from preferences.integrations.csv_mapping import Reading, choose_reading
from preferences.integrations.csv_rows import read_rows
from preferences.models.import_batch import PartKind
from preferences.models.transaction import reading, transaction
from preferences.queries.imports.imports import ImportView, import_by_id, newest_imports, report_rows
from preferences.services.imports.apply import apply_import
from preferences.services.imports.chunks import Preparing
from preferences.services.imports.imports import (
    ImportTools,
    Progress,
    discard_import,
    dry_run,
    no_progress,
    receive_import,
)

imports = AppGroup("import", help="Recipients from CSV files: dry run first, then apply.")

SHOWN_LINES = 10


def import_tools() -> ImportTools:
    """What a command lends an import: its transactions, the clock, and how a stored file is read."""
    return ImportTools(
        transaction=transaction,
        reading=reading,
        read_rows=read_rows,
        now=lambda: datetime.now(UTC),
        sleep=time.sleep,
    )


@imports.command("dry-run")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", help="Which column is which field: a JSON file, or the JSON itself.")
@click.option("--report", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write every line here.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def dry_run_command(file: Path, mapping: str | None, report: Path | None, as_json: bool) -> None:
    """Read FILE and say what importing it would do. Nothing is imported."""
    settings: Settings = current_app.extensions["preferences.settings"]
    with file.open("rb") as stream:
        chosen = choose_reading(stream, _mapping_text(mapping), time_zone=settings.time_zone)
        view = receive_import(
            import_tools(), stream, filename=file.name, reading=chosen.as_json(), actor=Actor.SYSTEM, actor_id=None
        )
    with _counted("rows read") as progress:
        view = dry_run(import_tools(), view.id, progress=progress)
    if report is not None:
        _write_report(view, report)
    if as_json:
        click.echo(json.dumps(_as_json(view), ensure_ascii=False))
        return
    _show(view)
    _show_lines(view)
    click.echo(f"Nothing was imported. To do it: flask --app app import apply {view.id}")


@imports.command("apply")
@click.argument("import_id", type=int)
@click.option("--report", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write every line here.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def apply_command(import_id: int, report: Path | None, as_json: bool) -> None:
    """Apply the import that a dry run has numbered, or go on with it where it was stopped."""
    with reading() as session:
        view = import_by_id(session, import_id)
    with _bar(view.rows or 0) as progress:
        view = apply_import(import_tools(), import_id, progress=progress, preparing=Preparing.BESIDE)
    if report is not None:
        _write_report(view, report)
    if as_json:
        click.echo(json.dumps(_as_json(view), ensure_ascii=False))
        return
    _show(view)


@imports.command("show")
@click.argument("import_id", type=int)
@click.option("--report", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write every line here.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def show_command(import_id: int, report: Path | None, as_json: bool) -> None:
    """How far an import has come, and what became of its rows."""
    with reading() as session:
        view = import_by_id(session, import_id)
    if report is not None:
        _write_report(view, report)
    if as_json:
        click.echo(json.dumps(_as_json(view), ensure_ascii=False))
        return
    _show(view)
    _show_lines(view)


@imports.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def list_command(as_json: bool) -> None:
    """The newest imports."""
    with reading() as session:
        views = newest_imports(session)
    if as_json:
        click.echo(json.dumps([_as_json(view) for view in views], ensure_ascii=False))
        return
    for view in views:
        rows = "?" if view.rows is None else f"{view.rows:,}"
        click.echo(f"{view.id:>6}  {view.stage:<10} {view.created_at:%Y-%m-%d %H:%M}  {rows:>10} rows  {view.filename}")


@imports.command("discard")
@click.argument("import_id", type=int)
def discard_command(import_id: int) -> None:
    """Give up an unfinished import and remove its file. What was applied stays."""
    with transaction() as session:
        discard_import(session, import_id, now=datetime.now(UTC))
    click.echo(f"Import {import_id} is discarded and its file removed.")


def _mapping_text(mapping: str | None) -> str | None:
    if mapping is None or mapping.lstrip().startswith("{"):
        return mapping
    try:
        return Path(mapping).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue(f"The mapping {mapping[:100]!r} cannot be read: give a JSON file or the JSON.") from error


def _show(view: ImportView) -> None:
    kept = Reading.from_json(view.reading)
    rows = "" if view.rows is None else f", {view.rows:,} rows"
    click.echo(f"Import {view.id} ({view.stage}): {view.filename}{rows}, {kept.encoding}, delimiter {kept.delimiter!r}")
    for field, column in kept.columns.items():
        click.echo(f"  {kept.headers[column]} -> {field}")
    for field, value in kept.constants.items():
        click.echo(f"  every row -> {field}: {value}")
    if kept.unused:
        click.echo(f"  not read: {', '.join(kept.unused)}")
    click.echo(", ".join(f"{outcome} {count:,}" for outcome, count in view.counts.items()))
    if view.would_revive:
        one = view.would_revive == 1
        click.echo(f"{view.would_revive:,} {'row' if one else 'rows'} would revive people who opted out: held.")


def _show_lines(view: ImportView) -> None:
    """The first lines that somebody should look at."""
    shown = 0
    with reading() as session:
        for one in report_rows(session, view.id, _newest_report(view)):
            if one.outcome in {Outcome.HELD, Outcome.INVALID}:
                shown += 1
                if shown > SHOWN_LINES:
                    click.echo("  … (--report FILE writes them all)")
                    return
                click.echo(f"  line {one.line}: {one.outcome}, {one.reason}. {one.detail or ''}".rstrip())


def _write_report(view: ImportView, path: Path) -> None:
    with path.open("wb") as file, reading() as session:
        for piece in write_csv(_report(session, view)):
            file.write(piece)
    click.echo(f"Every line is in {path}.", err=True)


def _report(session: Any, view: ImportView) -> Iterator[tuple[object, ...]]:
    yield ("line", "outcome", "reason", "detail")
    for one in report_rows(session, view.id, _newest_report(view)):
        yield (one.line, one.outcome.value, one.reason, one.detail)


def _newest_report(view: ImportView) -> PartKind:
    return PartKind.DRY_RUN if view.started_at is None else PartKind.APPLIED


def _as_json(view: ImportView) -> dict[str, Any]:
    kept = Reading.from_json(view.reading)
    reasons = view.planned if view.started_at is None else view.applied
    return {
        "id": view.id,
        "stage": view.stage,
        "file": view.filename,
        "bytes": view.size,
        "sha256": view.digest.hex() if view.digest else None,
        "rows": view.rows,
        "applied": view.position,
        "counts": dict(view.counts),
        "reasons": {key: count for key, count in reasons.items() if "/" in key},
        "would_revive": view.would_revive,
        "columns": {field: kept.headers[column] for field, column in kept.columns.items()},
        "not_read": kept.unused,
        "created_at": view.created_at.isoformat(),
        "finished_at": view.finished_at.isoformat() if view.finished_at else None,
    }


@contextmanager
def _bar(rows: int) -> Iterator[Progress]:
    """A progress bar on a terminal; silent elsewhere."""
    if not sys.stderr.isatty():
        yield no_progress
        return
    with click.progressbar(length=rows, label="Applying", file=sys.stderr) as bar:
        yield bar.update


@contextmanager
def _counted(what: str) -> Iterator[Progress]:
    """A running count on a terminal, where the end is not known yet."""
    if not sys.stderr.isatty():
        yield no_progress
        return
    total = 0

    def count(rows: int) -> None:
        nonlocal total
        total += rows
        click.echo(f"\r{total:,} {what}", nl=False, err=True)

    yield count
    click.echo(err=True)
