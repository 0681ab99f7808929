"""The cookie of the admin pages: a random secret, for /admin only, out of reach of scripts and of other sites.

Before the sign-in it is nothing but what the form's token is bound to; the sign-in replaces it.
"""

from __future__ import annotations

import secrets

from flask import request
from markupsafe import Markup

from preferences.web.secret_cookie import SecretCookie

COOKIE = "admin"
_COOKIE = SecretCookie(COOKIE, "/admin", b"preferences.admin.csrf.")

cookie_secret = _COOKIE.sent
give_cookie = _COOKIE.give
take_cookie_back = _COOKIE.take_back


def form_secret() -> str:
    """What the tokens of this page's forms are bound to: the cookie's secret, or a fresh one to be set with the page."""
    fresh: str = request.environ.setdefault("preferences.admin_secret", secrets.token_urlsafe(32))
    return cookie_secret() or fresh


def staff_csrf() -> Markup:
    """The hidden field that every form under /admin holds."""
    return _COOKIE.field(form_secret())


def csrf_is_right(sent: str) -> bool:
    """Whether the form came from a page of this browser's."""
    secret = cookie_secret()
    return bool(secret) and _COOKIE.is_right(secret, sent)
