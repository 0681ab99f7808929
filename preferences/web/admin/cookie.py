"""The cookie of the admin pages: a random secret, for /admin only, out of reach of scripts and of other sites.

Before the sign-in it is nothing but what the form's token is bound to; the sign-in replaces it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from flask import request
from markupsafe import Markup
from werkzeug.wrappers import Response

from preferences.web.plumbing import settings

COOKIE = "admin"
PATH = "/admin"
CSRF_FIELD = "csrf"

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def cookie_secret() -> str:
    """The secret that the browser sent; empty where it sent none of ours."""
    sent = request.cookies.get(COOKIE, "")
    return sent if _SECRET.fullmatch(sent) else ""


def form_secret() -> str:
    """What the tokens of this page's forms are bound to: the cookie's secret, or a fresh one to be set with the page."""
    fresh: str = request.environ.setdefault("preferences.admin_secret", secrets.token_urlsafe(32))
    return cookie_secret() or fresh


def give_cookie(response: Response, secret: str) -> Response:
    """Hand a secret to the browser, until it is closed."""
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
    """Have the browser forget it."""
    response.delete_cookie(
        COOKIE, path=PATH, secure=settings().base_url.startswith("https:"), httponly=True, samesite="Strict"
    )
    return response


def staff_csrf() -> Markup:
    """The hidden field that every form under /admin holds."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, _tokens(form_secret())[-1])


def csrf_is_right(sent: str) -> bool:
    """Whether the form came from a page of this browser's."""
    secret = cookie_secret()
    return bool(secret) and any(hmac.compare_digest(token.encode(), sent.encode()) for token in _tokens(secret))


def _tokens(secret: str) -> list[str]:
    """The token of a cookie under every cookie key, oldest to newest: a key change breaks no open form."""
    about = b"preferences.admin.csrf." + hashlib.sha256(secret.encode()).digest()
    return [
        base64.urlsafe_b64encode(hmac.digest(key, about, "sha256")).decode().rstrip("=")
        for key in settings().secret_keys
    ]
