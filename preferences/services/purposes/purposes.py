"""Adds purposes and topics, publishes notice versions, archives. Nothing is ever deleted (T25)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from preferences.domain.basis_rules import check_basis
from preferences.domain.errors import Conflict, InvalidValue, UnknownPurpose
from preferences.domain.purpose import EVERYTHING_KEY, About, LawfulBasis, NoticeText, check_texts, is_purpose_key
from preferences.models.purpose import NoticeTextRow, NoticeVersionRow, PurposeRow
from preferences.queries.purposes.purposes import forget_catalogue


class Lock(Enum):
    """Whether others who change the same purpose wait until this transaction ends."""

    NONE = 0
    ROW = 1


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
    if not is_purpose_key(new.key):
        raise InvalidValue("A key is lower-case letters, digits and _, and starts with a letter.", pointer="/key")
    if (new.about is About.EVERYTHING) != (new.key == EVERYTHING_KEY):
        raise InvalidValue(f"Only {EVERYTHING_KEY!r} is about everything: the global stop.", pointer="/about")
    if session.scalar(select(PurposeRow.id).where(PurposeRow.key == new.key)) is not None:
        raise _taken(new.key)
    parent = _find_parent(session, new) if new.parent_key else None
    row = PurposeRow(
        key=new.key,
        parent_id=parent.id if parent else None,
        about=new.about,
        position=new.position,
        created_at=now,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:  # somebody else has just added it
        raise _taken(new.key) from error
    _add_version(session, row, new.lawful_basis, new.texts, customer_exception=new.customer_exception, now=now)
    return row.id


def publish_version(
    session: Session,
    key: str,
    *,
    texts: Sequence[NoticeText],
    lawful_basis: LawfulBasis,
    now: datetime,
    customer_exception: bool | None = None,
    based_on: int | None = None,
) -> int:
    """Publish new wording, or a new basis, as the next version (L3). Returns its number; older versions stay as shown.

    The customer exception stays as it is unless given; under legitimate interest there is none. `based_on` is the number of the
    version that the writer began with. Raises UnknownPurpose, Conflict for an archived purpose (`/key`), for a version that
    says nothing new (`/texts`) and for one written beside a newer one (`/based_on`), or InvalidValue.
    """
    row = _find(session, key, lock=Lock.ROW)
    if row.archived_at is not None:
        raise Conflict(f"{key!r} is archived; nothing new is said about it.", pointer="/key")
    newest = row.versions[-1]
    if based_on is not None and based_on != newest.number:
        raise Conflict(f"Version {newest.number} of {key!r} was published meanwhile.", pointer="/based_on")
    if row.about is About.EVERYTHING and lawful_basis is not newest.lawful_basis:
        raise InvalidValue("The global stop keeps its basis.", pointer="/lawful_basis")
    if customer_exception is None:
        customer_exception = newest.customer_exception and lawful_basis is LawfulBasis.CONSENT
    said = {text.locale: (text.title, text.what, text.why, text.who, text.how_long) for text in newest.texts}
    saying = {text.locale: (text.title, text.what, text.why, text.who, text.how_long) for text in texts}
    if (said, newest.lawful_basis, newest.customer_exception) == (saying, lawful_basis, customer_exception):
        raise Conflict(f"Version {newest.number} of {key!r} says exactly this already.", pointer="/texts")
    number = _add_version(session, row, lawful_basis, texts, customer_exception=customer_exception, now=now)
    session.expire(row, ["versions"])
    return number


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


def _find_parent(session: Session, new: NewPurpose) -> PurposeRow:
    parent = _find(session, new.parent_key or "", pointer="/parent")
    if parent.parent_id is not None or parent.about is not new.about:
        raise InvalidValue("A topic stands under a purpose of its own kind, one level deep.", pointer="/parent")
    if parent.archived_at is not None:
        raise Conflict(f"{parent.key!r} is archived; no topic can be added to it.", pointer="/parent")
    return parent


def _taken(key: str) -> Conflict:
    return Conflict(f"There is a purpose named {key!r} already; archived ones keep their keys (T25).", pointer="/key")


def _find(session: Session, key: str, *, pointer: str = "/key", lock: Lock = Lock.NONE) -> PurposeRow:
    statement = select(PurposeRow).where(PurposeRow.key == key)
    row = session.scalar(statement.with_for_update() if lock is Lock.ROW else statement)
    if row is None:
        raise UnknownPurpose(f"There is no purpose or topic named {key[:64]!r}.", pointer=pointer)
    return row


def _add_version(
    session: Session,
    purpose: PurposeRow,
    lawful_basis: LawfulBasis,
    texts: Sequence[NoticeText],
    *,
    customer_exception: bool,
    now: datetime,
) -> int:
    check_texts(texts)
    parent_key = session.scalar(select(PurposeRow.key).where(PurposeRow.id == purpose.parent_id))
    check_basis(purpose.key, parent_key, purpose.about, lawful_basis, customer_exception=customer_exception)
    number = 1 + (
        session.scalar(select(func.max(NoticeVersionRow.number)).where(NoticeVersionRow.purpose_id == purpose.id)) or 0
    )
    version = NoticeVersionRow(
        purpose_id=purpose.id,
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
