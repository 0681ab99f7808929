"""The purposes with their current texts, read once and kept for a few seconds."""

from __future__ import annotations

import time
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session, selectinload

from preferences.domain.catalogue import Catalogue, Described
from preferences.domain.purpose import NoticeText, NoticeVersionId, Purpose, PurposeId
from preferences.models.purpose import NoticeVersionRow, PurposeRow

KEPT_FOR_SECONDS = 3.0
"""How long another process may still see purposes as they were. Choices are never cached."""

_CHANGED = "purposes changed"
"""In `Session.info` while a transaction that changed purposes runs."""

_kept: WeakKeyDictionary[Engine, tuple[float, Catalogue]] = WeakKeyDictionary()


def catalogue(session: Session) -> Catalogue:
    """All purposes and topics. At most three seconds old; exact in the process that changed them, once committed.

    A transaction that changed purposes sees its own change, and nobody else does before it is committed.
    """
    if session.info.get(_CHANGED):
        return _read(session)
    engine = _engine_of(session)
    kept = _kept.get(engine)
    if kept is not None and time.monotonic() - kept[0] < KEPT_FOR_SECONDS:
        return kept[1]
    fresh = _read(session)
    _kept[engine] = (time.monotonic(), fresh)
    return fresh


def forget_catalogue(session: Session) -> None:
    """Read the purposes afresh next time; called by whatever changes them, before it commits."""
    if _CHANGED not in session.info:
        event.listen(session, "after_commit", _ended)
        event.listen(session, "after_rollback", _ended)
    session.info[_CHANGED] = True
    _kept.pop(_engine_of(session), None)


def _ended(session: Session) -> None:
    if session.info.get(_CHANGED):
        session.info[_CHANGED] = False
        _kept.pop(_engine_of(session), None)


def _engine_of(session: Session) -> Engine:
    return session.get_bind().engine


def _read(session: Session) -> Catalogue:
    rows = session.scalars(
        select(PurposeRow).options(selectinload(PurposeRow.versions)).order_by(PurposeRow.position, PurposeRow.id)
    ).all()
    return Catalogue([describe(row, row.versions[-1]) for row in rows if row.versions])


def describe(row: PurposeRow, version: NoticeVersionRow) -> Described:
    """A purpose as this notice version describes it."""
    purpose = Purpose(
        id=PurposeId(row.id),
        key=row.key,
        parent_id=None if row.parent_id is None else PurposeId(row.parent_id),
        about=row.about,
        lawful_basis=version.lawful_basis,
        customer_exception=version.customer_exception,
        notice_version_id=NoticeVersionId(version.id),
        archived_at=row.archived_at,
    )
    texts = {
        text.locale: NoticeText(
            locale=text.locale, title=text.title, what=text.what, why=text.why, who=text.who, how_long=text.how_long
        )
        for text in version.texts
    }
    return Described(purpose=purpose, number=version.number, texts=texts)
