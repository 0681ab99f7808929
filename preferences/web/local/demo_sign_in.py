"""The link to the admin pages that `make run` prints: a button for each role. In development only, on this machine only."""

from __future__ import annotations

import hmac

from flask import abort, redirect, render_template, request
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.roles import Role
from preferences.models.transaction import reading, transaction
from preferences.services.demo.staff import demo_staff, demo_token
from preferences.services.staff.audit import record_audit
from preferences.services.staff.sessions import begin_session
from preferences.web.access import Access, access
from preferences.web.admin.cookie import give_cookie
from preferences.web.admin.staff.client import browser
from preferences.web.plumbing import settings, utc_now

from . import blueprint


@blueprint.get("/admin/demo/<token>")
@access(Access.LOCAL)
def show_demo_roles(token: str) -> str:
    """Whom one can look as; changes nothing."""
    _check(token)
    with reading() as session:
        people = demo_staff(session)
    return render_template("admin/staff/demo.html", people=people, token=token)


@blueprint.post("/admin/demo/<token>")
@access(Access.LOCAL)
def sign_in_to_demo(token: str) -> Response:
    """Open a session as the chosen one."""
    _check(token)
    role, now = request.form.get("role", ""), utc_now()
    with transaction() as session:
        people = demo_staff(session)
        if role not in people:
            abort(400)
        chosen = people[Role(role)]
        begun = begin_session(session, chosen.id, browser=browser(), now=now)
        target = AuditTarget(AuditObject.STAFF, chosen.id)
        record_audit(session, chosen.id, AuditAction.SIGNED_IN, target, data={"demo": True}, now=now)
    return give_cookie(redirect("/admin", code=303), begun.secret)


def _check(token: str) -> None:
    if not hmac.compare_digest(token.encode(), demo_token(settings().secret_keys[-1]).encode()):
        abort(404)
