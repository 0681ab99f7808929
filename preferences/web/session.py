"""The step-up session: a cookie under /me, checked against the database on every request; CSRF tokens bound to it.

It opens own data and nothing else. Token pages never see it: the cookie's path is /me, and they would not look (T6).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from flask import Flask, abort, current_app, g, redirect, request
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.models.transaction import reading
from preferences.queries.recipients import RecipientView
from preferences.queries.rights import erasure_by_session
from preferences.queries.step_up import OwnSession, open_session
from preferences.services.step_up import end_session, session_digest

from .access import Access, declared_access
from .locale import keeping_language, speak
from .plumbing import settings, utc_now

COOKIE = "me"
PATH = "/me"
CLOSED = "/me/closed"
"""The page for everybody without an open session: it says how to open one."""

ERASED = "/me/erased"
"""Under this path: what became of an erasure, for the person whose session it ended."""

SIGN_OUT = "/me/sign-out"
UNSAVED = "unsaved"
"""In the query of that page when a form came too late."""

CSRF_FIELD = "csrf"
MOST_BYTES = 256 * 1024
"""Largest form under /me: every field of the profile full, written in letters that take the most room."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
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
    if request.method not in _SAFE_METHODS and not _csrf_is_right(request.form.get(CSRF_FIELD, "")):
        abort(400)
    return None


def _erased() -> str:
    """The page of the erasure that ended this session: a button pressed twice is answered with what it did. Else empty."""
    secret = request.cookies.get(COOKIE, "")
    if not _SECRET.fullmatch(secret):
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
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, _csrf_tokens()[-1])


def end_open_session(session: Session) -> None:
    """Sign out of the session of this request."""
    end_session(session, own_session().step_up_id, now=utc_now())


def give_cookie(response: Response, secret: str) -> Response:
    """Hand the session to the browser: until it is closed, for /me only, out of reach of scripts and of other sites."""
    response.set_cookie(
        COOKIE,
        secret,
        path=PATH,
        secure=settings().base_url.startswith("https:"),
        httponly=True,
        samesite="Strict",
    )
    return response


def take_cookie_back(response: Response) -> Response:
    """Have the browser forget the session."""
    response.delete_cookie(
        COOKIE, path=PATH, secure=settings().base_url.startswith("https:"), httponly=True, samesite="Strict"
    )
    return response


def _find_session() -> OwnSession | None:
    secret = request.cookies.get(COOKIE, "")
    if not _SECRET.fullmatch(secret):
        return None
    with reading() as session:
        return open_session(session, session_digest(secret), now=utc_now())


def _csrf_tokens() -> list[str]:
    """The token of this session under every cookie key, oldest to newest: a key change breaks no open form."""
    about = b"preferences.csrf." + hashlib.sha256(request.cookies.get(COOKIE, "").encode()).digest()
    return [
        base64.urlsafe_b64encode(hmac.digest(key, about, "sha256")).decode().rstrip("=")
        for key in settings().secret_keys
    ]


def _csrf_is_right(sent: str) -> bool:
    return any(hmac.compare_digest(token.encode(), sent.encode()) for token in _csrf_tokens())
