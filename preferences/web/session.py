"""The step-up session: a cookie under /me, checked against the database on every request; CSRF tokens bound to it.

It opens own data and nothing else. Token pages never see it: the cookie's path is /me, and they would not look (T6).
"""

from __future__ import annotations

from flask import Flask, abort, current_app, g, redirect, request
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.models.transaction import reading
from preferences.queries.recipients.recipients import RecipientView
from preferences.queries.recipients.step_up import OwnSession, open_session
from preferences.queries.rights.rights import erasure_by_session
from preferences.services.recipients.step_up import end_session, session_digest

from .access import Access, declared_access
from .locale import keeping_language, speak
from .plumbing import utc_now
from .secret_cookie import CSRF_FIELD, SecretCookie

COOKIE = "me"
PATH = "/me"
_COOKIE = SecretCookie(COOKIE, PATH, b"preferences.csrf.")

give_cookie = _COOKIE.give
take_cookie_back = _COOKIE.take_back

CLOSED = "/me/closed"
"""The page for everybody without an open session: it says how to open one."""

ERASED = "/me/erased"
"""Under this path: what became of an erasure, for the person whose session it ended."""

SIGN_OUT = "/me/sign-out"
UNSAVED = "unsaved"
"""In the query of that page when a form came too late."""

MOST_BYTES = 256 * 1024
"""Largest form under /me: every field of the profile full, written in letters that take the most room."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def register_step_up(app: Flask) -> None:
    """Guard every view that declares Access.STEP_UP, and give templates `csrf_field()`."""
    app.before_request(require_step_up)
    app.jinja_env.globals.update(csrf_field=csrf_field)


def require_step_up() -> Response | None:
    """Before a view under Access.STEP_UP: an open session, and for unsafe methods its CSRF token. Nothing to remember."""
    if request.endpoint is None or request.endpoint == "static":
        return None
    if declared_access(current_app.view_functions[request.endpoint]) is not Access.STEP_UP:
        return None
    found = _find_session()
    if found is None:
        return redirect(_erased() or _closed(), code=303)
    g.own_session = found
    speak(found.recipient.locale)
    request.max_content_length = MOST_BYTES
    if request.method not in _SAFE_METHODS and not _COOKIE.is_right(_COOKIE.sent(), request.form.get(CSRF_FIELD, "")):
        abort(400)
    return None


def _erased() -> str:
    """The page of the erasure that ended this session: a button pressed twice is answered with what it did. Else empty."""
    secret = _COOKIE.sent()
    if not secret:
        return ""
    with reading() as session:
        found = erasure_by_session(session, session_digest(secret))
    return keeping_language(f"{ERASED}/{found.reference}") if found else ""


def _closed() -> str:
    """The page to lead to without a session: after a form it says that nothing was saved."""
    path = keeping_language(CLOSED)
    if request.method in _SAFE_METHODS or request.path == SIGN_OUT:
        return path
    return f"{path}{'&' if '?' in path else '?'}{UNSAVED}=1"


def own_session() -> OwnSession:
    """The open session of this request; only inside a view under Access.STEP_UP."""
    found: OwnSession = g.own_session
    return found


def current_recipient() -> RecipientView:
    """Whose data this request is about, as read at its start; only inside a view under Access.STEP_UP."""
    return own_session().recipient


def csrf_field() -> Markup:
    """The hidden field that every form under /me holds."""
    return _COOKIE.field(_COOKIE.sent())


def end_open_session(session: Session) -> None:
    """Sign out of the session of this request."""
    end_session(session, own_session().step_up_id, now=utc_now())


def _find_session() -> OwnSession | None:
    secret = _COOKIE.sent()
    if not secret:
        return None
    with reading() as session:
        return open_session(session, session_digest(secret), now=utc_now())
