"""The error family mapped to pages. The API maps it to problem details itself.

A page says what happened, what it means, and what to do next, in the visitor's language (D8, D13).
"""

from __future__ import annotations

import structlog
from flask import Flask, render_template, request
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from preferences.domain.errors import PreferencesError

log = structlog.get_logger()

RETRY_AFTER = {429: "60", 503: "30"}
"""Seconds after which trying again is worth it (RFC 6585 §4, RFC 9110 §15.6.4)."""

Page = tuple[str, int, dict[str, str]]


def register_error_handlers(app: Flask) -> None:
    """Pages for everything that goes wrong outside the API; never a stack trace, an address or a token."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(PreferencesError, _refusal)
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(Exception, _unexpected)


def error_page(status: int, code: str = "") -> Page:
    """The page for this status; `code` is that of the error family where it says more than the status does."""
    headers = {"Retry-After": RETRY_AFTER[status]} if status in RETRY_AFTER else {}
    template = "errors/admin.html" if _is_admin(request.path) else "errors/error.html"
    return render_template(template, status=status, code=code), status, headers


def _is_admin(path: str) -> bool:
    """Whether staff stand before the page; what helps a recipient does not help them."""
    return path == "/admin" or path.startswith("/admin/")


def _http_error(error: HTTPException) -> Page | HTTPException:
    if error.code is None or error.code < 400:
        return error
    page, status, headers = error_page(error.code)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return page, status, headers


def _refusal(error: PreferencesError) -> Page:
    return error_page(error.status, error.code)


def _database_error(error: DBAPIError) -> Page:
    log.error("database_unavailable", endpoint=request.endpoint, kind=type(error.orig).__name__)
    return error_page(503)


def _unexpected(error: Exception) -> Page:
    log.error("unexpected_error", endpoint=request.endpoint, kind=type(error).__name__, exc_info=True)
    return error_page(500)
