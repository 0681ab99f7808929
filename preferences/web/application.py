"""Flask without what costs time in every request and is needed by few: a mailing brings one-clicks by the thousand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface


class CookieSessions(SecureCookieSessionInterface):
    """As Flask's own, but a request without cookies gets an empty session without a signature being set up for it."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of this request."""
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)


class Service(Flask):
    """The application. No view or hook is a coroutine, so nothing is inspected for being one, eight times a request."""

    session_interface = CookieSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func
