"""The error family mapped to pages. The API maps it to problem details itself."""

from __future__ import annotations

import structlog
from flask import Flask, render_template, request
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from preferences.domain.errors import PreferencesError

log = structlog.get_logger()


def register_error_handlers(app: Flask) -> None:
    """Pages for everything that goes wrong outside the API; never a stack trace, an address or a token."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(PreferencesError, _refusal)
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(Exception, _unexpected)


def _page(status: int) -> tuple[str, int]:
    return render_template("errors/error.html", status=status), status


def _http_error(error: HTTPException) -> tuple[str, int] | HTTPException:
    if error.code is None or error.code < 400:
        return error
    return _page(error.code)


def _refusal(error: PreferencesError) -> tuple[str, int]:
    return _page(error.status)


def _database_error(error: DBAPIError) -> tuple[str, int, dict[str, str]]:
    log.error("database_unavailable", endpoint=request.endpoint, kind=type(error.orig).__name__)
    page, status = _page(503)
    return page, status, {"Retry-After": "30"}


def _unexpected(error: Exception) -> tuple[str, int]:
    log.error("unexpected_error", endpoint=request.endpoint, kind=type(error).__name__, exc_info=True)
    return _page(500)
