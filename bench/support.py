"""What scenarios share: a prepared service on each database, the real server as a subprocess, the load generator, the table."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from app import create_app
from preferences.cli.setup import prepare_database
from tests.support import databases, server

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = 16


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, the figure, the goal, and the figure as a share of the goal."""

    what: str
    figure: float
    unit: str
    goal: float | None = None
    more_is_better: bool = True
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """1 and more: the goal is reached."""
        if not self.goal or not self.figure:
            return None
        return self.figure / self.goal if self.more_is_better else self.goal / self.figure


@dataclass(frozen=True)
class Service:
    """A service on one database, ready to be filled and served."""

    name: str
    app: Flask
    environ: Mapping[str, str]
    folder: Path
    workers: int
    threads: int


@contextlib.contextmanager
def service(name: str, database: str = "preferences_bench") -> Iterator[Service]:
    """A fresh, migrated service on `sqlite` or `postgresql`, gone afterwards. Durability is the database's own default."""
    with tempfile.TemporaryDirectory(
        prefix="preferences-bench-", dir=os.environ.get("PREFERENCES_TEST_BENCH_DIR")
    ) as made:
        folder = Path(made)
        is_sqlite = name == "sqlite"
        url = f"sqlite:///{folder / 'bench.db'}" if is_sqlite else databases.fresh_database(database)
        workers, threads = (1, 1) if is_sqlite else (2, 4)
        environ = {
            "PREFERENCES_DATABASE_URL": url,
            "PREFERENCES_INSTANCE_PATH": str(folder),
            "PREFERENCES_SERVER_WORKERS": str(workers),
            "PREFERENCES_SERVER_THREADS": str(threads),
            "PREFERENCES_LOG_LEVEL": "warning",
        }
        app = create_app(environ)
        with app.app_context():
            prepare_database()
            yield Service(name, app, environ, folder, workers, threads)
            app.extensions["sqlalchemy"].engine.dispose()
        if not is_sqlite:
            databases.drop_database(database)


@contextlib.contextmanager
def serving(one: Service) -> Iterator[str]:
    """The real server as a process of its own. Gives its address; stopped and waited for afterwards."""
    with server.serving(one.environ, workers=one.workers, threads=one.threads) as running:
        yield f"http://127.0.0.1:{running.port}"


def print_table(rows: list[Row]) -> None:
    """What was measured, a line each."""
    width = max(len(row.what) for row in rows)
    for row in rows:
        goal = f"goal {row.goal:>9,.0f}" if row.goal else " " * 14
        ratio = f"{row.ratio:5.2f}" if row.ratio is not None else "     "
        print(f"{row.what:<{width}}  {row.figure:>11,.2f} {row.unit:<6} {goal}  {ratio}  {row.note}")
