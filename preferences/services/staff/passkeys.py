"""Somebody's own passkeys: made, looked at, named and removed. One second factor always stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.errors import Conflict, NotFound
from preferences.domain.passkeys import MOST_PASSKEYS, Ceremony, RelyingParty, passkey_name
from preferences.models.crypto import keyring
from preferences.models.passkey import PasskeyRow
from preferences.models.staff import StaffRow
from preferences.models.upsert import insert_into
from preferences.queries.staff.passkeys import PasskeyView, passkey_of, passkeys_of
from preferences.queries.staff.staff import StaffSession, StaffView, count_passkeys

from .account_mail import AccountChange, tell_owner
from .audit import record_audit
from .challenges import claim_challenge
from .passkey_proof import KnownKey, Owner, read_claim, read_new, verify_claim, verify_new
from .sessions import end_sessions


def owner_of_passkeys(staff: StaffView) -> Owner:
    """Somebody as authenticators show them."""
    return Owner(user_handle(staff.id), staff.address, staff.name)


def user_handle(staff_id: StaffId) -> bytes:
    """What authenticators know somebody by: one for all their passkeys, and it tells nothing (WebAuthn §14.6.1)."""
    return keyring().counted_index(f"passkey-owner:{staff_id}")


def known_keys(session: Session, staff_id: StaffId) -> list[KnownKey]:
    """Somebody's passkeys, for a browser to find or to leave alone."""
    return [KnownKey(one.credential_id, one.transports) for one in passkeys_of(session, staff_id)]


def take_passkey(
    session: Session, staff: StaffView, answer: str, name: str, *, party: RelyingParty, browser: bytes, now: datetime
) -> int | None:
    """Take the passkey that a browser has made. Its number; None when the answer proves nothing, or it is there already.

    Raises InvalidValue for its name, Conflict where there are too many.
    """
    name = passkey_name(name)
    claim = read_new(answer)
    if claim is None or not claim_challenge(session, claim.challenge, Ceremony.ADD, browser, now=now):
        return None
    made = verify_new(claim, party)
    if made is None:
        return None
    _lock(session, staff.id)
    if count_passkeys(session, staff.id) >= MOST_PASSKEYS:
        raise Conflict(f"There are {MOST_PASSKEYS} passkeys already; remove one first.")
    added: int | None = session.scalar(
        insert_into(session, PasskeyRow.__table__)
        .values(
            staff_id=staff.id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            name=name,
            transports=made.transports,
            made_at=now,
        )
        .on_conflict_do_nothing(index_elements=["credential_id"])
        .returning(PasskeyRow.id)
    )
    if added is not None:
        _audit(session, staff.id, AuditAction.PASSKEY_ADDED, now, {"passkey": added})
    return added


def add_passkey(
    session: Session, staff: StaffView, answer: str, name: str, *, party: RelyingParty, browser: bytes, now: datetime
) -> int | None:
    """Take one more beside what they have, and tell its owner by mail. As `take_passkey`."""
    added = take_passkey(session, staff, answer, name, party=party, browser=browser, now=now)
    if added is not None:
        tell_owner(session, staff.id, AccountChange.PASSKEY_ADDED, now=now)
    return added


def use_passkey(
    session: Session,
    owner: StaffId | None,
    answer: str,
    ceremony: Ceremony,
    *,
    party: RelyingParty,
    browser: bytes,
    now: datetime,
) -> PasskeyView | None:
    """The passkey that the answer proves; None when it proves nothing. `owner` None: the passkey says whose it is.

    Where it stands alone (everywhere but after the password) it must have verified the person. A count that went backwards is
    a copy: refused, and audited.
    """
    claim = read_claim(answer)
    if claim is None or not claim_challenge(session, claim.challenge, ceremony, browser, now=now):
        return None
    row = session.scalar(select(PasskeyRow).where(PasskeyRow.credential_id == claim.credential_id).with_for_update())
    if row is None or row.staff_id != (owner or row.staff_id):
        return None
    if (claim.handle or (b"" if owner is None else None)) not in {None, user_handle(StaffId(row.staff_id))}:
        return None
    proof = verify_claim(claim, party, row.public_key)
    if proof is None or not (proof.is_verified or ceremony is Ceremony.SECOND_FACTOR):
        return None
    if proof.sign_count <= row.sign_count and (proof.sign_count or row.sign_count):
        _audit(session, StaffId(row.staff_id), AuditAction.PASSKEY_COPIED, now, {"passkey": row.id})
        return None
    row.sign_count, row.used_at = proof.sign_count, now
    session.flush()
    return passkey_of(session, StaffId(row.staff_id), row.id)


def existing_passkey(session: Session, staff_id: StaffId, passkey_id: int) -> PasskeyView:
    """One of somebody's own. Raises NotFound, for anybody else's too."""
    found = passkey_of(session, staff_id, passkey_id)
    if found is None:
        raise NotFound("You have no such passkey.")
    return found


def rename_passkey(session: Session, staff_id: StaffId, passkey_id: int, name: str, *, now: datetime) -> None:
    """Call it something else. Raises InvalidValue, NotFound."""
    name = passkey_name(name)
    if existing_passkey(session, staff_id, passkey_id).name == name:
        return
    session.execute(update(PasskeyRow).where(PasskeyRow.id == passkey_id).values(name=name))
    _audit(session, staff_id, AuditAction.PASSKEY_RENAMED, now, {"passkey": passkey_id})


def remove_passkey(session: Session, current: StaffSession, passkey_id: int, *, now: datetime) -> None:
    """Forget one; every other session of theirs ends. Raises NotFound, or Conflict for the last second factor."""
    staff_id = current.staff.id
    app = _lock(session, staff_id)
    existing_passkey(session, staff_id, passkey_id)
    if app is None and count_passkeys(session, staff_id) == 1:
        raise Conflict("This is the last second factor; add another one first.")
    session.execute(delete(PasskeyRow).where(PasskeyRow.id == passkey_id))
    _audit(session, staff_id, AuditAction.PASSKEY_REMOVED, now, {"passkey": passkey_id})
    tell_owner(session, staff_id, AccountChange.PASSKEY_REMOVED, now=now)
    end_sessions(session, staff_id, but=current, now=now)


def remove_app(session: Session, current: StaffSession, *, now: datetime) -> None:
    """Forget the authenticator app; every other session of theirs ends. Raises Conflict for the last second factor."""
    staff_id = current.staff.id
    _lock(session, staff_id)
    if not count_passkeys(session, staff_id):
        raise Conflict("This is the last second factor; add a passkey first.")
    removed = session.execute(
        update(StaffRow)
        .where(StaffRow.id == staff_id, StaffRow.totp_secret.is_not(None))
        .values(totp_secret=None, totp_step=None)
    )
    if cast("CursorResult[Any]", removed).rowcount:
        _audit(session, staff_id, AuditAction.APP_REMOVED, now)
        tell_owner(session, staff_id, AccountChange.APP_REMOVED, now=now)
        end_sessions(session, staff_id, but=current, now=now)


def _lock(session: Session, staff_id: StaffId) -> str | None:
    """Their app's secret, if any; locked, so that of two who remove at once the second sees what the first left."""
    return session.scalar(select(StaffRow.totp_secret).where(StaffRow.id == staff_id).with_for_update())


def _audit(
    session: Session, staff_id: StaffId, action: AuditAction, now: datetime, data: Mapping[str, Any] | None = None
) -> None:
    record_audit(session, staff_id, action, AuditTarget(AuditObject.STAFF, staff_id), data=data, now=now)
