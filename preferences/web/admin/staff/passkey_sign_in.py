"""Signing in with a passkey: alone, after the password, or as the second factor enrolled first; and confirming with one.

GET gives the script the options, and changes nothing; POST takes what the browser answered, in a form like any other.
"""

from __future__ import annotations

from flask import make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from preferences.domain.passkeys import Ceremony
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.services.staff.passkey_proof import creation_options, request_options, strict_request_options
from preferences.services.staff.passkey_sign_in import (
    confirm_with_passkey,
    enrol_passkey,
    sign_in_with_passkey,
    sign_in_with_second_passkey,
)
from preferences.services.staff.passkeys import known_keys, owner_of_passkeys
from preferences.services.staff.sessions import Begun
from preferences.services.staff.sign_in import PENDING, SignIn
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.confirm import confirm_page
from preferences.web.admin.cookie import give_cookie, take_cookie_back
from preferences.web.admin.guard import needs, safe_next, staff_session, with_next
from preferences.web.admin.identity_provider import signs_in_here
from preferences.web.admin.passkeys import answered, as_json, challenge, party, this_browser, typed_answer
from preferences.web.plumbing import utc_now

from .client import browser, client
from .enrol import RECOVERY_CODES, enrol_page
from .sign_in import CODE, code_page, sign_in_page

PROBLEM = "passkey"


@blueprint.get("/sign-in/passkey")
@access(Access.PUBLIC)
def ask_passkey_alone() -> Response:
    """Options for any passkey of ours that the browser has."""
    return as_json(strict_request_options(party(), [], challenge(Ceremony.SIGN_IN)))


@blueprint.post("/sign-in/passkey")
@access(Access.PUBLIC)
def give_passkey_alone() -> Response:
    """Sign in with it."""
    answer, for_whom, where, now = answered()
    with transaction() as session:
        found = sign_in_with_passkey(
            session,
            answer,
            party=for_whom,
            browser=where,
            client=client(),
            named=browser(),
            may_enter=signs_in_here,
            now=now,
        )
    if isinstance(found, Begun):
        return give_cookie(redirect(safe_next(request.form.get("next", "")), code=303), found.secret)
    return sign_in_page(problem=PROBLEM if found is SignIn.WRONG else found)


@blueprint.get("/sign-in/code/passkey")
@access(Access.HALF_STAFF)
def ask_second_passkey() -> Response:
    """Options for one of the passkeys of whoever gave the password."""
    with reading() as session:
        known = known_keys(session, staff_session().staff.id)
    return as_json(request_options(party(), known, challenge(Ceremony.SECOND_FACTOR)))


@blueprint.post("/sign-in/code/passkey")
@access(Access.HALF_STAFF)
def give_second_passkey() -> Response:
    """Take it as the second factor."""
    answer, for_whom, where, now = answered()
    with transaction() as session:
        found = sign_in_with_second_passkey(session, staff_session(), answer, party=for_whom, browser=where, now=now)
    if isinstance(found, Begun):
        return give_cookie(redirect(safe_next(request.form.get("next", "")), code=303), found.secret)
    return _locked() if found is SignIn.LOCKED else make_response(code_page(problem=PROBLEM), 422)


@blueprint.get("/enrol/passkey")
@access(Access.HALF_STAFF)
def ask_first_passkey() -> Response:
    """Options to make a passkey at the first sign-in."""
    return as_json(creation_options(party(), owner_of_passkeys(staff_session().staff), [], challenge(Ceremony.ADD)))


@blueprint.post("/enrol/passkey")
@access(Access.HALF_STAFF)
def give_first_passkey() -> Response:
    """Take it as the second factor, and open the session."""
    answer, for_whom, where, now = answered()
    with transaction() as session:
        found = enrol_passkey(session, staff_session(), answer, party=for_whom, browser=where, now=now)
    if isinstance(found, Begun):
        onward = with_next(RECOVERY_CODES, request.form.get("next", ""))
        return give_cookie(redirect(onward, code=303), found.secret)
    if found is SignIn.LOCKED:
        return _locked()
    if PENDING not in staff_session().kept:
        return redirect(CODE, code=303)
    return make_response(enrol_page(problem=PROBLEM), 422)


@blueprint.get("/confirm/passkey")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
def ask_passkey_again() -> Response:
    """Options for one of one's own passkeys."""
    with reading() as session:
        known = known_keys(session, staff_session().staff.id)
    return as_json(strict_request_options(party(), known, challenge(Ceremony.CONFIRM)))


@blueprint.post("/confirm/passkey")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
def give_passkey_again() -> Response:
    """Prove with it that one is still the same."""
    for_whom, where = party(), this_browser()
    with transaction() as session:
        found = confirm_with_passkey(
            session, staff_session(), typed_answer(), party=for_whom, browser=where, now=utc_now()
        )
    if found is SignIn.RIGHT:
        return redirect(safe_next(request.form.get("next", "")), code=303)
    return confirm_page(problem=SignIn.LOCKED if found is SignIn.LOCKED else PROBLEM)


def _locked() -> Response:
    return take_cookie_back(make_response(render_template("admin/staff/locked.html"), 429))
