"""`flask backup` and `flask restore`: a consistent copy of either database, the proof that it is one, and the way back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from alembic.runtime.environment import EnvironmentContext
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from preferences.config import Settings
from preferences.extensions import alembic
from preferences.integrations.database_copies import (
    CopyFailed,
    CopyKind,
    copy_database,
    digest_of,
    identity_of,
    is_intact,
    kind_of_file,
    kind_of_url,
    restore_copy,
    scratch_restored,
)
from preferences.models.transaction import prepare_engine, transaction
from preferences.services.ledger.sealing import SealKeys
from preferences.services.upkeep.backups import MadeCopy, record_backup, record_backup_check
from preferences.services.upkeep.copy_check import CheckedCopy, check_copy

NO_KEYS = "The keys are not in it: keep them apart, without them it cannot be read (docs/keys.md)."

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--record-only",
    is_flag=True,
    help="Write nothing: only note that a copy was made by other means, FILE if it is within reach.",
)
@_JSON
@with_appcontext
def backup(file: Path | None, record_only: bool, as_json: bool) -> None:
    """Write a consistent copy of the database to FILE while the service runs, and note it. Never the keys."""
    if file is None and not record_only:
        raise click.UsageError("say where to: FILE")
    url, made_at = _settings().database_url, datetime.now(UTC)
    try:
        kind = kind_of_url(url) if record_only or file is None else copy_database(url, file)
        size = None if file is None else _size(file)
        copy = MadeCopy(identity_of(url), size, None if file is None else digest_of(file))
    except CopyFailed as error:
        raise click.ClickException(str(error)) from error
    is_noted = _note(lambda session: record_backup(session, copy, made_at=made_at, now=datetime.now(UTC)))
    if as_json:
        told = {"file": None if file is None else str(file), "database": kind, "bytes": size, "recorded": is_noted}
        click.echo(json.dumps({**told, "made_at": made_at.isoformat(timespec="seconds")}))
    elif record_only:
        click.echo("Noted." if is_noted else "Not noted.")
    else:
        click.echo(f"{file}: a copy of {kind}, {size} bytes.")
    if record_only and not is_noted:
        raise SystemExit(1)
    if not record_only:
        click.echo(NO_KEYS, err=True)


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--check", "only_check", is_flag=True, help="Restore into a scratch database, check it, and remove it again."
)
@click.option("--into", "target", metavar="URL", help="The empty database to fill. One that holds anything is refused.")
@click.option(
    "--server", metavar="URL", help="With --check: the PostgreSQL to make the scratch database on, if not our own."
)
@_JSON
@with_appcontext
def restore(file: Path, only_check: bool, target: str | None, server: str | None, as_json: bool) -> None:
    """Check a copy, or fill an empty database from it."""
    if only_check == (target is not None):
        raise click.UsageError("say either --check or --into URL")
    try:
        if target is not None:
            restore_copy(file, target)
            click.echo(json.dumps({"restored": True}) if as_json else _WHAT_NEXT)
            return
        digest = digest_of(file)
        checked, behind = _check(file, server or _settings().database_url)
    except CopyFailed as error:
        raise click.ClickException(str(error)) from error
    is_sound = checked.is_sound
    _note(lambda session: record_backup_check(session, digest, is_sound=is_sound, now=datetime.now(UTC)))
    _tell(checked, behind, as_json)
    if not checked.is_sound:
        raise SystemExit(1)


_WHAT_NEXT = (
    "Restored. Set PREFERENCES_DATABASE_URL to it, give it the keys it was made with, then run `setup` and `ledger verify`,\n"
    "and erase once more whoever was erased after the copy was made."
)


def _note(what: Callable[[Session], object]) -> bool:
    """Write it down in our own database. A copy is worth the same where that cannot be: it is said, and nothing fails."""
    try:
        with transaction() as session:
            what(session)
    except DBAPIError as error:
        why = type(error.orig).__name__
        click.echo(f"It could not be noted in the database ({why}), so the self-check will not know of it.", err=True)
        return False
    return True


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise CopyFailed(f"{file}: {error.strerror}") from error


def _check(file: Path, beside: str) -> tuple[CheckedCopy, int]:
    """What is in the copy, and how many migrations it lacks; they are applied to the scratch database first."""
    if kind_of_file(file) is CopyKind.SQLITE and not is_intact(file):
        raise CopyFailed(f"{file} is damaged: SQLite finds errors in it")
    with scratch_restored(file, beside) as url:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), hide_parameters=True)
        prepare_engine(engine)
        try:
            behind = _migrate(engine)
            with Session(engine) as session:
                checked = check_copy(session, SealKeys(_settings().seal_keys).public)
                session.rollback()
        finally:
            engine.dispose()
    return checked, behind


def _migrate(engine: Engine) -> int:
    """Bring the scratch database to the newest schema. Raises CopyFailed where the copy comes from newer code, or is none."""
    script = alembic.script_directory
    with engine.connect() as connection:
        steps = 0

        def upgrade(revision: Any, _context: object) -> list[Any]:
            nonlocal steps
            if not revision:
                raise CopyFailed("that database is not one of this service")
            if any(script.get_revision(one) is None for one in revision):
                raise CopyFailed("the copy was made by newer code")
            found = script._upgrade_revs("heads", revision)
            steps = len(found)
            return list(found)

        environment = EnvironmentContext(alembic.config, script, fn=upgrade)
        environment.configure(connection=connection, render_as_batch=True)
        with environment.begin_transaction():
            environment.run_migrations()
        connection.commit()
    return steps


def _tell(found: CheckedCopy, behind: int, as_json: bool) -> None:
    facts = {
        "recipients": found.recipients,
        "entries": found.entries,
        "suppressions": found.suppressions,
        "heads": found.seal.heads,
        "differences": len(found.ledger.differences),
        "findings": found.seal.count,
        "unreadable": list(found.unreadable),
        "migrations_behind": behind,
        "sound": found.is_sound,
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(f"{found.recipients} recipients, {found.entries} ledger entries, {found.suppressions} suppressions.")
    click.echo(
        f"{found.seal.heads} heads over {found.seal.sealed} entries, {found.seal.count} findings; "
        f"{len(found.ledger.differences)} choices differ from the ledger."
    )
    if behind:
        click.echo(f"It lacks {behind} migrations: run `setup` after restoring it.")
    for where in found.unreadable:
        click.echo(f"Values in {where} do not open with the keys that are set.", err=True)
    click.echo("The copy is sound." if found.is_sound else "The copy is NOT sound.")


def _settings() -> Settings:
    settings: Settings = current_app.extensions["preferences.settings"]
    return settings
