"""Sign-in: password, then a code. Every failed answer reads the same, whoever was typed."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.roles import Permission
from preferences.domain.staff import MOST_PASSWORD, SessionStage
from preferences.models.transaction import transaction
from preferences.services.staff.audit import record_audit
from preferences.services.staff.sessions import Begun, end_session
from preferences.services.staff.sign_in import (
    SignIn,
    accept_attempt,
    begin_attempt,
    refuse_attempt,
    sign_in_with_code,
    sign_in_with_recovery_code,
    turn_away,
)
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import typed
from preferences.web.admin.cookie import cookie_secret, form_secret, give_cookie, take_cookie_back
from preferences.web.admin.guard import HOME, SIGN_IN, find_session, needs, safe_next, staff_session, with_next
from preferences.web.admin.identity_provider import sign_on, signs_in_here
from preferences.web.locale import keeping_language
from preferences.web.plumbing import utc_now

from .client import browser, client
from .signed_out import SIGNED_OUT

CODE = "/admin/sign-in/code"
ENROL = "/admin/enrol"


@blueprint.get("/sign-in")
@access(Access.PUBLIC)
def sign_in() -> Response:
    """The form; whoever is signed in already goes on."""
    found = find_session()
    if found is not None and found.stage is SessionStage.OPEN:
        return redirect(HOME, code=303)
    return sign_in_page()


@blueprint.post("/sign-in")
@access(Access.PUBLIC)
def give_password() -> Response:
    """Look at address and password. The slow part runs outside any transaction, and as long for nobody as for somebody."""
    address, password = typed("address"), request.form.get("password", "")[: MOST_PASSWORD * 4]
    with transaction() as session:
        attempt = begin_attempt(session, address, client=client(), now=utc_now())
    if attempt.locked_until is not None:
        return sign_in_page(problem=SignIn.LOCKED, address=address)
    is_right = attempt.is_right(password)
    with transaction() as session:
        if not is_right or attempt.staff is None:
            refuse_attempt(session, attempt)
            return sign_in_page(problem=SignIn.WRONG, address=address)
        if not signs_in_here(attempt.staff):
            turn_away(session, attempt)
            return sign_in_page(problem=SignIn.PROVIDER_ONLY, address=address)
        begun = accept_attempt(session, attempt, password, browser=browser())
    return give_cookie(redirect(_second_step(attempt.staff.has_second_factor), code=303), begun.secret)


@blueprint.get("/sign-in/code")
@access(Access.HALF_STAFF)
def ask_code() -> Response:
    """The form for the app's code, or for a recovery code."""
    if not staff_session().staff.has_second_factor:
        return redirect(_second_step(False), code=303)
    return make_response(code_page())


@blueprint.post("/sign-in/code")
@access(Access.HALF_STAFF)
def give_code() -> Response:
    """Look at the code. Too many wrong ones, and the password has to be given again, later."""
    with transaction() as session:
        if request.form.get("kind") == "recovery":
            found = sign_in_with_recovery_code(session, staff_session(), typed("recovery"), now=utc_now())
        else:
            found = sign_in_with_code(session, staff_session(), typed("code"), now=utc_now())
    if isinstance(found, Begun):
        return give_cookie(redirect(safe_next(request.form.get("next", "")), code=303), found.secret)
    if found is SignIn.LOCKED:
        return take_cookie_back(make_response(render_template("admin/staff/locked.html"), 429))
    return make_response(code_page(problem=request.form.get("kind") or "code"), 422)


@blueprint.post("/sign-out")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
def sign_out() -> Response:
    """End this session."""
    current = staff_session()
    with transaction() as session:
        now = utc_now()
        end_session(session, current.id, staff_id=current.staff.id, now=now)
        target = AuditTarget(AuditObject.SESSION, current.id)
        record_audit(session, current.staff.id, AuditAction.SIGNED_OUT, target, now=now)
    onward = SIGNED_OUT if sign_on() and current.staff.has_identity else SIGN_IN
    return take_cookie_back(redirect(keeping_language(onward), code=303))


def _second_step(has_one: bool) -> str:
    return with_next(CODE if has_one else ENROL, request.values.get("next", ""))


def sign_in_page(*, problem: str = "", address: str = "") -> Response:
    """The sign-in page, with what went wrong."""
    shown: dict[str, Any] = {"problem": problem, "address": address, "next": safe_next(request.values.get("next", ""))}
    response = make_response(render_template("admin/staff/sign_in.html", **shown))
    if problem:
        response.status_code = 429 if problem == SignIn.LOCKED else 422
    return response if cookie_secret() else give_cookie(response, form_secret())


def code_page(*, problem: str = "") -> str:
    """The page for the second factor, with what went wrong."""
    shown = {"problem": problem, "half": staff_session().staff, "next": safe_next(request.values.get("next", ""))}
    return render_template("admin/staff/code.html", **shown)
