"""A test client that reads every page as strictly as a validator would, and refuses cookies where none may be."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from . import html

NO_COOKIE = ("/u/", "/p/", "/c/")


class StrictClient(FlaskClient):
    """Every HTML answer is parsed strictly; token pages are checked for the headers that the contract promises."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        with self.application.app_context():  # a context of its own: `g` must not live from one request to the next
            response = super().open(*args, **kwargs)
        if response.mimetype == "text/html" and response.request.method != "HEAD":
            html.check(response)
        if response.request.path.startswith(NO_COOKIE):
            assert "Set-Cookie" not in response.headers, "token pages set no cookie (T6)"
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert "noindex" in response.headers["X-Robots-Tag"]
            assert "unsafe-inline" not in response.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
        return response


class HastyClient(StrictClient):
    """As in tests, without reading what came: for whoever only counts or measures."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        with self.application.app_context():
            return FlaskClient.open(self, *args, **kwargs)
