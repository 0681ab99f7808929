"""The seal over a long ledger: entries sealed and verified a second, the longest transaction, one proof, the memory."""

from __future__ import annotations

import resource
import statistics
import time
from datetime import UTC, datetime

from sqlalchemy import text

from preferences.domain.capability import RecipientId
from preferences.models.transaction import reading, snapshot, transaction
from preferences.services.ledger.proofs import proof_of
from preferences.services.ledger.sealing import SealKeys, seal_next
from preferences.services.ledger.verify_seal import verify_seal
from tests.support import databases

from .support import Row, Service, service

ENTRIES = 1_000_000
DATABASE = "preferences_bench_seals"
_NUMBERS = {
    "sqlite": "WITH RECURSIVE counted(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM counted WHERE x < :n) SELECT x FROM counted",
    "postgresql": "SELECT x FROM generate_series(1, :n) AS numbers(x)",
}


def run(entries: int = ENTRIES) -> list[Row]:
    """Both databases in turn."""
    found: list[Row] = []
    for name in databases.names():
        with service(name, DATABASE) as one:
            found += _measure(one, entries)
    return found


def _measure(one: Service, entries: int) -> list[Row]:
    _fill(one, entries)
    keys = SealKeys(one.app.extensions["preferences.settings"].seal_keys)
    before, took = _megabytes(), []
    while True:
        start = time.perf_counter()
        with transaction() as session:
            made = seal_next(session, keys, now=datetime.now(UTC))
        if made is None:
            break
        took.append(time.perf_counter() - start)
    proofs = []
    with reading() as session:
        for entry in range(1, entries, max(1, entries // 50)):
            start = time.perf_counter()
            proof_of(session, RecipientId(entry * 7), entry)
            proofs.append(time.perf_counter() - start)
    start = time.perf_counter()
    with snapshot() as session:
        assert verify_seal(session, keys.public).is_sound
    verified = time.perf_counter() - start
    return [
        Row(f"{one.name}: entries sealed a second", entries / sum(took), "/s", 5_000, note=f"{entries} entries"),
        Row(f"{one.name}: longest sealing transaction", max(took) * 1000, "ms", 2_000, more_is_better=False),
        Row(f"{one.name}: entries verified a second", entries / verified, "/s", 5_000),
        Row(f"{one.name}: one proof, median", statistics.median(proofs) * 1000, "ms", 50, more_is_better=False),
        Row(f"{one.name}: memory that all of it added", _megabytes() - before, "MB", 200, more_is_better=False),
    ]


def _fill(one: Service, entries: int) -> None:
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    names = "id, recipient_id, purpose_id, training_id, act, method, actor, notice_version_id, locale, occurred_at, recorded_at"
    values = f"x, x * 7, 1, 0, 'refused', 'api', 'recipient', 1, 'sv', '{now}', '{now}'"
    with transaction() as session:
        statement = f"INSERT INTO ledger_entries ({names}) SELECT {values} FROM ({_NUMBERS[one.name]}) AS numbered"
        session.execute(text(statement), {"n": entries})


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
