"""Adds purposes and topics, publishes notice versions, archives. Nothing is ever deleted (T25)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from preferences.domain.errors import Conflict, InvalidValue, UnknownPurpose
from preferences.domain.purpose import About, LawfulBasis, NoticeText
from preferences.models.purpose import NoticeTextRow, NoticeVersionRow, PurposeRow
from preferences.queries.purposes import forget_catalogue

_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPurpose:
    """A purpose to add; a topic when `parent_key` is given. It has the parent's `about`."""

    key: str
    about: About
    lawful_basis: LawfulBasis
    texts: Sequence[NoticeText]
    parent_key: str | None = None
    customer_exception: bool = False
    position: int = 0


def add_purpose(session: Session, new: NewPurpose, *, now: datetime) -> int:
    """Add a purpose with its first notice version. Returns its id. Raises InvalidValue, UnknownPurpose or Conflict."""
    if not _KEY.fullmatch(new.key):
        raise InvalidValue("A key is lower-case letters, digits and _, and starts with a letter.", pointer="/key")
    if session.scalar(select(PurposeRow.id).where(PurposeRow.key == new.key)) is not None:
        raise Conflict(f"There is a purpose named {new.key!r} already; archived ones keep their keys.", pointer="/key")
    parent = _find(session, new.parent_key) if new.parent_key else None
    if parent is not None and (parent.parent_id is not None or parent.about is not new.about):
        raise InvalidValue("A topic stands under a purpose of its own kind, one level deep.", pointer="/parent")
    row = PurposeRow(
        key=new.key,
        parent_id=parent.id if parent else None,
        about=new.about,
        position=new.position,
        created_at=now,
    )
    session.add(row)
    session.flush()
    _add_version(session, row.id, new.lawful_basis, new.texts, customer_exception=new.customer_exception, now=now)
    return row.id


def publish_version(
    session: Session, key: str, *, texts: Sequence[NoticeText], lawful_basis: LawfulBasis, now: datetime
) -> int:
    """Publish new wording, or a new basis, as the next version (L3). Returns its number; older versions stay as shown."""
    row = _find(session, key)
    newest = row.versions[-1]
    return _add_version(session, row.id, lawful_basis, texts, customer_exception=newest.customer_exception, now=now)


def archive_purpose(session: Session, key: str, *, now: datetime) -> None:
    """Stop using a purpose, and its topics with it. Choices stay and go on refusing. Raises UnknownPurpose."""
    row = _find(session, key)
    if row.about is About.EVERYTHING:
        raise InvalidValue("The global stop cannot be archived.", pointer="/key")
    session.execute(
        update(PurposeRow)
        .where((PurposeRow.id == row.id) | (PurposeRow.parent_id == row.id), PurposeRow.archived_at.is_(None))
        .values(archived_at=now)
    )
    forget_catalogue(session)


def _find(session: Session, key: str) -> PurposeRow:
    row = session.scalar(select(PurposeRow).where(PurposeRow.key == key))
    if row is None:
        raise UnknownPurpose(f"There is no purpose or topic named {key[:64]!r}.", pointer="/key")
    return row


def _add_version(
    session: Session,
    purpose_id: int,
    lawful_basis: LawfulBasis,
    texts: Sequence[NoticeText],
    *,
    customer_exception: bool,
    now: datetime,
) -> int:
    if not texts:
        raise InvalidValue("A notice needs a text in at least one language.", pointer="/texts")
    if lawful_basis is LawfulBasis.SOFT_OPT_IN:
        raise InvalidValue(
            "The customer exception is a way around consent, not a purpose's own basis.", pointer="/lawful_basis"
        )
    number = 1 + (
        session.scalar(select(func.max(NoticeVersionRow.number)).where(NoticeVersionRow.purpose_id == purpose_id)) or 0
    )
    version = NoticeVersionRow(
        purpose_id=purpose_id,
        number=number,
        lawful_basis=lawful_basis,
        customer_exception=customer_exception,
        published_at=now,
        texts=[
            NoticeTextRow(
                locale=text.locale, title=text.title, what=text.what, why=text.why, who=text.who, how_long=text.how_long
            )
            for text in texts
        ],
    )
    session.add(version)
    session.flush()
    forget_catalogue(session)
    return number
