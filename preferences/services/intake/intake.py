"""Takes in many recipients at once, from the API and from imports: adds, updates, records acts, restricts; never lifts (T21).

One look-up for all addresses, one for external ids, one for stops, one for choices; then bulk writes. Every act ends up in
ledger, choice and change event exactly as `services.choices.consent.record_act` would leave it.

The first line about an address counts. A later one in the same batch (or import) adds its act where that is about another
purpose or only restricts; otherwise it is `invalid: duplicate of line N`. So no withdrawal is ever lost to a duplicate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.acts import Actor, Method
from preferences.domain.intake import RowResult
from preferences.domain.seen import SeenLines
from preferences.models.bulk import TakenMeanwhile
from preferences.queries.purposes.purposes import catalogue

from .decide import decide_rows, planned
from .explain import explain_held
from .lookup import look_up, look_up_and_lock
from .prepare import Prepared, Row, prepare_rows, seal_rows
from .write import Origin, write_batch

__all__ = ["Origin", "apply_intake", "apply_prepared", "plan_intake"]

MOST_ATTEMPTS = 5


def plan_intake(
    session: Session, rows: Iterable[Row], *, now: datetime, seen: SeenLines | None = None
) -> list[RowResult]:
    """What applying the rows would do, row by row; writes nothing. `seen` carries the lines of earlier batches along."""
    known = catalogue(session)
    prepared = list(prepare_rows(rows, known, now=now))
    lines = SeenLines() if seen is None else seen
    everything = known.everything().purpose
    batch = decide_rows(prepared, look_up(session, prepared), everything=everything, seen=lines, now=now)
    explain_held(session, batch.rows)
    lines.settle()
    return [planned(one) for one in batch.rows]


def apply_intake(
    session: Session,
    rows: Iterable[Row],
    *,
    source: str,
    method: Method,
    actor: Actor,
    actor_id: int | None,
    now: datetime,
) -> list[RowResult]:
    """Apply the rows in the session's transaction. `source` is kept with new recipients: `api:<mailer>`, `import:<id>`.

    Every row has a result, in order; invalid and held rows store nothing.
    """
    sealed = seal_rows(rows, catalogue(session), source=source, now=now)
    origin = Origin(source=source, method=method, actor=actor, actor_id=actor_id)
    return apply_prepared(session, sealed, origin=origin, now=now, seen=SeenLines())


def apply_prepared(
    session: Session, sealed: Sequence[Prepared | RowResult], *, origin: Origin, now: datetime, seen: SeenLines
) -> list[RowResult]:
    """Decide and write rows that were checked and encrypted before the transaction began.

    Where another transaction got in between look-up and write (PostgreSQL), the whole batch looks again: a stop or an erasure
    made meanwhile must hold the row. Raises TakenMeanwhile after five times. The caller settles `seen` once this is committed.
    """
    everything = catalogue(session).everything().purpose
    for attempt in range(1, MOST_ATTEMPTS + 1):
        known = look_up_and_lock(session, sealed)
        batch = decide_rows(sealed, known, everything=everything, seen=seen, now=now)
        try:
            with session.begin_nested():
                write_batch(session, batch, origin=origin, now=now)
        except TakenMeanwhile:
            seen.forget()
            if attempt == MOST_ATTEMPTS:
                raise
            continue
        explain_held(session, batch.rows)
        return [one.result for one in batch.rows]
    raise AssertionError("unreachable")
