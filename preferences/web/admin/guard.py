"""Who may open an admin page. Each view says `@access(Access.STAFF)` and `@needs(Permission.…)`; the guard does the rest.

Looked up in the database with every request: a session that was ended, a person who was disabled and a role that was changed
count at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from flask import abort, current_app, g, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.address import mask_address
from preferences.domain.audit import NOTHING, AuditAction, AuditTarget, StaffId
from preferences.domain.roles import Permission
from preferences.domain.staff import SessionStage
from preferences.models.transaction import reading, transaction
from preferences.queries.staff.staff import StaffSession, StaffView, session_by_digest
from preferences.services.staff.audit import record_audit
from preferences.services.staff.sessions import TOUCHED_EVERY, secret_digest, touch_session
from preferences.web.access import Access, declared_access
from preferences.web.locale import speak
from preferences.web.plumbing import utc_now
from preferences.web.secret_cookie import CSRF_FIELD

from .answering import LARGEST_ID
from .cookie import cookie_secret, csrf_is_right, staff_csrf

__all__ = ["current_staff", "guard", "staff_csrf", "staff_may"]

View = TypeVar("View", bound=Callable[..., Any])

HOME = "/admin"
SIGN_IN = "/admin/sign-in"
CONFIRM = "/admin/confirm"
SIGN_ON = "/admin/single-sign-on"
MOST_BYTES = 256 * 1024
"""Largest form, unless the view says `@takes(…)`."""

LONG_TEXTS = 4 * MOST_BYTES
"""For `@takes`: forms of whole texts in several languages and of pasted lists; a letter may be six bytes of a form."""

_OWN_PROOF = frozenset({Access.TOKEN, Access.RETURNING})
"""What holds in itself that a form came from where it should: a link's token, or a state and the cookie with the same."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def needs(permission: Permission) -> Callable[[View], View]:
    """Declare the permission that a view asks of whoever is signed in."""

    def declare(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return declare


def fresh(view: View) -> View:
    """Declare that whoever is signed in must have proved it within the last quarter of an hour: exports, erasure, staff."""
    view.is_fresh = True  # type: ignore[attr-defined]
    return view


def takes(most_bytes: int) -> Callable[[View], View]:
    """Declare that a view takes larger forms or files than others."""

    def declare(view: View) -> View:
        view.most_bytes = most_bytes  # type: ignore[attr-defined]
        return view

    return declare


def declared_permission(view: Callable[..., Any]) -> Permission | None:
    """What a view declared, if anything."""
    return getattr(view, "permission", None)


def guard() -> Response | None:
    """Before every admin view: session, permission, freshness, and for unsafe methods where the form came from."""
    view = current_app.view_functions[request.endpoint or ""]
    if any(isinstance(value, int) and value > LARGEST_ID for value in (request.view_args or {}).values()):
        abort(404)
    request.max_content_length = getattr(view, "most_bytes", MOST_BYTES)
    request.max_form_memory_size = min(request.max_content_length or MOST_BYTES, 4 * MOST_BYTES)
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"} and not _is_safe():
        abort(403)
    kind = declared_access(view)
    if kind in {Access.STAFF, Access.HALF_STAFF}:
        stage = SessionStage.OPEN if kind is Access.STAFF else SessionStage.HALF
        found = find_session()
        if found is None or found.stage is not stage:
            return redirect(HOME if found and found.stage is SessionStage.OPEN else _sign_in_first(), code=303)
        g.staff_session = found
        speak(found.staff.locale)
    if not _is_safe() and kind not in _OWN_PROOF and not csrf_is_right(request.form.get(CSRF_FIELD, "")):
        abort(400)
    return _check_permission(view) if kind is Access.STAFF else None


def _check_permission(view: Callable[..., Any]) -> Response | None:
    permission = declared_permission(view)
    if permission is None or not staff_may(permission):
        abort(403)
    if getattr(view, "is_fresh", False) and not staff_session().is_fresh(utc_now()):
        back = request.full_path.rstrip("?") if _is_safe() else safe_next(request.form.get("back", ""))
        return redirect(with_next(CONFIRM, back), code=303)
    return None


def staff_session() -> StaffSession:
    """The session of this request; only inside a view under Access.STAFF or Access.HALF_STAFF."""
    found: StaffSession = g.staff_session
    return found


def current_staff() -> StaffView | None:
    """Who is signed in; None on the pages before that, and on error pages of addresses that do not exist."""
    found: StaffSession | None = g.get("staff_session")
    return found.staff if found is not None and found.stage is SessionStage.OPEN else None


def staff_id() -> StaffId:
    """The number of whoever is signed in, as services and the audit want it."""
    return staff_session().staff.id


def staff_may(permission: str) -> bool:
    """Whether whoever is signed in has this permission; for views and, by its text, for templates."""
    found = current_staff()
    return found is not None and found.may(Permission(permission))


def shown_address(address: str | None) -> str:
    """An address as whoever is signed in may see it: in clear, or masked."""
    if not address:
        return ""
    return address if staff_may(Permission.SEE_ADDRESSES) else mask_address(address)


@contextmanager
def audited_read(action: AuditAction, target: AuditTarget = NOTHING, **data: Any) -> Iterator[Session]:
    """A session for a page that shows personal data: that it was seen is stored with it, or nothing is shown.

    The one exception to "GET changes nothing": the audit is about the reading itself.
    """
    with transaction() as session:
        record_audit(session, staff_id(), action, target, data=data, now=utc_now())
        yield session


def safe_next(path: str) -> str:
    """The admin page to go on to; Today for everything that is no plain path of ours (open redirect)."""
    try:
        parts = urlsplit(path) if path.isascii() and path.isprintable() and "\\" not in path else None
    except ValueError:  # such as `//[`: no address of anybody's
        parts = None
    is_ours = (
        parts is not None
        and not (parts.scheme or parts.netloc)
        and (parts.path == HOME or parts.path.startswith(f"{HOME}/"))
        and not parts.path.startswith((SIGN_IN, CONFIRM, SIGN_ON))
        and ".." not in parts.path
        and "//" not in parts.path
    )
    return path if is_ours else HOME


def with_next(path: str, onward: str) -> str:
    """The path, with where to go on to afterwards where that is not Today."""
    back = safe_next(onward)
    return path if back == HOME else f"{path}?next={quote(back)}"


def find_session() -> StaffSession | None:
    """The session of this browser, half or open; None where there is none, or it is over."""
    secret = cookie_secret()
    if not secret:
        return None
    now = utc_now()
    with reading() as session:
        found = session_by_digest(session, secret_digest(secret), now=now)
    if found is not None and now - found.seen_at >= TOUCHED_EVERY:
        with transaction() as session:
            touch_session(session, found.id, now=now)
    return found


def _sign_in_first() -> str:
    """The sign-in page, which leads back to where somebody was going."""
    return with_next(SIGN_IN, request.full_path.rstrip("?") if _is_safe() else HOME)


def _is_safe() -> bool:
    return request.method in _SAFE_METHODS
