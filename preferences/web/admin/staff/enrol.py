"""Enrolling an authenticator app at the first sign-in, and the recovery codes, shown until they are noted."""

from __future__ import annotations

import segno
from flask import make_response, redirect, render_template, request
from markupsafe import Markup
from werkzeug.wrappers import Response

from preferences.domain.roles import Permission
from preferences.domain.totp import otpauth_uri
from preferences.models.transaction import transaction
from preferences.services.staff.account import codes_are_noted
from preferences.services.staff.sessions import Begun
from preferences.services.staff.sign_in import CODES, PENDING, SignIn, enrol
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import typed
from preferences.web.admin.cookie import give_cookie, take_cookie_back
from preferences.web.admin.guard import HOME, needs, safe_next, staff_session, with_next
from preferences.web.plumbing import settings, utc_now

from .sign_in import CODE

RECOVERY_CODES = "/admin/recovery-codes"


@blueprint.get("/enrol")
@access(Access.HALF_STAFF)
def show_enrolment() -> Response:
    """The QR code to scan, the secret to type where scanning does not work, and the field for the first code."""
    if PENDING not in staff_session().kept:
        return redirect(with_next(CODE, request.args.get("next", "")), code=303)
    return make_response(enrol_page())


@blueprint.post("/enrol")
@access(Access.HALF_STAFF)
def finish_enrolment() -> Response:
    """Take the app whose code was typed, and open the session."""
    with transaction() as session:
        found = enrol(session, staff_session(), typed("code"), now=utc_now())
    if isinstance(found, Begun):
        onward = with_next(RECOVERY_CODES, request.form.get("next", ""))
        return give_cookie(redirect(onward, code=303), found.secret)
    if found is SignIn.LOCKED:
        return take_cookie_back(make_response(render_template("admin/staff/locked.html"), 429))
    if PENDING not in staff_session().kept:
        return redirect(CODE, code=303)
    return make_response(enrol_page(problem="code"), 422)


@blueprint.get("/recovery-codes")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
def show_recovery_codes() -> Response:
    """Fresh recovery codes, while their owner has not said that they are noted."""
    onward = safe_next(request.args.get("next", ""))
    codes = staff_session().kept.get(CODES)
    if not codes:
        return redirect(onward, code=303)
    return make_response(render_template("admin/staff/recovery_codes.html", codes=codes, next=onward))


@blueprint.post("/recovery-codes")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
def note_recovery_codes() -> Response:
    """They are noted, and not shown again."""
    with transaction() as session:
        codes_are_noted(session, staff_session())
    return redirect(safe_next(request.form.get("next", HOME)), code=303)


def qr_code(secret: str, address: str) -> Markup:
    """The QR code as an SVG within the page: nothing is loaded, and nothing is inline but shapes."""
    uri = otpauth_uri(secret, account=address, issuer=settings().organisation_name)
    drawn = segno.make(uri, error="m").svg_inline(scale=5, border=4, svgclass="qr", lineclass=None, omitsize=True)
    return Markup(drawn)  # noqa: S704 - made of a library's shapes; the text is in the pattern of the modules alone


def in_groups(secret: str) -> str:
    """A secret as it can be typed: four letters at a time."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def enrol_page(*, problem: str = "") -> str:
    """The page to choose a second factor on, with what went wrong."""
    current = staff_session()
    secret = current.kept[PENDING]
    return render_template(
        "admin/staff/enrol.html",
        qr=qr_code(secret, current.staff.address),
        secret=in_groups(secret),
        problem=problem,
        next=safe_next(request.values.get("next", "")),
    )
