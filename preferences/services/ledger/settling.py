"""Up to which id the ledger is settled: nothing can come any more.

SQLite has one writer, so that is the newest entry. PostgreSQL gives out ids before a transaction commits: ids that were seen at
one moment are settled once every transaction that had begun by then is over.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from preferences.models.bulk import is_sqlite

_OLDER_TRANSACTIONS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND backend_type = 'client backend' AND (query = '<insufficient privilege>' OR xact_start < :seen_at)"
)


def somebody_still_writes(session: Session, seen_at: datetime) -> bool:
    """Whether a transaction that had begun by then is not over, or might not be. Never on SQLite."""
    return not is_sqlite(session) and bool(session.scalar(_OLDER_TRANSACTIONS, {"seen_at": seen_at}))


def clock_of(session: Session, now: datetime) -> datetime:
    """This moment by the clock that transactions are timed with; `now` on SQLite, where none has to be waited for."""
    return now if is_sqlite(session) else session.execute(text("SELECT clock_timestamp()")).scalar_one()


def takes_turn(session: Session, lock: int) -> bool:
    """Whether this transaction may do what only one may do at a time; on SQLite a writing one always may."""
    asked: dict[str, Any] = {"lock": lock}
    return is_sqlite(session) or bool(session.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), asked))
