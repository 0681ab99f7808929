"""One-click: POSTs a second on a real server, 16 connections, every recipient another, every change durable before its 200."""

from __future__ import annotations

import sys
from dataclasses import replace

from sqlalchemy import func, select

from preferences.models.ledger import ChoiceRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.transaction import reading
from tests.support import databases

from .bare import bare_postgresql, bare_sqlite
from .fill import fill_recipients, mint_unsubscribe
from .support import CONNECTIONS, Row, Service, print_table, service, serving
from .wrk import Load, post_one_clicks

GOALS = {"sqlite": 1_100.0, "postgresql": 1_600.0}
P99_GOAL = 60.0
SECONDS, WARM_SECONDS = 10, 3
POSTGRESQL_THREADS = 2
"""For each of two workers on two cores: with four they wait for each other more than for the database."""
ENOUGH = 4_000
"""Recipients for every second: more than any machine of this kind gets through."""


def run(seconds: int = SECONDS) -> list[Row]:
    """Both databases in turn: the service, then the same transaction bare."""
    rows: list[Row] = []
    for name in databases.names():
        with service(name) as made:
            one = made if name == "sqlite" else replace(made, threads=POSTGRESQL_THREADS)
            load = measure(one, seconds)
            bare = bare_sqlite(one, seconds=5) if name == "sqlite" else bare_postgresql(one, seconds=5)
        rows += [
            Row(f"one-click POST, {name}", load.per_second, "/s", GOALS[name], note=f"p50 {load.p50:.1f} ms"),
            Row(f"one-click POST, {name}, p99", load.p99, "ms", P99_GOAL, more_is_better=False),
            Row(
                f"one-click POST, {name}, share of bare",
                load.per_second / bare if bare else 0.0,
                "",
                note=f"bare {bare:,.0f}/s" if bare else "no pgbench on this machine",
            ),
        ]
    return rows


def measure(one: Service, seconds: int) -> Load:
    """Warm up, measure, and compare what was answered with what is stored. Raises RuntimeError where they differ."""
    tokens = mint_unsubscribe(one, fill_recipients((seconds + WARM_SECONDS) * ENOUGH))
    first = WARM_SECONDS * ENOUGH
    with serving(one) as address:
        warm = post_one_clicks(address, tokens[:first], one.folder, seconds=WARM_SECONDS)
        load = post_one_clicks(address, tokens[first:], one.folder, seconds=seconds)
    answered = warm.answered + load.answered
    with reading() as session:
        stored = {
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (LedgerEntryRow, ChoiceRow, ChangeEventRow)
        }
    if load.not_200 or load.failed:
        raise RuntimeError(f"{load.not_200} answers were not 200, {load.failed} requests failed")
    if len(stored) != 1 or not answered <= min(stored) <= answered + 2 * CONNECTIONS:
        raise RuntimeError(f"{answered} were answered 200, and the tables hold {sorted(stored)}")
    return load


if __name__ == "__main__":
    print_table(run(int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
