"""The transaction of a one-click without a service around it: what the database alone does on this machine, in the same run."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

from .support import CONNECTIONS, Service

PURPOSE = 2

_SELECT = """SELECT recipients.status, choices.act FROM recipients LEFT JOIN choices ON choices.recipient_id = recipients.id
 AND choices.purpose_id = {purpose} AND choices.training_id = 0 WHERE recipients.id = {id}"""
_ENTRY = """INSERT INTO ledger_entries
 (recipient_id, purpose_id, training_id, act, basis, method, actor, occurred_at, recorded_at)
 VALUES ({id}, {purpose}, 0, 'withdrawn', 'consent', 'one_click', 'recipient', {now}, {now}) RETURNING id"""
_CHOICE = """INSERT INTO choices (recipient_id, purpose_id, training_id, act, basis, since, entry_id)
 VALUES ({id}, {purpose}, 0, 'withdrawn', 'consent', {now}, {entry})
 ON CONFLICT (recipient_id, purpose_id, training_id) DO UPDATE SET act = excluded.act, since = excluded.since"""
_EVENT = "INSERT INTO change_events (type, recipient_id, entry_id, recorded_at) VALUES ('choice.changed', {id}, {entry}, {now})"
_CANCEL = "UPDATE confirmations SET cancelled_at = {now} WHERE recipient_id = {id} AND confirmed_at IS NULL"


def bare_postgresql(one: Service, *, seconds: int) -> float | None:
    """Transactions a second by pgbench, prepared statements, as many connections as the service gets; None without pgbench."""
    pgbench = _pgbench()
    if pgbench is None:
        return None
    values = {"id": ":id", "purpose": str(PURPOSE), "now": "now()", "entry": ":entry"}
    statements = [sql.format(**values).replace("\n", " ") for sql in (_SELECT, _ENTRY, _CHOICE, _EVENT, _CANCEL)]
    statements[1] += " \\gset\n\\set entry :id2"
    script = one.folder / "bare.sql"
    script.write_text(
        "\\set id random(1, 9000000000000000000)\nBEGIN;\n"
        + f"{statements[0]};\n"
        + statements[1].replace("RETURNING id", "RETURNING id AS id2").replace(" \\gset", "\n\\gset")
        + "\n"
        + ";\n".join(statements[2:])
        + ";\nCOMMIT;\n"
    )
    url = one.environ["PREFERENCES_DATABASE_URL"]
    found = subprocess.run(
        [pgbench, "-n", "-M", "prepared", f"-c{CONNECTIONS}", "-j1", f"-T{seconds}", "-f", str(script), url],
        capture_output=True,
        text=True,
        check=True,
    )
    rate = re.search(r"tps = ([0-9.]+)", found.stdout)
    return float(rate[1]) if rate else None


def bare_sqlite(one: Service, *, seconds: int) -> float:
    """Transactions a second by sqlite3 in one thread, with the pragmas of the service."""
    values = {"id": "?1", "purpose": str(PURPOSE), "now": "'2026-01-01 12:00:00.000000'", "entry": "?2"}
    select, entry, choice, event, cancel = (sql.format(**values) for sql in (_SELECT, _ENTRY, _CHOICE, _EVENT, _CANCEL))
    connection = sqlite3.connect(one.folder / "bench.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        recipient = (done * 7_919_000_000_033) % (2**62) + 1
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(select, (recipient,)).fetchone()
        ((entry_id,),) = connection.execute(entry, (recipient,)).fetchall()
        connection.execute(choice, (recipient, entry_id))
        connection.execute(event, (recipient, entry_id))
        connection.execute(cancel, (recipient,))
        connection.execute("COMMIT")
        done += 1
    connection.close()
    return done / seconds


def _pgbench() -> str | None:
    on_path = shutil.which("pgbench")
    if on_path and "postgresql-common" not in str(Path(on_path).resolve()):
        return on_path
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    return str(installed[-1]) if installed else on_path
