"""The link in an invitation: choose a password. The link is the authority here; it works once, for a week."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.staff import MOST_PASSWORD, PasswordProblem
from preferences.models.transaction import reading, transaction
from preferences.queries.staff.staff import Invitation, invitation_by_digest, staff_by_id
from preferences.services.staff.invitations import accept_invitation
from preferences.services.staff.sessions import secret_digest
from preferences.services.staff.sign_in import begin_second_factor
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.cookie import give_cookie
from preferences.web.admin.identity_provider import signs_in_here
from preferences.web.locale import speak
from preferences.web.plumbing import settings, utc_now

from .client import browser
from .sign_in import CODE, ENROL

MOST_TOKEN = 80


@blueprint.get("/invitation/<token>")
@access(Access.TOKEN)
def show_invitation(token: str) -> Response:
    """The form to choose a password; changes nothing."""
    with reading() as session:
        found = _find(session, token)
    return _page(token, found)


@blueprint.post("/invitation/<token>")
@access(Access.TOKEN)
def take_invitation(token: str) -> Response:
    """Set the password and go on to the second factor."""
    password, again = (request.form.get(name, "")[: MOST_PASSWORD * 2] for name in ("password", "again"))
    with transaction() as session:
        found = _find(session, token)
        if found is None:
            return _page(token, None)
        if not signs_in_here(found.staff):
            return _page(token, found)
        if password != again:
            return _page(token, found, problem=PasswordProblem.REPEATED_WRONG)
        organisation = settings().organisation_name
        problem = accept_invitation(session, found, password, organisation=organisation, now=utc_now())
        if problem is not None:
            return _page(token, found, problem=problem)
        staff = staff_by_id(session, found.staff.id) or found.staff
        begun = begin_second_factor(session, staff, browser=browser(), now=utc_now())
    onward = CODE if staff.has_second_factor else ENROL
    return give_cookie(redirect(onward, code=303), begun.secret)


def _find(session: Session, token: str) -> Invitation | None:
    found = invitation_by_digest(session, secret_digest(token[:MOST_TOKEN]), now=utc_now())
    if found is not None:
        speak(found.staff.locale)
    return found


def _page(token: str, found: Invitation | None, *, problem: str = "") -> Response:
    if found is None:
        return make_response(render_template("admin/staff/invitation_over.html"), 404)
    shown: dict[str, Any] = {"token": token, "staff": found.staff, "problem": problem}
    shown["by_password"] = signs_in_here(found.staff)
    return make_response(render_template("admin/staff/invitation.html", **shown), 422 if problem else 200)
