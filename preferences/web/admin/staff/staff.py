"""Staff: who may sign in and as what; invite, change the role, end sessions, reset the second factor, disable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import make_response, render_template, request
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.errors import Conflict, InvalidAddress, InvalidValue
from preferences.domain.roles import PERMISSIONS, Permission, Role
from preferences.models.transaction import reading, transaction
from preferences.queries.staff.staff import all_staff, sessions_of
from preferences.services.staff.audit import record_audit
from preferences.services.staff.invitations import mail_invitation
from preferences.services.staff.sessions import end_sessions
from preferences.services.staff.single_sign_on import unlink_identities
from preferences.services.staff.staff import (
    NewStaff,
    change_role,
    create_staff,
    disable_staff,
    enable_staff,
    existing_staff,
    reset_second_factor,
)
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done, said, typed
from preferences.web.admin.editing import MEANWHILE, is_as_seen, seen
from preferences.web.admin.guard import fresh, needs, staff_id
from preferences.web.plumbing import settings, utc_now

MESSAGES = {
    "invited": lazy_gettext("The invitation is on its way. It works for seven days."),
    "role": lazy_gettext("The new role holds from the next page they open."),
    "disabled": lazy_gettext("They are signed out everywhere and cannot sign in any more."),
    "enabled": lazy_gettext("They can sign in again."),
    "second-factor": lazy_gettext("At the next sign-in they enrol a new app or passkey."),
    "identity": lazy_gettext("The account is disconnected. They were signed out everywhere."),
    "sessions": lazy_gettext("They are signed out everywhere."),
    MEANWHILE: lazy_gettext(
        "Somebody else has changed the role meanwhile: it was left as it is now. Look, then choose."
    ),
    "last": lazy_gettext("This is the last administrator. Make somebody else one first."),
}


@blueprint.get("/staff")
@access(Access.STAFF)
@needs(Permission.MANAGE_STAFF)
def staff() -> str:
    """Everybody on the staff, and what the roles mean."""
    with reading() as session:
        people = all_staff(session)
    roles = {"permissions": PERMISSIONS, "every_permission": list(Permission)}
    return render_template("admin/staff/staff.html", people=people, done=said(MESSAGES), **roles)


@blueprint.get("/staff/invite")
@access(Access.STAFF)
@needs(Permission.MANAGE_STAFF)
@fresh
def show_invite() -> Response:
    """The form for somebody new."""
    return _invite_page({"name": "", "address": "", "role": Role.VIEWER, "language": settings().default_locale}, {})


@blueprint.post("/staff/invite")
@access(Access.STAFF)
@needs(Permission.MANAGE_STAFF)
@fresh
def invite() -> Response:
    """Add somebody and mail them a link."""
    form = {name: typed(name) for name in ("name", "address", "role", "language")}
    known = {"role": [*Role], "language": settings().locales}
    problems = {name: "choose" for name, values in known.items() if form[name] not in values}
    if problems:
        return _invite_page(form, problems)
    new = NewStaff(address=form["address"], name=form["name"], role=Role(form["role"]), locale=form["language"])
    try:
        with transaction() as session:
            added = create_staff(session, new, by=staff_id(), now=utc_now())
            mail_invitation(session, added, by=staff_id(), now=utc_now())
    except InvalidAddress:
        return _invite_page(form, {"address": "address"})
    except Conflict:
        return _invite_page(form, {"address": "taken"})
    except InvalidValue:
        return _invite_page(form, {"name": "name"})
    return done("admin.one_of_staff", "invited", number=added.id)


@blueprint.get("/staff/<int:number>")
@access(Access.STAFF)
@needs(Permission.MANAGE_STAFF)
@fresh
def one_of_staff(number: int) -> str:
    """One person: role, state, sessions, and what can be done."""
    with reading() as session:
        person = existing_staff(session, number)
        sessions = sessions_of(session, person.id, now=utc_now())
    return render_template(
        "admin/staff/one_of_staff.html", person=person, sessions=sessions, seen=seen(person.role), done=said(MESSAGES)
    )


@blueprint.post("/staff/<int:number>/role")
@access(Access.STAFF)
@needs(Permission.MANAGE_STAFF)
@fresh
def set_role(number: int) -> Response:
    """Give them another role."""
    role = typed("role")
    if role not in [*Role]:
        return done("admin.one_of_staff", number=number)
    with reading() as session:
        if not is_as_seen(existing_staff(session, number).role):
            return done("admin.one_of_staff", MEANWHILE, number=number)
    return _change(number, "role", lambda session, by, now: change_role(session, number, Role(role), by=by, now=now))


@blueprint.post("/staff/<int:number>/invite")
@access(Access.STAFF)
@needs(Permission.MANAGE_STAFF)
@fresh
def invite_again(number: int) -> Response:
    """Mail a fresh link to choose a password with; the earlier one stops working."""

    def send(session: Session, by: StaffId, now: datetime) -> None:
        mail_invitation(session, existing_staff(session, number), by=by, now=now)

    return _change(number, "invited", send)


@blueprint.post("/staff/<int:number>/second-factor")
@access(Access.STAFF)
@needs(Permission.MANAGE_STAFF)
@fresh
def reset_factor(number: int) -> Response:
    """Forget their app and passkeys: they enrol anew at the next sign-in."""
    return _change(
        number, "second-factor", lambda session, by, now: reset_second_factor(session, number, by=by, now=now)
    )


@blueprint.post("/staff/<int:number>/identity")
@access(Access.STAFF)
@needs(Permission.MANAGE_STAFF)
@fresh
def disconnect(number: int) -> Response:
    """Forget their account at the identity provider, because they have another one now."""
    return _change(number, "identity", lambda session, by, now: unlink_identities(session, number, by=by, now=now))


@blueprint.post("/staff/<int:number>/sessions")
@access(Access.STAFF)
@needs(Permission.MANAGE_STAFF)
@fresh
def sign_them_out(number: int) -> Response:
    """End every session of theirs."""

    def end(session: Session, by: StaffId, now: datetime) -> None:
        ended = end_sessions(session, existing_staff(session, number).id, now=now)
        target = AuditTarget(AuditObject.STAFF, number)
        record_audit(session, by, AuditAction.SESSION_ENDED, target, data={"count": ended}, now=now)

    return _change(number, "sessions", end)


@blueprint.post("/staff/<int:number>/disable")
@access(Access.STAFF)
@needs(Permission.MANAGE_STAFF)
@fresh
def disable(number: int) -> Response:
    """Keep them out."""
    return _change(number, "disabled", lambda session, by, now: disable_staff(session, number, by=by, now=now))


@blueprint.post("/staff/<int:number>/enable")
@access(Access.STAFF)
@needs(Permission.MANAGE_STAFF)
@fresh
def enable(number: int) -> Response:
    """Let them in again."""
    return _change(number, "enabled", lambda session, by, now: enable_staff(session, number, by=by, now=now))


def _change(number: int, what: str, change: Callable[[Session, StaffId, datetime], Any]) -> Response:
    """Do it, and say so on their page; or that it would leave nobody to run things."""
    try:
        with transaction() as session:
            change(session, staff_id(), utc_now())
    except Conflict:
        return done("admin.one_of_staff", "last", number=number)
    return done("admin.one_of_staff", what, number=number)


def _invite_page(form: dict[str, Any], problems: dict[str, str]) -> Response:
    page = render_template("admin/staff/invite.html", form=form, problems=problems, roles=[*Role])
    return make_response(page, 422 if request.method == "POST" else 200)
