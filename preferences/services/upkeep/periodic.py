"""Periodic work runs once in its period, however many workers there are: they ask for it here, and one gets it.

At least once: what a claimant that crashed had begun is done again when its claim has run out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, update
from sqlalchemy.orm import Session

from preferences.models.upsert import insert_into
from preferences.models.worker_state import PeriodicRunRow

LEASE = timedelta(minutes=10)
"""How long a claim lasts. What takes longer may be begun a second time, so it works in portions."""
CLOCKS_DIFFER_BY_LESS_THAN = timedelta(hours=1)
"""Something that claims to lie further in the future was written by a clock that was wrong, and holds nobody up."""

_runs = PeriodicRunRow.__table__


@dataclass(frozen=True, slots=True)
class PeriodicClaim:
    """The right to do one piece of periodic work now."""

    name: str
    claimed_until: datetime


def claim_periodic(
    session: Session, name: str, *, every: timedelta, now: datetime, lease: timedelta = LEASE
) -> PeriodicClaim | None:
    """Claim the work if its period has passed and nobody is at it. One statement: of many who ask at once, one gets it."""
    until = now + lease
    last, claimed = PeriodicRunRow.last_ran_at, PeriodicRunRow.claimed_until
    statement = insert_into(session, _runs).values(name=name, claimed_until=until)
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"claimed_until": until},
        where=and_(
            or_(last.is_(None), last <= now - every, last > now + CLOCKS_DIFFER_BY_LESS_THAN),
            or_(claimed.is_(None), claimed <= now, claimed > now + lease + CLOCKS_DIFFER_BY_LESS_THAN),
        ),
    ).returning(PeriodicRunRow.name)
    return None if session.execute(statement).first() is None else PeriodicClaim(name, until)


def renew_periodic(
    session: Session, claim: PeriodicClaim, *, now: datetime, lease: timedelta = LEASE
) -> PeriodicClaim | None:
    """Hold on to long work, in the transaction of each portion. None: the claim ran out, and somebody else has it."""
    until = now + lease
    renewed = session.execute(
        update(PeriodicRunRow)
        .where(PeriodicRunRow.name == claim.name, PeriodicRunRow.claimed_until == claim.claimed_until)
        .values(claimed_until=until)
        .returning(PeriodicRunRow.name)
    )
    return None if renewed.first() is None else PeriodicClaim(claim.name, until)


def finish_periodic(session: Session, claim: PeriodicClaim, *, now: datetime) -> None:
    """The work is done; in the transaction of the work itself, so that it is done once or not at all."""
    session.execute(
        update(PeriodicRunRow)
        .where(PeriodicRunRow.name == claim.name, PeriodicRunRow.claimed_until == claim.claimed_until)
        .values(last_ran_at=now, claimed_until=None)
    )
