"""Signing in with a passkey: after the password, alone, or once more; and as the second factor that is enrolled first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.passkeys import Ceremony, RelyingParty
from preferences.queries.staff.passkeys import passkey_owner
from preferences.queries.staff.staff import StaffSession, StaffView, staff_by_id

from .audit import record_audit
from .limits import code_subjects, count_failure, passkey_subjects, waits_until
from .passkey_proof import read_claim
from .passkeys import take_passkey, use_passkey
from .sessions import Begun, begin_session, make_fresh
from .sign_in import (
    CODES,
    SignIn,
    has_second_factor,
    look_at_second_factor,
    make_recovery_codes,
    open_session,
    refuse_second_factor,
)

BY = "passkey"
"""In the audit's data: with what."""


def sign_in_with_second_passkey(
    session: Session, half: StaffSession, answer: str, *, party: RelyingParty, browser: bytes, now: datetime
) -> Begun | SignIn:
    """Open the session that waits for the second factor."""
    if refused := look_at_second_factor(session, half, now=now):
        return refused
    used = use_passkey(session, half.staff.id, answer, Ceremony.SECOND_FACTOR, party=party, browser=browser, now=now)
    if used is None:
        return refuse_second_factor(session, half, now=now)
    return open_session(session, half, data={BY: used.id}, now=now)


def sign_in_with_passkey(
    session: Session,
    answer: str,
    *,
    party: RelyingParty,
    browser: bytes,
    client: str,
    named: str,
    may_enter: Callable[[StaffView], bool],
    now: datetime,
) -> Begun | SignIn:
    """Open a session with a passkey alone: having it and unlocking it are two factors. `named`: the browser in words.

    `may_enter` says of its owner whether they sign in here at all, or with the company's identity provider alone.

    Wrong ones count for the client, and for the person where the passkey is known; of one who waits nothing is looked at.
    """
    claim = read_claim(answer)
    owner = passkey_owner(session, claim.credential_id) if claim is not None else None
    subjects = {**passkey_subjects(client), **(code_subjects(owner) if owner else {})}
    if waits_until(session, subjects, now=now):
        return SignIn.LOCKED
    used = use_passkey(session, None, answer, Ceremony.SIGN_IN, party=party, browser=browser, now=now)
    staff = staff_by_id(session, owner) if owner else None
    if used is None or staff is None or staff.disabled_at is not None:
        count_failure(session, subjects, now=now)
        _audit(session, owner, AuditAction.SIGN_IN_REFUSED, now)
        if waits_until(session, subjects, now=now):
            _audit(session, owner, AuditAction.SIGN_IN_LOCKED, now)
        return SignIn.WRONG
    if not may_enter(staff):
        _audit(session, owner, AuditAction.SIGN_IN_REFUSED, now)
        return SignIn.PROVIDER_ONLY
    _audit(session, staff.id, AuditAction.SIGNED_IN, now, used.id)
    return begin_session(session, staff.id, browser=named, now=now)


def enrol_passkey(
    session: Session, half: StaffSession, answer: str, *, party: RelyingParty, browser: bytes, now: datetime
) -> Begun | SignIn:
    """Take a passkey as the first second factor, and open the session, which holds fresh recovery codes."""
    if refused := look_at_second_factor(session, half, now=now):
        return refused
    if has_second_factor(session, half.staff.id):
        return SignIn.WRONG
    added = take_passkey(session, half.staff, answer, half.browser, party=party, browser=browser, now=now)
    if added is None:
        return refuse_second_factor(session, half, now=now)
    codes = make_recovery_codes(session, half.staff.id, now=now)
    return open_session(session, half, kept={CODES: list(codes.codes)}, data={BY: added}, now=now)


def confirm_with_passkey(
    session: Session, current: StaffSession, answer: str, *, party: RelyingParty, browser: bytes, now: datetime
) -> SignIn:
    """Prove it once more; wrong ones count like wrong codes."""
    subjects = code_subjects(current.staff.id)
    if waits_until(session, subjects, now=now):
        return SignIn.LOCKED
    used = use_passkey(session, current.staff.id, answer, Ceremony.CONFIRM, party=party, browser=browser, now=now)
    if used is None:
        count_failure(session, subjects, now=now)
        return SignIn.WRONG
    make_fresh(session, current.id, now=now)
    target = AuditTarget(AuditObject.SESSION, current.id)
    record_audit(session, current.staff.id, AuditAction.CONFIRMED_AGAIN, target, data={BY: used.id}, now=now)
    return SignIn.RIGHT


def _audit(
    session: Session, staff_id: StaffId | None, action: AuditAction, now: datetime, passkey: int | None = None
) -> None:
    data = {BY: passkey} if passkey else None
    record_audit(session, staff_id, action, AuditTarget(AuditObject.STAFF, staff_id), data=data, now=now)
