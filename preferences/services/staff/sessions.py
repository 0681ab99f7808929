"""Sessions of staff: opened after both factors, touched, made fresh, ended. The cookie holds a secret, the table its digest."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.orm import Session

from preferences.domain.audit import StaffId
from preferences.domain.staff import SESSION_LASTS, SessionStage
from preferences.models.staff import StaffRow, StaffSessionRow
from preferences.queries.staff.staff import StaffSession

TOUCHED_EVERY = timedelta(minutes=1)
"""A busy session writes once a minute, not with every page."""

KEPT_FOR = SESSION_LASTS + timedelta(days=30)


@dataclass(frozen=True, slots=True, repr=False)
class Begun:
    """A session was begun. The secret goes into the cookie and nowhere else."""

    secret: str


def secret_digest(secret: str) -> bytes:
    """What is stored of a secret (256 random bits need no slow hash)."""
    return hashlib.sha256(b"preferences.staff." + secret.encode()).digest()


def begin_half_session(
    session: Session, staff_id: StaffId, *, browser: str, kept: Mapping[str, Any] | None = None, now: datetime
) -> Begun:
    """The password was right: ten minutes for the second factor. `kept` is what only this browser needs meanwhile."""
    return _begin(session, staff_id, SessionStage.HALF, browser, kept, now)


def begin_session(
    session: Session, staff_id: StaffId, *, browser: str, kept: Mapping[str, Any] | None = None, now: datetime
) -> Begun:
    """Both factors were right: a new secret, whatever the browser sent before, so that nobody can prepare one (fixation)."""
    session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(signed_in_at=now))
    return _begin(session, staff_id, SessionStage.OPEN, browser, kept, now)


def touch_session(session: Session, session_id: int, *, now: datetime) -> None:
    """Something was asked in it."""
    session.execute(update(StaffSessionRow).where(StaffSessionRow.id == session_id).values(seen_at=now))


def make_fresh(session: Session, session_id: int, *, now: datetime) -> None:
    """Its owner proved who they are once more."""
    session.execute(update(StaffSessionRow).where(StaffSessionRow.id == session_id).values(fresh_at=now))


def keep_in_session(session: Session, session_id: int, kept: Mapping[str, Any] | None) -> None:
    """Keep something for this session alone, such as codes to be shown until they are noted; None: forget it."""
    session.execute(update(StaffSessionRow).where(StaffSessionRow.id == session_id).values(kept=kept or None))


def goes_on(session: Session, session_id: int) -> bool:
    """Whether nobody has ended it meanwhile."""
    return bool(
        session.scalar(
            select(StaffSessionRow.id).where(StaffSessionRow.id == session_id, StaffSessionRow.ended_at.is_(None))
        )
    )


def end_session(session: Session, session_id: int, *, staff_id: StaffId, now: datetime) -> bool:
    """End one session of this person. False: it is not theirs, or had ended before."""
    ended = session.execute(
        update(StaffSessionRow)
        .where(
            StaffSessionRow.id == session_id,
            StaffSessionRow.staff_id == staff_id,
            StaffSessionRow.ended_at.is_(None),
        )
        .values(ended_at=now, kept=None)
    )
    return bool(cast("CursorResult[Any]", ended).rowcount)


def end_sessions(session: Session, staff_id: StaffId, *, but: StaffSession | None = None, now: datetime) -> int:
    """End every session of somebody, `but` one. Returns how many were open."""
    ended = session.execute(
        update(StaffSessionRow)
        .where(
            StaffSessionRow.staff_id == staff_id,
            StaffSessionRow.ended_at.is_(None),
            StaffSessionRow.id != (but.id if but else 0),
        )
        .values(ended_at=now, kept=None)
    )
    return cast("CursorResult[Any]", ended).rowcount


def end_half_sessions(session: Session, staff_id: StaffId, *, now: datetime) -> None:
    """End what somebody has begun and not finished: a sign-in under rules that have changed begins again."""
    session.execute(
        update(StaffSessionRow)
        .where(
            StaffSessionRow.staff_id == staff_id,
            StaffSessionRow.stage == SessionStage.HALF,
            StaffSessionRow.ended_at.is_(None),
        )
        .values(ended_at=now, kept=None)
    )


def forget_sessions(session: Session, *, now: datetime) -> int:
    """Delete sessions that were over a month ago. Returns how many."""
    result = session.execute(delete(StaffSessionRow).where(StaffSessionRow.started_at < now - KEPT_FOR))
    return cast("CursorResult[Any]", result).rowcount


def _begin(
    session: Session,
    staff_id: StaffId,
    stage: SessionStage,
    browser: str,
    kept: Mapping[str, Any] | None,
    now: datetime,
) -> Begun:
    secret = secrets.token_urlsafe(32)
    session.execute(
        insert(StaffSessionRow),
        {
            "staff_id": staff_id,
            "digest": secret_digest(secret),
            "stage": stage,
            "browser": browser[:60],
            "kept": dict(kept) if kept else None,
            "started_at": now,
            "seen_at": now,
            "fresh_at": now,
        },
    )
    return Begun(secret)
