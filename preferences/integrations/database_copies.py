"""Consistent copies of a whole database, beside a running service: SQLite's backup API, PostgreSQL's pg_dump and pg_restore.

A copy of SQLite is a database file, one of PostgreSQL an archive in pg_dump's custom format. No password stands on a command
line.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path

import psycopg
from psycopg import conninfo, sql
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError


class CopyKind(StrEnum):
    """What a copy is of."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class CopyFailed(Exception):
    """The copy could not be made or read; the text says why, in one line and without a password."""


_MAGIC = {b"SQLite format 3\x00": CopyKind.SQLITE, b"PGDMP": CopyKind.POSTGRESQL}


def kind_of_url(url: str) -> CopyKind:
    """Which database a URL is of. Raises CopyFailed."""
    try:
        name = make_url(url).get_backend_name()
    except (ArgumentError, ValueError):
        raise CopyFailed("that is not the URL of a database") from None
    if name not in set(CopyKind):
        raise CopyFailed("only SQLite and PostgreSQL are known")
    return CopyKind(name)


def kind_of_file(path: Path) -> CopyKind:
    """What a file is a copy of. Raises CopyFailed."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise CopyFailed(f"{path}: {error.strerror}") from error
    for magic, kind in _MAGIC.items():
        if start.startswith(magic):
            return kind
    raise CopyFailed(f"{path} is no copy that `backup` made")


def identity_of(url: str) -> str:
    """What tells this database from any that is restored from a copy of it; the same as long as it is the same one.

    PostgreSQL: cluster and number of the database; SQLite: the file. Raises CopyFailed where it cannot be reached.
    """
    try:
        if kind_of_url(url) is CopyKind.SQLITE:
            found = _sqlite_file(url).stat()
            told = f"sqlite {found.st_dev} {found.st_ino}"
        else:
            with psycopg.connect(_plain(url), connect_timeout=10) as connection:
                row = connection.execute(
                    "SELECT oid, CASE WHEN has_function_privilege('pg_control_system()', 'execute') "
                    "THEN (SELECT system_identifier FROM pg_control_system()) END "
                    "FROM pg_database WHERE datname = current_database()"
                ).fetchone()
            told = f"postgresql {row}"
    except (OSError, psycopg.Error) as error:
        raise CopyFailed(f"the database does not answer ({type(error).__name__})") from None
    return hashlib.sha256(told.encode()).hexdigest()


def digest_of(path: Path) -> bytes:
    """The SHA-256 of a file. Raises CopyFailed."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise CopyFailed(f"{path}: {error.strerror}") from error


def copy_database(url: str, path: Path) -> CopyKind:
    """Write a copy that only its owner may read; the file is there once it is complete. Raises CopyFailed."""
    kind = kind_of_url(url)
    if path.exists():
        raise CopyFailed(f"{path} is there already")
    with _written_whole(path) as fresh:
        if kind is CopyKind.SQLITE:
            _copy_sqlite(_sqlite_file(url), fresh)
        else:
            _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={fresh}")
    return kind


def restore_copy(path: Path, url: str) -> None:
    """Fill an empty database from a copy. Raises CopyFailed, also where the target holds anything."""
    kind = kind_of_file(path)
    if kind is not kind_of_url(url):
        raise CopyFailed(f"{path} is a copy of {kind}: it cannot be restored into another kind of database")
    if not is_empty(url):
        raise CopyFailed("the target is not empty; nothing was changed")
    if kind is CopyKind.POSTGRESQL:
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        _run("pg_restore", url, *options, last=str(path))
        return
    target = _sqlite_file(url)
    target.unlink(missing_ok=True)
    with _written_whole(target) as fresh:
        _copy_sqlite(path, fresh)


def is_empty(url: str) -> bool:
    """Whether a database holds no table. Raises CopyFailed where it cannot be reached."""
    if kind_of_url(url) is CopyKind.SQLITE:
        path = _sqlite_file(url)
        if not path.exists() or path.stat().st_size == 0:
            return True
        try:
            with closing(sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)) as connection:
                return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,))
        except sqlite3.Error:
            return False
    try:
        with psycopg.connect(_plain(url), connect_timeout=10) as connection:
            found = connection.execute(
                "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'S') AND relnamespace IN "
                "(SELECT oid FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema')"
            ).fetchone()
    except psycopg.Error as error:
        raise CopyFailed(f"the target does not answer ({type(error).__name__})") from None
    return found == (0,)


@contextmanager
def scratch_restored(path: Path, beside: str) -> Iterator[str]:
    """Restore a copy into a database of its own, which is removed afterwards. Yields its URL.

    One of SQLite lies in a temporary folder; one of PostgreSQL is made on the server of `beside`, whose role must be able to.
    """
    if kind_of_file(path) is CopyKind.SQLITE:
        with tempfile.TemporaryDirectory(prefix="preferences-check-") as folder:
            target = Path(folder) / "check.db"
            _copy_sqlite(path, target)
            yield f"sqlite:///{target}"
        return
    if kind_of_url(beside) is not CopyKind.POSTGRESQL:
        raise CopyFailed("a copy of PostgreSQL is checked on a PostgreSQL server: name one with --server")
    name = f"preferences_check_{secrets.token_hex(6)}"
    try:
        with psycopg.connect(_plain(beside), autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    except psycopg.Error as error:
        raise CopyFailed(f"no database to check in could be made on the server ({type(error).__name__})") from None
    try:
        url = make_url(beside).set(database=name).render_as_string(hide_password=False)
        _run("pg_restore", url, "--no-owner", "--no-privileges", "--exit-on-error", last=str(path))
        yield url
    finally:
        with psycopg.connect(_plain(beside), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def is_intact(path: Path) -> bool:
    """Whether SQLite finds nothing broken in a file."""
    try:
        with closing(sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",))
    except sqlite3.Error:
        return False


def _copy_sqlite(source: Path, target: Path) -> None:
    """All pages in one step, so of one moment, while others go on reading and writing; the copy is one file."""
    if not source.exists():
        raise CopyFailed(f"{source} is not there")
    try:
        live = sqlite3.connect(f"file:{_quoted(source)}?mode=ro", uri=True, timeout=30)
        with closing(live), closing(sqlite3.connect(target)) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise CopyFailed(f"{source}: {error}") from error


def _sqlite_file(url: str) -> Path:
    return Path(make_url(url).database or "")


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


@contextmanager
def _written_whole(path: Path) -> Iterator[Path]:
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(descriptor)
    except OSError as error:
        raise CopyFailed(f"{path}: {error.strerror}") from error
    try:
        yield Path(name)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def _plain(url: str) -> str:
    """A URL as libpq reads it."""
    return re.sub(r"^postgresql\+\w+://", "postgresql://", url)


def _run(program: str, url: str, *options: str, last: str = "") -> None:
    """Run one of PostgreSQL's programs; what it says goes into the error, its last line only."""
    if shutil.which(program) is None:
        raise CopyFailed(f"{program} is not installed: it comes with PostgreSQL's client programs")
    parts = conninfo.conninfo_to_dict(_plain(url))
    password = parts.pop("password", None)
    secret: Mapping[str, str] = {} if password is None else {"PGPASSWORD": str(password)}
    command = [
        program,
        *options,
        f"--dbname={conninfo.make_conninfo('', **{name: str(value) for name, value in parts.items()})}",
        *([last] if last else []),
    ]
    done = subprocess.run(command, env={**os.environ, **secret}, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise CopyFailed(f"{program} failed: {said[0] if said else done.returncode}")
