"""Every admin page with a million recipients and five million ledger entries on PostgreSQL: median, most, statements.

`PREFERENCES_BENCH_KEEP=<folder>` keeps the filled database and its keys for the next run; remove the folder and say
`dropdb preferences_bench_admin` when it has done its work. `PREFERENCES_BENCH_ADMIN=100` divides every size by a hundred.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from sqlalchemy.orm import Session

from app import create_app
from preferences.cli.serve import settle_memory
from preferences.cli.setup import prepare_database
from preferences.domain.roles import Role
from preferences.models.import_batch import ImportStage
from preferences.models.transaction import transaction
from preferences.services.ledger.daily_numbers import count_next
from preferences.services.ledger.sealing import SealKeys, seal_next
from tests.support import databases
from tests.support.client import HastyClient
from tests.support.office import add_import, furnish
from tests.support.staff import StaffBrowser, make_staff, signed_in_as
from tests.support.statements import statements

from .admin_fill import Sizes, fill
from .admin_walk import YARDSTICK, addresses
from .support import Row, Service

DATABASE = "preferences_bench_admin"
TIMES = 5
GOAL = 300.0
KEEP = "PREFERENCES_BENCH_KEEP"
KEY = "A" * 42 + "I="
KEYS = ("SECRET_KEYS", "LINK_KEYS", "DATA_KEYS", "INDEX_KEY", "SEAL_KEYS")


def run() -> list[Row]:
    """A line for every page, the slowest first."""
    if "postgresql" not in databases.names():
        return []
    with _filled() as one:
        app = one.app
        app.test_client_class = HastyClient
        with Session(app.extensions["sqlalchemy"].engine, expire_on_commit=False) as session:
            return measure(app, session)


def measure(app: Flask, session: Session) -> list[Row]:
    """Every page a few times, beside a page that asks for nothing but who is signed in."""
    staff = make_staff(session, Role.ADMINISTRATOR, f"bench.{time.time_ns()}@example.se")

    def sign_in() -> StaffBrowser:
        return signed_in_as(app, session, staff)

    settle_memory()  # as the server does
    took = {}
    for name, path in addresses(app, session, sign_in()).items():
        took[name] = _measure(app, sign_in, path)
        print(f"{statistics.median(took[name][0]):9.1f} ms  {name}  {path}", file=sys.stderr, flush=True)
    bare = statistics.median(took[YARDSTICK][0])
    rows = []
    for name, (times, asked, size) in sorted(took.items(), key=lambda one: -statistics.median(one[1][0])):
        median = statistics.median(times)
        note = f"most {max(times):7.1f} ms, {asked:3} statements, {size / 1024:6.1f} kB, {median / bare:6.1f} x a bare page"
        rows.append(Row(name, median, "ms", GOAL, more_is_better=False, note=note))
    slow = [row for row in rows if row.figure > GOAL]
    print(f"{len(rows)} pages, {len(slow)} over {GOAL:.0f} ms; the slowest: {rows[0].what}, {rows[0].figure:.1f} ms.")
    return rows


def _measure(app: Flask, sign_in: Callable[[], StaffBrowser], path: str) -> tuple[list[float], int, int]:
    """Milliseconds of each time, statements of the last, and bytes. Downloads are measured to their first byte."""
    who, times, asked, size = sign_in(), [], 0, 0
    for _ in range(TIMES):
        with statements(app) as seen:
            start = time.perf_counter()
            answer = who.client.get(path, buffered=False)
            first = next(iter(answer.response), b"")  # type: ignore[call-overload]
            times.append((time.perf_counter() - start) * 1000)
            answer.close()
            asked, size = len(seen), len(first)
        if answer.status_code not in {200, 303}:
            raise RuntimeError(f"{path}: {answer.status}")
        if times[-1] > 20 * GOAL:
            break
    return times, asked, size


@contextlib.contextmanager
def _filled() -> Iterator[Service]:
    """The service on a filled database, the one that was kept or a fresh one, counted by day as a worker does."""
    kept = os.environ.get(KEEP)
    with contextlib.nullcontext(kept) if kept else tempfile.TemporaryDirectory(prefix="preferences-bench-") as place:
        folder, marker = Path(place), Path(place) / "filled"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_there = marker.exists()
        url = (
            databases.server_url().rsplit("/", 1)[0] + f"/{DATABASE}"
            if is_there
            else databases.fresh_database(DATABASE)
        )
        environ = {
            "PREFERENCES_DATABASE_URL": url,
            "PREFERENCES_INSTANCE_PATH": str(folder),
            "PREFERENCES_BASE_URL": "https://preferences.example",
            "PREFERENCES_LOG_LEVEL": "warning",
            **{f"PREFERENCES_{name}": str(number) + KEY[1:] for number, name in enumerate(KEYS, 1)},
        }
        app = create_app(environ)
        with app.app_context():
            prepare_database()
            one = Service("postgresql", app, environ, folder, 2, 4)
            if not is_there:
                _fill(one)
                marker.write_text("The database is filled.\n")
            _count(app.extensions["preferences.settings"].time_zone)
            yield one
            app.extensions["sqlalchemy"].engine.dispose()
        if not kept:
            databases.drop_database(DATABASE)


def _fill(one: Service) -> None:
    begun, less = time.perf_counter(), int(os.environ.get("PREFERENCES_BENCH_ADMIN", "1"))
    sizes = Sizes()
    sizes = Sizes(**{name: max(100, getattr(sizes, name) // less) for name in Sizes.__dataclass_fields__})
    with Session(one.app.extensions["sqlalchemy"].engine, expire_on_commit=False) as session:
        furnish(session, 1, 6)
        for _ in range(30):
            for stage in (ImportStage.PLANNED, ImportStage.APPLIED):
                add_import(session, stage, 1000)
        for stage in (ImportStage.PLANNED, ImportStage.APPLIED):
            add_import(session, stage, sizes.recipients)
    _announce()
    fill(one.environ["PREFERENCES_DATABASE_URL"], sizes)
    keys = SealKeys(one.app.extensions["preferences.settings"].seal_keys)
    while _seal(keys):
        pass
    print(f"Filled in {time.perf_counter() - begun:.0f} s.")


def _seal(keys: SealKeys) -> bool:
    with transaction() as session:
        return seal_next(session, keys, now=datetime.now(UTC)) is not None


def _count(zone: str) -> None:
    """Some entries are so new that a transaction which still runs could be older: they are counted at the second look."""
    for _ in range(2):
        while _count_next(zone):
            pass


def _count_next(zone: str) -> int:
    with transaction() as session:
        return count_next(session, zone, now=datetime.now(UTC))


def _announce() -> None:
    from preferences.models.policy import PolicyAnnouncementRow

    with transaction() as session:
        session.add(PolicyAnnouncementRow(number=1, position=0, total=0, started_at=datetime.now(UTC)))
