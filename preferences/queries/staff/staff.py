"""Staff, their sessions and invitations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from preferences.domain.audit import StaffId
from preferences.domain.roles import Permission, Role, may
from preferences.domain.staff import FRESH_FOR, HALF_LASTS, SESSION_IDLE, SESSION_LASTS, SessionStage
from preferences.models.crypto import BlindIndex
from preferences.models.passkey import PasskeyRow
from preferences.models.staff import RecoveryCodeRow, StaffInvitationRow, StaffRow, StaffSessionRow

PASSKEYS = select(func.count()).where(PasskeyRow.staff_id == StaffRow.id).correlate(StaffRow).scalar_subquery()
"""How many passkeys somebody has, beside their row."""


class StaffState(StrEnum):
    """How things stand with somebody on the staff."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, repr=False)
class StaffView:
    """Somebody on the staff; never logged, and without anything they sign in with."""

    id: StaffId
    address: str
    name: str
    role: Role
    locale: str
    has_password: bool
    has_app: bool
    passkeys: int
    has_identity: bool
    """Whether they sign in with the company's identity provider."""
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None

    @property
    def has_second_factor(self) -> bool:
        """Whether they have an authenticator app or a passkey."""
        return self.has_app or self.passkeys > 0

    @property
    def state(self) -> StaffState:
        """Invited until they have chosen a password and have a second factor, or came by the identity provider."""
        if self.disabled_at is not None:
            return StaffState.DISABLED
        can_sign_in = (self.has_password and self.has_second_factor) or self.has_identity
        return StaffState.ACTIVE if can_sign_in else StaffState.INVITED

    def may(self, permission: Permission) -> bool:
        """Whether their role has this permission."""
        return may(self.role, permission)

    def __repr__(self) -> str:
        """The id only."""
        return f"<StaffView {self.id}>"


@dataclass(frozen=True, slots=True, repr=False)
class StaffSession:
    """One browser's session. `kept` is what it alone must show or finish."""

    id: int
    staff: StaffView
    stage: SessionStage
    browser: str
    kept: Mapping[str, Any]
    started_at: datetime
    seen_at: datetime
    fresh_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        """Whether its owner proved who they are a moment ago."""
        return now - self.fresh_at < FRESH_FOR

    def is_over(self, now: datetime) -> bool:
        """Whether it ended by itself: half of it after ten minutes, idle after an hour, at the latest after twelve."""
        if self.stage is SessionStage.HALF:
            return now - self.started_at >= HALF_LASTS
        return now - self.seen_at >= SESSION_IDLE or now - self.started_at >= SESSION_LASTS

    def __repr__(self) -> str:
        """The id only."""
        return f"<StaffSession {self.id}>"


@dataclass(frozen=True, slots=True, repr=False)
class Invitation:
    """A link that lets somebody choose a password."""

    id: int
    staff: StaffView
    expires_at: datetime


def staff_by_id(session: Session, staff_id: int) -> StaffView | None:
    """Who has this id."""
    return _one(session, StaffRow.id == staff_id)


def staff_by_index(session: Session, address_index: BlindIndex) -> StaffView | None:
    """Who has this address."""
    return _one(session, StaffRow.address_index == address_index)


def all_staff(session: Session) -> list[StaffView]:
    """Everybody, by name; those who were disabled last."""
    found = [_view(*row) for row in session.execute(select(StaffRow, PASSKEYS))]
    return sorted(found, key=lambda one: (one.disabled_at is not None, one.name.casefold(), one.id))


def administrators(session: Session) -> list[StaffId]:
    """Administrators who are not disabled, locked: of two who demote each other at once the second sees what the first did."""
    found = (
        select(StaffRow.id)
        .where(StaffRow.role == Role.ADMINISTRATOR, StaffRow.disabled_at.is_(None))
        .order_by(StaffRow.id)
        .with_for_update()
    )
    return [StaffId(number) for number in session.scalars(found)]


def session_by_digest(session: Session, digest: bytes, *, now: datetime) -> StaffSession | None:
    """The session with this digest, while it is neither ended nor over and its owner not disabled; else None."""
    row = session.execute(
        select(StaffSessionRow, StaffRow, PASSKEYS)
        .join(StaffRow, StaffRow.id == StaffSessionRow.staff_id)
        .where(StaffSessionRow.digest == digest, StaffSessionRow.ended_at.is_(None), StaffRow.disabled_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    found = _session(*row)
    return None if found.is_over(now) else found


def sessions_of(session: Session, staff_id: StaffId, *, now: datetime) -> list[StaffSession]:
    """The sessions in which somebody is signed in now, those used last first."""
    rows = session.execute(
        select(StaffSessionRow, StaffRow, PASSKEYS)
        .join(StaffRow, StaffRow.id == StaffSessionRow.staff_id)
        .where(
            StaffSessionRow.staff_id == staff_id,
            StaffSessionRow.ended_at.is_(None),
            StaffSessionRow.stage == SessionStage.OPEN,
            StaffSessionRow.started_at > now - SESSION_LASTS,
        )
        .order_by(StaffSessionRow.seen_at.desc(), StaffSessionRow.id.desc())
    )
    return [found for row in rows if not (found := _session(*row)).is_over(now)]


def invitation_by_digest(session: Session, digest: bytes, *, now: datetime) -> Invitation | None:
    """The invitation that this link belongs to, while it can be accepted."""
    row = session.execute(
        select(StaffInvitationRow, StaffRow, PASSKEYS)
        .join(StaffRow, StaffRow.id == StaffInvitationRow.staff_id)
        .where(
            StaffInvitationRow.digest == digest,
            StaffInvitationRow.used_at.is_(None),
            StaffInvitationRow.replaced_at.is_(None),
            StaffInvitationRow.expires_at > now,
            StaffRow.disabled_at.is_(None),
        )
    ).one_or_none()
    return None if row is None else Invitation(row[0].id, _view(row[1], row[2]), row[0].expires_at)


def count_recovery_codes(session: Session, staff_id: StaffId) -> int:
    """How many codes are left."""
    count = select(func.count()).where(RecoveryCodeRow.staff_id == staff_id, RecoveryCodeRow.used_at.is_(None))
    return session.scalar(count) or 0


def count_passkeys(session: Session, staff_id: StaffId) -> int:
    """How many passkeys somebody has."""
    return session.scalar(select(func.count()).where(PasskeyRow.staff_id == staff_id)) or 0


def _one(session: Session, condition: ColumnElement[bool]) -> StaffView | None:
    row = session.execute(select(StaffRow, PASSKEYS).where(condition)).one_or_none()
    return None if row is None else _view(*row)


def _session(row: StaffSessionRow, staff: StaffRow, passkeys: int) -> StaffSession:
    return StaffSession(
        row.id,
        _view(staff, passkeys),
        row.stage,
        row.browser,
        row.kept or {},
        row.started_at,
        row.seen_at,
        row.fresh_at,
    )


def _view(row: StaffRow, passkeys: int) -> StaffView:
    return StaffView(
        id=StaffId(row.id),
        address=row.address,
        name=row.name,
        role=row.role,
        locale=row.locale,
        has_password=row.password_hash is not None,
        has_app=row.totp_secret is not None,
        passkeys=passkeys,
        has_identity=row.has_identity,
        created_at=row.created_at,
        signed_in_at=row.signed_in_at,
        disabled_at=row.disabled_at,
    )
