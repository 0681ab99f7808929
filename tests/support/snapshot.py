"""The rows of a freshly set-up database, to go back to before each test. What has not changed is left alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from psycopg import sql

ROWS_KEPT = ("alembic_version",)
Fingerprint = tuple[int, int]


class Snapshot:
    """Taken once of an application's database; restored past the triggers that refuse it to the service."""

    def __init__(self, app: Flask) -> None:
        url = app.config["SQLALCHEMY_DATABASE_URI"]
        self._kept = _Sqlite(url) if url.startswith("sqlite") else _Postgresql(url.replace("+psycopg", ""))

    def restore(self) -> None:
        """Put the database back."""
        self._kept.restore()

    def close(self) -> None:
        """Let go of the database."""
        self._kept.close()


class _Sqlite:
    """The whole file, kept in memory."""

    def __init__(self, url: str) -> None:
        self.file = Path(url.removeprefix("sqlite:///"))
        self.kept = sqlite3.connect(":memory:", check_same_thread=False)
        live = sqlite3.connect(self.file)
        live.backup(self.kept)
        live.close()

    def restore(self) -> None:
        live = sqlite3.connect(self.file, timeout=10)
        self.kept.backup(live)
        live.close()

    def close(self) -> None:
        self.kept.close()


class _Postgresql:
    """The rows of every table; one question tells which tables have changed: by how many rows, or by who wrote the newest."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = self._connect()
        names = [
            row[0]
            for row in self.connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            if row[0] not in ROWS_KEPT
        ]
        self.rows: dict[str, list[tuple[Any, ...]]] = {
            name: self.connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name))).fetchall()
            for name in names
        }
        self.question = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {}, count(*), coalesce(max(xmin::text::bigint), 0) FROM {}").format(
                name, sql.Identifier(name)
            )
            for name in names
        )
        self.seen = self._fingerprints()

    def restore(self) -> None:
        try:
            now = self._fingerprints()
        except psycopg.OperationalError:  # a test has cut every connection
            self.connection.close()
            self.connection = self._connect()
            now = self._fingerprints()
        changed = [name for name, seen in self.seen.items() if now[name] != seen]
        if not changed:
            return
        with self.connection.transaction():
            for name in changed:
                self.connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
                if self.rows[name]:
                    self._fill(name, self.rows[name])
        if any(self.rows[name] for name in changed):
            self.seen = self._fingerprints()

    def close(self) -> None:
        self.connection.close()

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(self.url, autocommit=True)
        connection.execute("SET session_replication_role = replica")
        return connection

    def _fingerprints(self) -> dict[str, Fingerprint]:
        return {name: (count, newest) for name, count, newest in self.connection.execute(self.question)}

    def _fill(self, name: str, rows: list[tuple[Any, ...]]) -> None:
        places = sql.SQL(", ").join([sql.Placeholder()] * len(rows[0]))
        insert = sql.SQL("INSERT INTO {} VALUES ({})").format(sql.Identifier(name), places)
        with self.connection.cursor() as cursor:
            cursor.executemany(insert, rows)
