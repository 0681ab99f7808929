"""A cookie that holds a random secret, for one part of the site only, and the tokens of forms that are bound to it.

Own data (`/me`) and the admin pages (`/admin`) have one each; neither is ever sent to the other's pages.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from flask import request
from markupsafe import Markup
from werkzeug.wrappers import Response

from .plumbing import settings

CSRF_FIELD = "csrf"

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SecretCookie:
    """`about` is what the tokens of its forms are about, so that none is good for another cookie's form."""

    name: str
    path: str
    about: bytes

    def sent(self) -> str:
        """The secret that the browser sent; empty where it sent none of ours."""
        found = request.cookies.get(self.name, "")
        return found if _SECRET.fullmatch(found) else ""

    def give(self, response: Response, secret: str) -> Response:
        """Hand a secret to the browser: until it is closed, out of reach of scripts and of other sites."""
        response.set_cookie(self.name, secret, path=self.path, secure=_over_https(), httponly=True, samesite="Strict")
        return response

    def take_back(self, response: Response) -> Response:
        """Have the browser forget it."""
        response.delete_cookie(self.name, path=self.path, secure=_over_https(), httponly=True, samesite="Strict")
        return response

    def field(self, secret: str) -> Markup:
        """The hidden field that a form holds, with the token under the newest key."""
        return Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, self._tokens(secret)[-1])

    def is_right(self, secret: str, token: str) -> bool:
        """Whether a form's token belongs to this secret. Compares in constant time."""
        return any(hmac.compare_digest(one.encode(), token.encode()) for one in self._tokens(secret))

    def _tokens(self, secret: str) -> list[str]:
        """The token under every cookie key, oldest to newest: a key change breaks no open form."""
        about = self.about + hashlib.sha256(secret.encode()).digest()
        return [
            base64.urlsafe_b64encode(hmac.digest(key, about, "sha256")).decode().rstrip("=")
            for key in settings().secret_keys
        ]


def _over_https() -> bool:
    return settings().base_url.startswith("https:")
