"""Lets in whom the company's identity provider vouches for: known accounts, invited people by a verified address, or new ones.

The second factor is the provider's. What a refusal was for is in the audit, beside every sign-in and every link.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from preferences.domain.address import normal_form
from preferences.domain.audit import NOTHING, AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.errors import Conflict
from preferences.domain.roles import Role
from preferences.domain.single_sign_on import Round, SignOnRules, Vouched, WhyNot, role_of
from preferences.models.crypto import BlindIndex, keyring
from preferences.models.single_sign_on import FinishedRoundRow, StaffIdentityRow
from preferences.models.staff import StaffRow
from preferences.queries.staff.identities import identities_of, identity_by_index
from preferences.queries.staff.staff import StaffSession, StaffView, staff_by_index

from .account_mail import AccountChange, tell_owner
from .audit import record_audit
from .sessions import Begun, begin_session, end_sessions, make_fresh
from .staff import MOST_NAME, NewStaff, change_role, create_staff, existing_staff, staff_by_address

BECAUSE = "single_sign_on"
"""In the data of the audit: done by what the identity provider said."""


def finish_round(session: Session, begun: Round, *, now: datetime) -> bool:
    """Claim a round that came back. False: it was finished before, and its answer is not looked at again (replay)."""
    digest = hashlib.sha256(b"preferences.round." + begun.state.encode()).digest()
    try:
        with session.begin_nested():
            session.execute(insert(FinishedRoundRow), {"digest": digest, "finished_at": now})
    except IntegrityError:
        return False
    return True


def sign_in_with_identity(
    session: Session, vouched: Vouched, rules: SignOnRules, *, browser: str, locale: str, now: datetime
) -> Begun | WhyNot:
    """Open a session for whom the provider vouches, with the role that their groups give; or say why not."""
    role = role_of(vouched.groups, rules.roles)
    found = _who(session, vouched, rules, role, locale, now)
    if isinstance(found, WhyNot):
        return found
    if found.disabled_at is not None:
        return refuse_sign_on(session, WhyNot.DISABLED, about=found.id, now=now)
    if rules.roles and role is None:
        return refuse_sign_on(session, WhyNot.NO_ROLE, about=found.id, now=now)
    refused = _link(session, found, vouched, now)
    if refused is not None:
        return refused
    data = {"with": BECAUSE}
    if role is not None:
        try:
            change_role(session, found.id, role, by=found.id, because=BECAUSE, now=now)
        except (
            Conflict
        ):  # the last administrator stays one, whatever the groups say: somebody must be able to repair them
            data["kept_role"] = found.role.value
    target = AuditTarget(AuditObject.STAFF, found.id)
    record_audit(session, found.id, AuditAction.SIGNED_IN, target, data=data, now=now)
    return begin_session(session, found.id, browser=browser, now=now)


def confirm_with_identity(session: Session, current: StaffSession, vouched: Vouched, *, now: datetime) -> WhyNot | None:
    """The person of this session proved once more at the provider who they are. The reason, where it was not them."""
    known = identity_by_index(session, _index(vouched))
    if known is None or known.staff_id != current.staff.id:
        return refuse_sign_on(session, WhyNot.SOMEBODY_ELSE, about=current.staff.id, now=now)
    make_fresh(session, current.id, now=now)
    target = AuditTarget(AuditObject.SESSION, current.id)
    data = {"with": BECAUSE}
    record_audit(session, current.staff.id, AuditAction.CONFIRMED_AGAIN, target, data=data, now=now)
    return None


def refuse_sign_on(
    session: Session, why: WhyNot, *, about: StaffId | None = None, detail: str = "", now: datetime
) -> WhyNot:
    """Record that nobody was let in, and why. `about`: whom the provider named, where we know them."""
    target = NOTHING if about is None else AuditTarget(AuditObject.STAFF, about)
    data = {"why": why.value} | ({"detail": detail} if detail else {})
    record_audit(session, about, AuditAction.SINGLE_SIGN_ON_REFUSED, target, data=data, now=now)
    return why


def unlink_identities(session: Session, staff_id: int, *, by: StaffId | None, now: datetime) -> None:
    """Forget the accounts that somebody signs in with, and sign them out; the next sign-in links one anew. Raises NotFound."""
    found = existing_staff(session, staff_id)
    if not identities_of(session, found.id):
        return
    session.execute(delete(StaffIdentityRow).where(StaffIdentityRow.staff_id == found.id))
    end_sessions(session, found.id, now=now)
    record_audit(session, by, AuditAction.IDENTITY_UNLINKED, AuditTarget(AuditObject.STAFF, found.id), now=now)


def _who(
    session: Session, vouched: Vouched, rules: SignOnRules, role: Role | None, locale: str, now: datetime
) -> StaffView | WhyNot:
    """Whose account this is: by the account itself, else by a verified address, else somebody new."""
    known = identity_by_index(session, _index(vouched))
    if known is not None:
        return existing_staff(session, known.staff_id)
    normal = normal_form(vouched.address[:500]) if vouched.address else None
    if normal is None or not vouched.is_verified:
        return refuse_sign_on(session, WhyNot.UNVERIFIED, now=now)
    index = keyring().address_index(normal)
    staff = staff_by_index(session, index)
    if staff is not None:
        return staff
    if normal.rpartition("@")[2] not in rules.new_staff_domains:
        return refuse_sign_on(session, WhyNot.NOT_INVITED, now=now)
    if role is None:
        return refuse_sign_on(session, WhyNot.NO_ROLE, now=now)
    new = NewStaff(address=normal, name=_name(vouched, normal), role=role, locale=locale)
    try:
        return create_staff(session, new, by=None, now=now)
    except Conflict:  # two windows came back at the same moment, and the other one was first
        return staff_by_address(session, normal)


def _link(session: Session, found: StaffView, vouched: Vouched, now: datetime) -> WhyNot | None:
    """Note that the account was used; at the first time, whose it is. An address alone never replaces an account."""
    closed = session.scalar(select(StaffRow.disabled_at).where(StaffRow.id == found.id).with_for_update())
    if closed is not None:  # between the look and the lock
        return refuse_sign_on(session, WhyNot.DISABLED, about=found.id, now=now)
    index = _index(vouched)
    if identity_by_index(session, index) is not None:
        session.execute(update(StaffIdentityRow).where(StaffIdentityRow.identity_index == index).values(used_at=now))
        return None
    if any(one.issuer == vouched.issuer for one in identities_of(session, found.id)):
        return refuse_sign_on(session, WhyNot.SOMEBODY_ELSE, about=found.id, now=now)
    session.execute(
        insert(StaffIdentityRow),
        {
            "staff_id": found.id,
            "issuer": vouched.issuer,
            "identity_index": index,
            "linked_at": now,
            "used_at": now,
        },
    )
    target = AuditTarget(AuditObject.STAFF, found.id)
    record_audit(session, found.id, AuditAction.IDENTITY_LINKED, target, now=now)
    if found.has_password:  # whoever gets their address at the provider gets in: they learn of it
        tell_owner(session, found.id, AccountChange.IDENTITY_LINKED, now=now)
    return None


def _index(vouched: Vouched) -> BlindIndex:
    return keyring().counted_index(f"identity:{len(vouched.issuer)}:{vouched.issuer}:{vouched.subject}")


def _name(vouched: Vouched, normal: str) -> str:
    """A name that a page can show: the provider's, or what stands before the @."""
    said = "".join(character for character in vouched.name if character.isprintable())
    return " ".join(said.split())[:MOST_NAME].strip() or normal.partition("@")[0][:MOST_NAME]
