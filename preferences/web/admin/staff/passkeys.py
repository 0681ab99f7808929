"""One's own passkeys: add one, name it, remove it; and do without the authenticator app. Changes need a fresh proof."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template
from flask_babel import gettext
from werkzeug.wrappers import Response

from preferences.domain.errors import Conflict, InvalidValue
from preferences.domain.passkeys import MOST_PASSKEYS, Ceremony
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.staff.passkeys import PasskeyView
from preferences.services.staff.passkey_proof import creation_options
from preferences.services.staff.passkeys import (
    add_passkey,
    existing_passkey,
    known_keys,
    owner_of_passkeys,
    remove_app,
    remove_passkey,
    rename_passkey,
)
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done, typed
from preferences.web.admin.guard import fresh, needs, staff_session
from preferences.web.admin.passkeys import answered, as_json, challenge, party, passkeys_work
from preferences.web.plumbing import utc_now

from .client import browser

ACCOUNT = "admin.account"


@blueprint.get("/account/passkeys/new")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def new_passkey() -> Response:
    """The form for a passkey: its name, and the button that has the browser make one."""
    return _new_page() if passkeys_work() else redirect("/admin/account", code=303)


@blueprint.get("/account/passkeys/options")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def ask_new_passkey() -> Response:
    """Options to make one; an authenticator that has one already says so."""
    with reading() as session:
        known = known_keys(session, staff_session().staff.id)
    return as_json(creation_options(party(), owner_of_passkeys(staff_session().staff), known, challenge(Ceremony.ADD)))


@blueprint.post("/account/passkeys/new")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def take_new_passkey() -> Response:
    """Take what the browser has made."""
    answer, for_whom, where, now = answered()
    name = typed("name")
    try:
        with transaction() as session:
            current = staff_session().staff
            added = add_passkey(session, current, answer, name, party=for_whom, browser=where, now=now)
    except InvalidValue:
        return _new_page(name=name, problem="name")
    except Conflict:
        return _new_page(name=name, problem="many")
    return done(ACCOUNT, "passkey") if added is not None else _new_page(name=name, problem="passkey")


@blueprint.get("/account/passkeys/<int:passkey_id>")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def one_passkey(passkey_id: int) -> Response:
    """One of one's own: its name, and what removing it means."""
    with reading() as session:
        found = existing_passkey(session, staff_session().staff.id, passkey_id)
    return _one_page(found)


@blueprint.post("/account/passkeys/<int:passkey_id>/name")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def name_passkey(passkey_id: int) -> Response:
    """Call it something else."""
    staff_id = staff_session().staff.id
    with reading() as session:
        found = existing_passkey(session, staff_id, passkey_id)
    try:
        with transaction() as session:
            rename_passkey(session, staff_id, passkey_id, typed("name"), now=utc_now())
    except InvalidValue:
        return _one_page(found, problem="name")
    return done(ACCOUNT, "passkey-named")


@blueprint.post("/account/passkeys/<int:passkey_id>/remove")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def drop_passkey(passkey_id: int) -> Response:
    """Forget it, unless it is the last second factor."""
    try:
        with transaction() as session:
            remove_passkey(session, staff_session(), passkey_id, now=utc_now())
    except Conflict:
        return done(ACCOUNT, "last")
    return done(ACCOUNT, "passkey-removed")


@blueprint.get("/account/app/remove")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def ask_app_removal() -> Response:
    """What removing the authenticator app means."""
    happens = [
        gettext("Its codes stop working. You sign in with a passkey, or with a recovery code."),
        gettext("You are signed out everywhere else."),
    ]
    shown = {"title": gettext("Remove the authenticator app?"), "happens": happens, "button": gettext("Remove it")}
    return make_response(
        render_template("admin/are_you_sure.html", **shown, action="/admin/account/app/remove", back="/admin/account")
    )


@blueprint.post("/account/app/remove")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def drop_app() -> Response:
    """Forget it, unless it is the last second factor."""
    try:
        with transaction() as session:
            remove_app(session, staff_session(), now=utc_now())
    except Conflict:
        return done(ACCOUNT, "last")
    return done(ACCOUNT, "app-removed")


def _new_page(*, name: str | None = None, problem: str = "") -> Response:
    shown: dict[str, Any] = {"name": browser() if name is None else name, "problem": problem, "most": MOST_PASSKEYS}
    return make_response(render_template("admin/staff/passkey_new.html", **shown), 422 if problem else 200)


def _one_page(found: PasskeyView, *, problem: str = "") -> Response:
    current = staff_session().staff
    is_last = not current.has_app and current.passkeys == 1
    page = render_template("admin/staff/passkey.html", passkey=found, is_last=is_last, problem=problem)
    return make_response(page, 422 if problem else 200)
