"""One's own account: password, app, recovery codes, sessions, language. Changes need the password once more."""

from __future__ import annotations

from flask import abort, make_response, redirect, render_template, request
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.roles import Permission
from preferences.domain.staff import MOST_PASSWORD, PasswordProblem
from preferences.models.transaction import reading, transaction
from preferences.queries.staff.passkeys import passkeys_of
from preferences.queries.staff.staff import count_recovery_codes, sessions_of
from preferences.services.staff.account import change_password, offer_app, renew_recovery_codes, take_app
from preferences.services.staff.audit import record_audit
from preferences.services.staff.sessions import end_session, end_sessions
from preferences.services.staff.sign_in import PENDING, SignIn
from preferences.services.staff.staff import change_language
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import DONE, done, said, typed
from preferences.web.admin.guard import fresh, needs, safe_next, staff_session
from preferences.web.plumbing import settings, utc_now

from .enrol import RECOVERY_CODES, in_groups, qr_code

LAST = "last"
MESSAGES = {
    "password": lazy_gettext("The new password is in use. You were signed out everywhere else."),
    "ended": lazy_gettext("The session was ended."),
    "others": lazy_gettext("You are signed out everywhere else."),
    "passkey": lazy_gettext("The passkey is there. It works from the next sign-in on."),
    "passkey-named": lazy_gettext("The passkey has its new name."),
    "passkey-removed": lazy_gettext("The passkey is forgotten here. You were signed out everywhere else."),
    "app-removed": lazy_gettext("The app is forgotten here. You were signed out everywhere else."),
    LAST: lazy_gettext("That is your last second factor. Add another one first."),
}


@blueprint.get("/account")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
def account() -> str:
    """What one signs in with, and where one is signed in."""
    current = staff_session()
    with reading() as session:
        sessions = sessions_of(session, current.staff.id, now=utc_now())
        left = count_recovery_codes(session, current.staff.id)
        passkeys = passkeys_of(session, current.staff.id)
    shown = {"current": current, "sessions": sessions, "codes_left": left, "passkeys": passkeys}
    return render_template(
        "admin/staff/account.html", **shown, is_last=request.args.get(DONE) == LAST, done=said(MESSAGES)
    )


@blueprint.post("/account/language")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
def choose_language() -> Response:
    """Speak another language from here on."""
    locale = request.form.get("language", "")
    if locale not in settings().locales:
        abort(400)
    with transaction() as session:
        change_language(session, staff_session().staff.id, locale)
    return redirect(safe_next(request.form.get("back", "")), code=303)


@blueprint.get("/account/password")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def show_password() -> Response:
    """The form for a new password."""
    return _password_page()


@blueprint.post("/account/password")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def new_password() -> Response:
    """Set it; every other session ends."""
    password, again = (request.form.get(name, "")[: MOST_PASSWORD * 2] for name in ("password", "again"))
    problem: PasswordProblem | None = PasswordProblem.REPEATED_WRONG
    if password == again:
        with transaction() as session:
            organisation = settings().organisation_name
            problem = change_password(session, staff_session(), password, organisation=organisation, now=utc_now())
    return done("admin.account", "password") if problem is None else _password_page(problem=problem)


@blueprint.post("/account/recovery-codes")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def new_recovery_codes() -> Response:
    """Make fresh codes; the old ones stop working."""
    with transaction() as session:
        renew_recovery_codes(session, staff_session(), now=utc_now())
    return redirect(f"{RECOVERY_CODES}?next=/admin/account", code=303)


@blueprint.post("/account/app")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def begin_app() -> Response:
    """Begin with another app; the present one works until that is done."""
    with transaction() as session:
        offer_app(session, staff_session())
    return redirect("/admin/account/app", code=303)


@blueprint.get("/account/app")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def show_app() -> Response:
    """The QR code for another app."""
    if PENDING not in staff_session().kept:
        return redirect("/admin/account", code=303)
    return _app_page()


@blueprint.post("/account/app/code")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
@fresh
def finish_app() -> Response:
    """Take the app whose code was typed."""
    with transaction() as session:
        found = take_app(session, staff_session(), typed("code"), now=utc_now())
    if found is SignIn.RIGHT:
        return redirect(f"{RECOVERY_CODES}?next=/admin/account", code=303)
    if PENDING not in staff_session().kept:
        return redirect("/admin/account", code=303)
    return _app_page(problem=found)


@blueprint.post("/account/sessions/<int:session_id>/end")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
def end_one_session(session_id: int) -> Response:
    """Sign out in another browser of one's own; anybody else's is not found."""
    current, now = staff_session(), utc_now()
    with transaction() as session:
        if not end_session(session, session_id, staff_id=current.staff.id, now=now):
            abort(404)
        target = AuditTarget(AuditObject.SESSION, session_id)
        record_audit(session, current.staff.id, AuditAction.SESSION_ENDED, target, now=now)
    return done("admin.account", "ended")


@blueprint.post("/account/sessions/end-others")
@access(Access.STAFF)
@needs(Permission.BE_STAFF)
def end_other_sessions() -> Response:
    """Sign out everywhere but here."""
    current, now = staff_session(), utc_now()
    with transaction() as session:
        ended = end_sessions(session, current.staff.id, but=current, now=now)
        target = AuditTarget(AuditObject.STAFF, current.staff.id)
        record_audit(session, current.staff.id, AuditAction.SESSION_ENDED, target, data={"count": ended}, now=now)
    return done("admin.account", "others")


def _password_page(*, problem: str = "") -> Response:
    return make_response(render_template("admin/staff/password.html", problem=problem), 422 if problem else 200)


def _app_page(*, problem: str = "") -> Response:
    current = staff_session()
    secret = current.kept[PENDING]
    page = render_template(
        "admin/app.html", qr=qr_code(secret, current.staff.address), secret=in_groups(secret), problem=problem
    )
    return make_response(page, {"": 200, SignIn.LOCKED: 429}.get(problem, 422))
