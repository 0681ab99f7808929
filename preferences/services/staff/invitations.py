"""Invitations: a link that lets somebody choose a password, once. By mail, or handed over by whoever runs the command."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.errors import Conflict
from preferences.domain.mailing import MailDropped, OwnMail
from preferences.domain.staff import INVITATION_LASTS, PasswordProblem, password_problem
from preferences.models.staff import StaffInvitationRow, StaffRow
from preferences.queries.staff.staff import Invitation, StaffView, invitation_by_digest
from preferences.services.outbox.outbox import enqueue_mail

from .audit import record_audit
from .passwords import hash_password
from .sessions import end_sessions, secret_digest

TEMPLATE = "staff_invitation"
PATH = "/admin/invitation"


def make_invitation(session: Session, staff: StaffView, *, by: StaffId | None, now: datetime) -> str:
    """A fresh link's secret; earlier links stop working. Raises Conflict for somebody disabled."""
    if staff.disabled_at is not None:
        raise Conflict("They are disabled; enable them first.")
    end_invitations(session, staff.id, now=now)
    secret = secrets.token_urlsafe(32)
    session.add(
        StaffInvitationRow(
            staff_id=staff.id, digest=secret_digest(secret), made_at=now, expires_at=now + INVITATION_LASTS
        )
    )
    session.flush()
    record_audit(session, by, AuditAction.STAFF_INVITED, AuditTarget(AuditObject.STAFF, staff.id), now=now)
    return secret


def end_invitations(session: Session, staff_id: StaffId, *, now: datetime) -> None:
    """The links that somebody still has stop working."""
    session.execute(
        update(StaffInvitationRow)
        .where(
            StaffInvitationRow.staff_id == staff_id,
            StaffInvitationRow.used_at.is_(None),
            StaffInvitationRow.replaced_at.is_(None),
        )
        .values(replaced_at=now)
    )


def mail_invitation(session: Session, staff: StaffView, *, by: StaffId, now: datetime) -> None:
    """Send somebody a link to choose a password with. Raises Conflict."""
    secret = make_invitation(session, staff, by=by, now=now)
    enqueue_mail(session, TEMPLATE, recipient_id=None, parameters={"secret": secret}, now=now)


def accept_invitation(
    session: Session, invitation: Invitation, password: str, *, organisation: str, now: datetime
) -> PasswordProblem | None:
    """Set the password that somebody chose; every session of theirs ends. The problem, where it cannot be used.

    Raises Conflict when the link was used or replaced in between.
    """
    problem = set_password(session, invitation.staff, password, organisation=organisation, now=now)
    if problem is not None:
        return problem
    claimed = session.execute(
        update(StaffInvitationRow)
        .where(
            StaffInvitationRow.id == invitation.id,
            StaffInvitationRow.used_at.is_(None),
            StaffInvitationRow.replaced_at.is_(None),
        )
        .values(used_at=now)
    )
    if not cast("CursorResult[Any]", claimed).rowcount:
        raise Conflict("The link was used a moment ago.")
    end_sessions(session, invitation.staff.id, now=now)
    return None


def set_password(
    session: Session, staff: StaffView, password: str, *, organisation: str, now: datetime
) -> PasswordProblem | None:
    """Store a new password, unless something is wrong with it."""
    local_part = staff.address.partition("@")[0]
    problem = password_problem(password, about=(local_part, *staff.name.split(), *organisation.split()))
    if problem is not None:
        return problem
    session.execute(update(StaffRow).where(StaffRow.id == staff.id).values(password_hash=hash_password(password)))
    record_audit(session, staff.id, AuditAction.PASSWORD_SET, AuditTarget(AuditObject.STAFF, staff.id), now=now)
    return None


def prepare_invitation_mail(session: Session, payload: Mapping[str, Any], *, base_url: str, now: datetime) -> OwnMail:
    """The mail with the link. Raises MailDropped when the link has been used, replaced or has expired."""
    secret = str(payload.get("secret"))
    invitation = invitation_by_digest(session, secret_digest(secret), now=now)
    if invitation is None:
        raise MailDropped("invitation_over")
    return OwnMail(
        recipient_id=None,
        address=invitation.staff.address,
        name=invitation.staff.name,
        locale=invitation.staff.locale,
        template=TEMPLATE,
        parameters={
            "link": f"{base_url}{PATH}/{secret}",
            "expires_at": invitation.expires_at,
            "is_new": not invitation.staff.has_password,
        },
    )
