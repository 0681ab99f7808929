"""Keeps the order of the change feed when a database moves to another PostgreSQL server (ADR 0008)."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from preferences.models.bulk import is_sqlite

LEAP = 2**40
"""How far new places are moved beyond those restored: further than any cursor that was given out after the dump was made."""


def keep_feed_order(session: Session) -> int | None:
    """See that new changes come after all that are stored, and return how far their places were moved; None: they do already.

    Transactions are numbered by the server. A dump restored on another server, which has counted less far, would have its new
    changes put before the old ones, where no cursor looks any more.
    """
    if is_sqlite(session):
        return None
    newest, following = session.execute(
        text(
            "SELECT (SELECT coalesce(max(feed_order), 0) FROM change_events), "
            "pg_snapshot_xmax(pg_current_snapshot())::text::bigint + feed_shift()"
        )
    ).one()
    if newest < following:
        return None
    shift = int(newest) + LEAP
    session.execute(
        text(
            "CREATE OR REPLACE FUNCTION feed_shift() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE "
            f"AS 'SELECT {shift}::bigint'"
        )
    )
    return shift
