"""Who is on the staff: add, change the role, disable, let back in. There is always an administrator left."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from preferences.domain.address import parse_address
from preferences.domain.audit import AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.errors import Conflict, InvalidValue, NotFound
from preferences.domain.roles import Role
from preferences.models.crypto import keyring
from preferences.models.passkey import PasskeyRow
from preferences.models.staff import RecoveryCodeRow, StaffRow
from preferences.queries.staff.staff import StaffView, administrators, staff_by_id, staff_by_index

from .account_mail import AccountChange, tell_owner
from .audit import record_audit
from .sessions import end_half_sessions, end_sessions

MOST_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class NewStaff:
    """Somebody to add."""

    address: str
    name: str
    role: Role
    locale: str


def create_staff(session: Session, new: NewStaff, *, by: StaffId | None, now: datetime) -> StaffView:
    """Add somebody, who cannot sign in before an invitation was accepted. Raises InvalidAddress, InvalidValue, Conflict."""
    address = parse_address(new.address)
    index = keyring().address_index(address.normal)
    if staff_by_index(session, index) is not None:
        raise Conflict("Somebody on the staff has this address already.", pointer="/address")
    row = StaffRow(
        address=address.original,
        address_index=index,
        name=_name(new.name),
        role=new.role,
        locale=new.locale,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # somebody was faster by the blink of an eye
        raise Conflict("Somebody on the staff has this address already.", pointer="/address") from None
    target = AuditTarget(AuditObject.STAFF, row.id)
    record_audit(session, by, AuditAction.STAFF_CREATED, target, data={"role": new.role.value}, now=now)
    return existing_staff(session, row.id)


def existing_staff(session: Session, staff_id: int) -> StaffView:
    """Who has this id. Raises NotFound."""
    found = staff_by_id(session, staff_id)
    if found is None:
        raise NotFound(f"There is nobody number {staff_id} on the staff.")
    return found


def staff_by_address(session: Session, address: str) -> StaffView:
    """Who has this address. Raises InvalidAddress, NotFound."""
    found = staff_by_index(session, keyring().address_index(parse_address(address).normal))
    if found is None:
        raise NotFound("Nobody on the staff has this address.")
    return found


def change_role(
    session: Session, staff_id: int, role: Role, *, by: StaffId | None, because: str = "", now: datetime
) -> None:
    """Give somebody another role; it holds from their next page on. Raises NotFound, or Conflict for the last administrator.

    `because` is a code for the audit, where it was nobody's decision here.
    """
    found = existing_staff(session, staff_id)
    if found.role is role:
        return
    if found.role is Role.ADMINISTRATOR:
        _leave_an_administrator(session, found)
    session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(role=role))
    end_half_sessions(session, found.id, now=now)
    data = {"from": found.role.value, "to": role.value} | ({"because": because} if because else {})
    record_audit(
        session, by, AuditAction.STAFF_ROLE_CHANGED, AuditTarget(AuditObject.STAFF, staff_id), data=data, now=now
    )


def disable_staff(session: Session, staff_id: int, *, by: StaffId | None, now: datetime) -> None:
    """Keep somebody out from this moment on. Raises NotFound, or Conflict for the last administrator."""
    found = existing_staff(session, staff_id)
    if found.disabled_at is not None:
        return
    if found.role is Role.ADMINISTRATOR:
        _leave_an_administrator(session, found)
    session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(disabled_at=now))
    end_sessions(session, found.id, now=now)
    record_audit(session, by, AuditAction.STAFF_DISABLED, AuditTarget(AuditObject.STAFF, staff_id), now=now)


def enable_staff(session: Session, staff_id: int, *, by: StaffId | None, now: datetime) -> None:
    """Let somebody sign in again, with the password, app and passkeys they had. Raises NotFound."""
    if existing_staff(session, staff_id).disabled_at is None:
        return
    session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(disabled_at=None))
    record_audit(session, by, AuditAction.STAFF_ENABLED, AuditTarget(AuditObject.STAFF, staff_id), now=now)


def reset_second_factor(session: Session, staff_id: int, *, by: StaffId | None, now: datetime) -> None:
    """Forget app, passkeys and recovery codes, and end every session: the next sign-in enrols anew. Raises NotFound."""
    found = existing_staff(session, staff_id)
    session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(totp_secret=None, totp_step=None))
    session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.staff_id == staff_id))
    session.execute(delete(PasskeyRow).where(PasskeyRow.staff_id == staff_id))
    end_sessions(session, found.id, now=now)
    tell_owner(session, found.id, AccountChange.SECOND_FACTOR_RESET, now=now)
    record_audit(session, by, AuditAction.SECOND_FACTOR_RESET, AuditTarget(AuditObject.STAFF, staff_id), now=now)


def change_language(session: Session, staff_id: StaffId, locale: str) -> None:
    """The language of somebody's admin pages from now on."""
    session.execute(update(StaffRow).where(StaffRow.id == staff_id).values(locale=locale))


def _leave_an_administrator(session: Session, found: StaffView) -> None:
    if administrators(session) == [found.id]:
        raise Conflict("This is the last administrator; make somebody else one first.")


def _name(text: str) -> str:
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        raise InvalidValue(f"A name has 1 to {MOST_NAME} characters.", pointer="/name")
    return name
