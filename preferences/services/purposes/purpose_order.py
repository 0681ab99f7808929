"""The order of purposes and topics on pages: one step up or down among those beside it, and a new one last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.errors import InvalidValue, UnknownPurpose
from preferences.domain.purpose import About
from preferences.models.purpose import PurposeRow
from preferences.queries.purposes.purposes import forget_catalogue

from .purposes import NewPurpose, add_purpose

LARGEST_POSITION = 32_767
GAP = 10
"""Between neighbours, so that a file can place one between them."""


class Step(StrEnum):
    """Which way something is moved."""

    UP = "up"
    DOWN = "down"


def move_purpose(session: Session, key: str, step: Step) -> None:
    """Change places with the one before or after it. At the end of its list it stays where it is.

    Beside each other stand topics under the same purpose, and purposes about the same. Raises UnknownPurpose, or InvalidValue
    for the global stop, which stands apart, and for an archived one, which stands nowhere.
    """
    row = session.scalar(select(PurposeRow).where(PurposeRow.key == key))
    if row is None:
        raise UnknownPurpose(f"There is no purpose or topic named {key[:64]!r}.", pointer="/key")
    if row.about is About.EVERYTHING or row.archived_at is not None:
        raise InvalidValue(f"{key!r} has no place in the order.", pointer="/key")
    beside = list(_beside(session, row.parent_id, row.about))
    in_use = [one for one in beside if one.archived_at is None]
    place = in_use.index(row) + (-1 if step is Step.UP else 1)
    if not 0 <= place < len(in_use):
        return
    here, there = beside.index(row), beside.index(in_use[place])
    beside[here], beside[there] = beside[there], beside[here]
    gap = max(1, min(GAP, LARGEST_POSITION // len(beside)))
    for number, one in enumerate(beside, start=1):
        one.position = number * gap
    session.flush()
    forget_catalogue(session)


def add_purpose_last(session: Session, new: NewPurpose, *, now: datetime) -> int:
    """Add a purpose or topic behind those beside it. Returns its id. Raises what `add_purpose` raises."""
    parent_id = (
        session.scalar(select(PurposeRow.id).where(PurposeRow.key == new.parent_key)) if new.parent_key else None
    )
    beside = _beside(session, parent_id, new.about)
    last = max((one.position for one in beside), default=0)
    return add_purpose(session, replace(new, position=min(last + GAP, LARGEST_POSITION)), now=now)


def _beside(session: Session, parent_id: int | None, about: About) -> Sequence[PurposeRow]:
    """Those with the same parent and about the same, in order; locked, so that two moves at once come one after the other."""
    return session.scalars(
        select(PurposeRow)
        .where(PurposeRow.parent_id == parent_id if parent_id else PurposeRow.parent_id.is_(None))
        .where(PurposeRow.about == about)
        .order_by(PurposeRow.position, PurposeRow.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
