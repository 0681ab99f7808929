"""Signs staff in: password, then a code. Every wrong attempt counts, a code works once, and no answer says who exists.

A passkey instead of the code, or instead of both: passkey_sign_in.py.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.orm import Session

from preferences.domain.address import normal_form
from preferences.domain.audit import AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.staff import RecoveryCodes, new_recovery_codes, read_recovery_code
from preferences.domain.totp import matching_step, new_secret
from preferences.models.crypto import keyring
from preferences.models.staff import RecoveryCodeRow, StaffRow
from preferences.queries.staff.staff import StaffSession, StaffView, count_passkeys, staff_by_index

from .account_mail import AccountChange, tell_owner
from .audit import record_audit
from .limits import Subjects, code_subjects, count_failure, sign_in_subjects, take_back_failure, waits_until
from .passwords import hash_password, is_password, needs_new_hash
from .sessions import Begun, begin_half_session, begin_session, end_session, goes_on

PENDING = "totp"
"""In a session's `kept`: the secret that an app is being enrolled with."""

CODES = "recovery_codes"
"""In a session's `kept`: fresh recovery codes, until their owner says that they are noted."""


class SignIn(StrEnum):
    """What became of an attempt."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    PROVIDER_ONLY = "provider_only"
    """Right, but whoever it belongs to signs in with the company's identity provider alone."""


@dataclass(frozen=True, slots=True, repr=False)
class Attempt:
    """One attempt with a password, counted as failed until it is known to be right."""

    staff: StaffView | None
    password_hash: str | None
    subjects: Subjects
    at: datetime
    locked_until: datetime | None

    def is_right(self, typed: str) -> bool:
        """Whether the password is right; takes as long when there is nobody. Slow: call it outside any transaction."""
        return is_password(self.password_hash, typed) and self.staff is not None and self.staff.disabled_at is None


def begin_attempt(session: Session, typed_address: str, *, client: str, now: datetime) -> Attempt:
    """Count an attempt, unless there were too many."""
    normal = normal_form(typed_address[:500])
    subjects = sign_in_subjects(normal or typed_address[:500].strip().casefold(), client)
    until = waits_until(session, subjects, now=now)
    staff = staff_by_index(session, keyring().address_index(normal)) if normal else None
    if until is not None:
        return Attempt(None, None, subjects, now, until)
    count_failure(session, subjects, now=now)
    stored = session.scalar(select(StaffRow.password_hash).where(StaffRow.id == (staff.id if staff else 0)))
    return Attempt(staff, stored, subjects, now, None)


def refuse_attempt(session: Session, attempt: Attempt) -> None:
    """The password was wrong: it stays counted, and the audit says so; of an account that does not exist as well.

    So both write, and take as long. That somebody is locked out is said once: what comes then is neither counted nor stored.
    """
    who = attempt.staff.id if attempt.staff is not None else None
    target = AuditTarget(AuditObject.STAFF, who)
    record_audit(session, who, AuditAction.SIGN_IN_REFUSED, target, now=attempt.at)
    if waits_until(session, attempt.subjects, now=attempt.at):
        record_audit(session, who, AuditAction.SIGN_IN_LOCKED, target, now=attempt.at)


def turn_away(session: Session, attempt: Attempt) -> None:
    """The password was right, but whoever has it signs in with the identity provider alone. Not counted as a guess."""
    take_back_failure(session, attempt.subjects, failed_at=attempt.at)
    who = attempt.staff.id if attempt.staff is not None else None
    target, data = AuditTarget(AuditObject.STAFF, who), {"why": "provider_only"}
    record_audit(session, who, AuditAction.SIGN_IN_REFUSED, target, data=data, now=attempt.at)


def accept_attempt(session: Session, attempt: Attempt, typed: str, *, browser: str) -> Begun:
    """The password was right: a session that waits for the second factor, with a secret to enrol where there is none yet."""
    staff = attempt.staff
    assert staff is not None  # noqa: S101 - a right attempt has somebody
    take_back_failure(session, attempt.subjects, failed_at=attempt.at)
    if attempt.password_hash is not None and needs_new_hash(attempt.password_hash):
        session.execute(update(StaffRow).where(StaffRow.id == staff.id).values(password_hash=hash_password(typed)))
    return begin_second_factor(session, staff, browser=browser, now=attempt.at)


def begin_second_factor(session: Session, staff: StaffView, *, browser: str, now: datetime) -> Begun:
    """A session that waits for the second factor; for those without one it holds a fresh secret to enrol."""
    kept = None if staff.has_second_factor else {PENDING: new_secret()}
    return begin_half_session(session, staff.id, browser=browser, kept=kept, now=now)


def look_at_second_factor(session: Session, half: StaffSession, *, now: datetime) -> SignIn | None:
    """None: it is this attempt's turn. Otherwise why not: too many were wrong, or the half session was used a moment ago.

    Nothing is used up for a half session that opens nothing any more.
    """
    if waits_until(session, code_subjects(half.staff.id), now=now):
        return lock_out(session, half, now=now)
    return None if goes_on(session, half.id) else SignIn.WRONG


def sign_in_with_code(session: Session, half: StaffSession, typed: str, *, now: datetime) -> Begun | SignIn:
    """Open the session with the app's code. A code, and every one before it, works once (RFC 6238 §5.2)."""
    if refused := look_at_second_factor(session, half, now=now):
        return refused
    secret, last = session.execute(
        select(StaffRow.totp_secret, StaffRow.totp_step).where(StaffRow.id == half.staff.id).with_for_update()
    ).one()
    step = matching_step(secret, typed, now=now, after=last) if secret else None
    if step is None:
        return refuse_second_factor(session, half, now=now)
    session.execute(update(StaffRow).where(StaffRow.id == half.staff.id).values(totp_step=step))
    return open_session(session, half, now=now)


def sign_in_with_recovery_code(session: Session, half: StaffSession, typed: str, *, now: datetime) -> Begun | SignIn:
    """Open the session with one of the codes kept for the day the telephone is gone. Each works once."""
    if refused := look_at_second_factor(session, half, now=now):
        return refused
    used = session.execute(
        update(RecoveryCodeRow)
        .where(
            RecoveryCodeRow.staff_id == half.staff.id,
            RecoveryCodeRow.digest == recovery_digest(half.staff.id, typed),
            RecoveryCodeRow.used_at.is_(None),
        )
        .values(used_at=now)
    )
    if not half.staff.has_second_factor or not cast("CursorResult[Any]", used).rowcount:
        return refuse_second_factor(session, half, now=now)
    _audit(session, half.staff.id, AuditAction.RECOVERY_CODE_USED, now)
    tell_owner(session, half.staff.id, AccountChange.RECOVERY_CODE_USED, now=now)
    return open_session(session, half, now=now)


def enrol(session: Session, half: StaffSession, typed: str, *, now: datetime) -> Begun | SignIn:
    """Take the app whose code was typed as the second factor, and open the session, which holds fresh recovery codes."""
    if refused := look_at_second_factor(session, half, now=now):
        return refused
    secret = half.kept.get(PENDING)
    if secret is None or has_second_factor(session, half.staff.id):
        return SignIn.WRONG
    step = matching_step(secret, typed, now=now, after=None)
    if step is None:
        return refuse_second_factor(session, half, now=now)
    session.execute(update(StaffRow).where(StaffRow.id == half.staff.id).values(totp_secret=secret, totp_step=step))
    _audit(session, half.staff.id, AuditAction.SECOND_FACTOR_SET, now)
    codes = make_recovery_codes(session, half.staff.id, now=now)
    return open_session(session, half, now=now, kept={CODES: list(codes.codes)})


def has_second_factor(session: Session, staff_id: StaffId) -> bool:
    """Whether they have one now. Locks them: of two who enrol or remove at once the second sees what the first did."""
    app = session.scalar(select(StaffRow.totp_secret).where(StaffRow.id == staff_id).with_for_update())
    return app is not None or bool(count_passkeys(session, staff_id))


def make_recovery_codes(session: Session, staff_id: StaffId, *, now: datetime) -> RecoveryCodes:
    """Ten fresh codes; those made before stop working."""
    fresh = new_recovery_codes()
    session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.staff_id == staff_id))
    session.execute(
        insert(RecoveryCodeRow),
        [{"staff_id": staff_id, "digest": recovery_digest(staff_id, code)} for code in fresh.codes],
    )
    _audit(session, staff_id, AuditAction.RECOVERY_CODES_MADE, now)
    return fresh


def recovery_digest(staff_id: StaffId, typed: str) -> bytes:
    """What is stored of a recovery code."""
    return hashlib.sha256(f"preferences.recovery:{staff_id}:{read_recovery_code(typed)}".encode()).digest()


def open_session(
    session: Session,
    half: StaffSession,
    *,
    kept: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    now: datetime,
) -> Begun | SignIn:
    """The half session is claimed: one that was used in between opens nothing."""
    if not end_session(session, half.id, staff_id=half.staff.id, now=now):
        return SignIn.WRONG
    target = AuditTarget(AuditObject.STAFF, half.staff.id)
    record_audit(session, half.staff.id, AuditAction.SIGNED_IN, target, data=data, now=now)
    return begin_session(session, half.staff.id, browser=half.browser, kept=kept, now=now)


def refuse_second_factor(session: Session, half: StaffSession, *, now: datetime) -> SignIn:
    """What was given was wrong; it counts."""
    count_failure(session, code_subjects(half.staff.id), now=now)
    _audit(session, half.staff.id, AuditAction.SIGN_IN_REFUSED, now)
    return SignIn.WRONG


def lock_out(session: Session, half: StaffSession, *, now: datetime) -> SignIn:
    """Nothing more is looked at, and the password has to be given again."""
    end_session(session, half.id, staff_id=half.staff.id, now=now)
    _audit(session, half.staff.id, AuditAction.SIGN_IN_LOCKED, now)
    return SignIn.LOCKED


def _audit(session: Session, staff_id: StaffId, action: AuditAction, now: datetime) -> None:
    record_audit(session, staff_id, action, AuditTarget(AuditObject.STAFF, staff_id), now=now)
