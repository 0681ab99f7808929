"""Proving it once more before exports, erasure and changes to staff: a stolen session is not enough for those."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from preferences.domain.roles import Permission
from preferences.domain.staff import MOST_PASSWORD
from preferences.models.transaction import transaction
from preferences.services.staff.account import accept_confirmation, begin_confirmation
from preferences.services.staff.sign_in import SignIn
from preferences.web.access import Access, access
from preferences.web.plumbing import utc_now

from . import blueprint
from .guard import needs, safe_next, staff_session


@blueprint.get("/confirm")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
def ask_again() -> Response:
    """The form for the password, or for a passkey."""
    return confirm_page()


@blueprint.post("/confirm")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
def confirm_again() -> Response:
    """Look at the password; wrong ones count like wrong codes."""
    current = staff_session()
    with transaction() as session:
        attempt = begin_confirmation(session, current, now=utc_now())
    if attempt.locked_until is not None:
        return confirm_page(problem=SignIn.LOCKED)
    if not attempt.is_right(request.form.get("password", "")[: MOST_PASSWORD * 4]):
        return confirm_page(problem=SignIn.WRONG)
    with transaction() as session:
        accept_confirmation(session, current, attempt)
    return redirect(safe_next(request.form.get("next", "")), code=303)


def confirm_page(*, problem: str = "") -> Response:
    """The page that asks, with what went wrong."""
    page = render_template("admin/staff/confirm.html", problem=problem, next=safe_next(request.values.get("next", "")))
    return make_response(page, {"": 200, SignIn.LOCKED: 429}.get(problem, 422))
