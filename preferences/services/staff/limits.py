"""Lockout: failed attempts counted by account and by client, in the database, so that it holds for every process (T27).

An attempt is stored as failed before it is looked at and taken back when it was right, and attempts on the same subject take
turns, so that nobody gains by asking many at once. An account that does not exist is counted like any other: the answer tells
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, select, text
from sqlalchemy.orm import Session

from preferences.domain.staff import LIMITS, FailureKind
from preferences.models.bulk import is_sqlite
from preferences.models.crypto import keyring
from preferences.models.single_sign_on import FinishedRoundRow
from preferences.models.staff import SignInFailureRow

KEPT_FOR = timedelta(days=2)

Subjects = Mapping[FailureKind, bytes]


def sign_in_subjects(account: str, client: str) -> Subjects:
    """What one attempt with a password is counted by. `account` is the normal form of what was typed as the address."""
    return {
        FailureKind.PAIR: keyring().counted_index(f"pair:{client}:{account}"),
        FailureKind.CLIENT: keyring().counted_index(f"client:{client}"),
        FailureKind.ACCOUNT: keyring().counted_index(f"account:{account}"),
    }


def code_subjects(staff_id: int) -> Subjects:
    """What one attempt with a code, or with the password of an open session, is counted by."""
    return {FailureKind.CODE: keyring().counted_index(f"code:{staff_id}")}


def passkey_subjects(client: str) -> Subjects:
    """What one attempt with a passkey alone is counted by, before it is known whose it is."""
    return {FailureKind.CLIENT: keyring().counted_index(f"client:{client}")}


def waits_until(session: Session, subjects: Subjects, *, now: datetime) -> datetime | None:
    """Until when attempts are not looked at; None: go on.

    Other attempts on the same subjects wait here until this transaction ends: of many at once each sees those counted before.
    Ask before anything of the person is locked.
    """
    _take_turns(session, subjects)
    until = [moment for kind, subject in subjects.items() if (moment := _until(session, kind, subject, now))]
    return max(until, default=None)


def count_failure(session: Session, subjects: Subjects, *, now: datetime) -> None:
    """Count one attempt as failed."""
    session.execute(
        insert(SignInFailureRow),
        [{"kind": kind, "subject": subject, "failed_at": now} for kind, subject in subjects.items()],
    )


def take_back_failure(session: Session, subjects: Subjects, *, failed_at: datetime) -> None:
    """The attempt counted at this moment was right; earlier ones of this account from this client are forgotten too."""
    session.execute(
        delete(SignInFailureRow).where(
            SignInFailureRow.subject.in_(subjects.values()), SignInFailureRow.failed_at == failed_at
        )
    )
    if pair := subjects.get(FailureKind.PAIR):
        session.execute(delete(SignInFailureRow).where(SignInFailureRow.subject == pair))


def forget_failures(session: Session, *, now: datetime) -> int:
    """Delete what no limit looks back to, and rounds to the identity provider that are long over. Returns how many."""
    failed = session.execute(delete(SignInFailureRow).where(SignInFailureRow.failed_at < now - KEPT_FOR))
    rounds = session.execute(delete(FinishedRoundRow).where(FinishedRoundRow.finished_at < now - KEPT_FOR))
    return sum(cast("CursorResult[Any]", one).rowcount for one in (failed, rounds))


def _take_turns(session: Session, subjects: Subjects) -> None:
    """SQLite has one writer at a time anyway. Always in the same order, so that two never wait for each other."""
    if is_sqlite(session):
        return
    for subject in sorted(subjects.values()):
        lock = int.from_bytes(subject[:8], "big", signed=True)
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})


def _until(session: Session, kind: FailureKind, subject: bytes, now: datetime) -> datetime | None:
    longest = max(span for span, _ in LIMITS[kind])
    moments = list(
        session.scalars(
            select(SignInFailureRow.failed_at)
            .where(SignInFailureRow.subject == subject, SignInFailureRow.failed_at > now - longest)
            .order_by(SignInFailureRow.failed_at.desc())
        )
    )
    waits = [
        within[most - 1] + span
        for span, most in LIMITS[kind]
        if len(within := [moment for moment in moments if moment > now - span]) >= most
    ]
    return max(waits, default=None)
