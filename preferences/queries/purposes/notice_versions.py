"""Purposes as staff work on them: as stored this moment, every version with its date. Pages read queries/purposes.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.catalogue import Described
from preferences.domain.purpose import LawfulBasis, Purpose, PurposeId, is_purpose_key
from preferences.models.purpose import NoticeVersionRow, PurposeRow

from .purposes import describe

MOST_NUMBER = 2**31 - 1
MOST_VERSIONS = 200
"""How many a page lists; older ones can still be opened by their number."""


@dataclass(frozen=True, slots=True)
class Published:
    """A purpose as one notice version describes it, and since when."""

    described: Described
    published_at: datetime

    @property
    def purpose(self) -> Purpose:
        """The purpose or topic, with the lawful basis of this version."""
        return self.described.purpose


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version in a list, without its texts."""

    number: int
    lawful_basis: LawfulBasis
    customer_exception: bool
    published_at: datetime


def published_purposes(session: Session) -> Sequence[Published]:
    """Every purpose and topic with its newest version, archived ones too, in the order of pages."""
    newest = (
        select(NoticeVersionRow.purpose_id, func.max(NoticeVersionRow.number).label("number"))
        .group_by(NoticeVersionRow.purpose_id)
        .subquery()
    )
    rows = session.execute(
        select(PurposeRow, NoticeVersionRow)
        .join(NoticeVersionRow, NoticeVersionRow.purpose_id == PurposeRow.id)
        .join(newest, (newest.c.purpose_id == PurposeRow.id) & (newest.c.number == NoticeVersionRow.number))
        .order_by(PurposeRow.position, PurposeRow.id)
    )
    return [Published(describe(row, version), version.published_at) for row, version in rows]


def published_version(session: Session, key: str, number: int | None = None) -> Published | None:
    """The purpose with this key as one of its versions describes it; without a number, the newest. None where there is none."""
    if not is_purpose_key(key) or (number is not None and not 0 < number <= MOST_NUMBER):
        return None
    statement = (
        select(PurposeRow, NoticeVersionRow)
        .join(NoticeVersionRow, NoticeVersionRow.purpose_id == PurposeRow.id)
        .where(PurposeRow.key == key)
        .order_by(NoticeVersionRow.number.desc())
        .limit(1)
    )
    if number is not None:
        statement = statement.where(NoticeVersionRow.number == number)
    found = session.execute(statement).one_or_none()
    return None if found is None else Published(describe(*found), found[1].published_at)


def version_lines(session: Session, purpose_id: PurposeId) -> Sequence[VersionLine]:
    """The versions of a purpose, newest first, at most MOST_VERSIONS."""
    columns = [getattr(NoticeVersionRow, name) for name in VersionLine.__dataclass_fields__]
    rows = session.execute(
        select(*columns)
        .where(NoticeVersionRow.purpose_id == purpose_id)
        .order_by(NoticeVersionRow.number.desc())
        .limit(MOST_VERSIONS)
    )
    return [VersionLine(*row) for row in rows]
