"""Databases to test on: SQLite always; PostgreSQL where one is reachable or its binaries are installed.

`PREFERENCES_TEST_REQUIRE=postgresql` turns a missing PostgreSQL into a failure instead of leaving it out.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql


def names() -> list[str]:
    """The databases that functional tests run on."""
    return ["sqlite", "postgresql"] if has_postgresql() else ["sqlite"]


@cache
def has_postgresql() -> bool:
    """Whether there is a PostgreSQL to test on. Raises where one is required and there is none."""
    found = bool(os.environ.get("PREFERENCES_TEST_POSTGRESQL")) or _answers("127.0.0.1") or _binaries() is not None
    if not found and "postgresql" in os.environ.get("PREFERENCES_TEST_REQUIRE", ""):
        raise RuntimeError("PostgreSQL is required (PREFERENCES_TEST_REQUIRE) and there is none")
    return found


@cache
def server_url() -> str:
    """The address of a server on which databases may be made: the one named, the one that answers, or one of our own."""
    named = os.environ.get("PREFERENCES_TEST_POSTGRESQL")
    if named:
        return named
    if _answers("127.0.0.1"):
        return "postgresql://postgres@127.0.0.1:5432/postgres"
    return _start_own()


def fresh_database(name: str) -> str:
    """An empty database with this name; dropped first where an earlier run left one. Returns its address."""
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return server_url().rsplit("/", 1)[0] + f"/{name}"


def spare_the_disk(url: str) -> None:
    """Commits of this database do not wait for the disk: what tests kill is our processes, never the server."""
    name = url.rpartition("/")[2]
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(name)))


def drop_database(name: str) -> None:
    """Remove a database that tests made."""
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@cache
def _answers(host: str) -> bool:
    try:
        with psycopg.connect(host=host, user="postgres", dbname="postgres", connect_timeout=2) as connection:
            return bool(connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone())
    except psycopg.OperationalError:
        return False


def _binaries() -> Path | None:
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _start_own() -> str:
    """A throw-away cluster on a socket in a temporary folder. PostgreSQL refuses to run as root."""
    binaries = _binaries()
    assert binaries is not None
    folder = Path(tempfile.mkdtemp(prefix="preferences-pg-"))
    run: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        run = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"
    subprocess.run(
        [*run, str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust"],
        check=True,
        capture_output=True,
    )
    options = f"-c fsync=off -c listen_addresses= -c unix_socket_directories={folder}"
    subprocess.run(
        [*run, str(binaries / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start"],
        check=True,
        capture_output=True,
    )

    def stop() -> None:
        subprocess.run(
            [*run, str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"], capture_output=True
        )
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return f"postgresql://postgres@{str(folder).replace('/', '%2F')}/postgres"
