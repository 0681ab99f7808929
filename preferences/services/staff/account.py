"""What somebody on the staff does about their own sign-in: prove it once more, change the password, take another app."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.staff import PasswordProblem
from preferences.domain.totp import matching_step, new_secret
from preferences.models.staff import StaffRow
from preferences.queries.staff.staff import StaffSession

from .account_mail import AccountChange, tell_owner
from .audit import record_audit
from .invitations import end_invitations, set_password
from .limits import code_subjects, count_failure, take_back_failure, waits_until
from .sessions import end_sessions, keep_in_session, make_fresh
from .sign_in import CODES, PENDING, Attempt, SignIn, make_recovery_codes


def begin_confirmation(session: Session, current: StaffSession, *, now: datetime) -> Attempt:
    """Count an attempt to prove it once more, unless there were too many."""
    subjects = code_subjects(current.staff.id)
    until = waits_until(session, subjects, now=now)
    if until is not None:
        return Attempt(current.staff, None, subjects, now, until)
    count_failure(session, subjects, now=now)
    stored = session.scalar(select(StaffRow.password_hash).where(StaffRow.id == current.staff.id))
    return Attempt(current.staff, stored, subjects, now, None)


def accept_confirmation(session: Session, current: StaffSession, attempt: Attempt) -> None:
    """The password was right: exports and erasure ask for nothing more for a while."""
    take_back_failure(session, attempt.subjects, failed_at=attempt.at)
    make_fresh(session, current.id, now=attempt.at)
    target = AuditTarget(AuditObject.SESSION, current.id)
    record_audit(session, current.staff.id, AuditAction.CONFIRMED_AGAIN, target, now=attempt.at)


def change_password(
    session: Session, current: StaffSession, password: str, *, organisation: str, now: datetime
) -> PasswordProblem | None:
    """A new password; every other session of theirs ends, and links to choose one. The problem, where it cannot be used."""
    problem = set_password(session, current.staff, password, organisation=organisation, now=now)
    if problem is None:
        end_invitations(session, current.staff.id, now=now)
        end_sessions(session, current.staff.id, but=current, now=now)
        tell_owner(session, current.staff.id, AccountChange.PASSWORD_SET, now=now)
    return problem


def renew_recovery_codes(session: Session, current: StaffSession, *, now: datetime) -> None:
    """Fresh recovery codes, shown in this session until they are noted."""
    codes = make_recovery_codes(session, current.staff.id, now=now)
    keep_in_session(session, current.id, {CODES: list(codes.codes)})


def offer_app(session: Session, current: StaffSession) -> None:
    """Make a secret for another app. The one in use goes on until a code of the new one was typed."""
    keep_in_session(session, current.id, {PENDING: new_secret()})


def take_app(session: Session, current: StaffSession, typed: str, *, now: datetime) -> SignIn:
    """Take the app whose code was typed instead of the one in use."""
    secret = current.kept.get(PENDING)
    subjects = code_subjects(current.staff.id)
    if waits_until(session, subjects, now=now):
        return SignIn.LOCKED
    step = matching_step(secret, typed, now=now, after=None) if secret else None
    if step is None:
        count_failure(session, subjects, now=now)
        return SignIn.WRONG
    session.execute(update(StaffRow).where(StaffRow.id == current.staff.id).values(totp_secret=secret, totp_step=step))
    target = AuditTarget(AuditObject.STAFF, current.staff.id)
    record_audit(session, current.staff.id, AuditAction.SECOND_FACTOR_SET, target, now=now)
    tell_owner(session, current.staff.id, AccountChange.APP_SET, now=now)
    end_sessions(session, current.staff.id, but=current, now=now)
    renew_recovery_codes(session, current, now=now)
    return SignIn.RIGHT


def codes_are_noted(session: Session, current: StaffSession) -> None:
    """They are not shown again."""
    keep_in_session(session, current.id, None)
