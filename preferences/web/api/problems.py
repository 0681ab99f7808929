"""Errors of the API as `application/problem+json` (RFC 9457): what happened, where, and a code that never changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from flask import Blueprint, Response, request
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from preferences.domain.errors import PreferencesError
from preferences.web.plumbing import settings

log = structlog.get_logger()

PROBLEM_JSON = "application/problem+json"
MOST_ERRORS = 100
"""How many wrong fields one answer lists."""

_NAMEABLE = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with a request. `pointer` is a JSON pointer (RFC 6901): into the document, or into the row (its line
    number) of NDJSON."""

    detail: str
    code: str = "invalid_value"
    pointer: str | None = None
    row: int | None = None

    def as_json(self) -> dict[str, object]:
        """The members that are set."""
        members = {"row": self.row, "pointer": self.pointer, "code": self.code, "detail": self.detail}
        return {name: value for name, value in members.items() if value is not None}


class Problem(PreferencesError):
    """A refusal that belongs to HTTP, with its status and code. `errors` lists fields, `headers` go with the answer."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, pointer=errors[0].pointer if len(errors) == 1 else None)
        self.http_status, self.problem_code = status, code
        self.errors, self.headers = errors, headers or {}


def problem_response(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    pointer: str | None = None,
    reason: str | None = None,
    errors: Iterable[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One problem document. `type` leads to its paragraph on the documentation page."""
    members: dict[str, object] = {
        "type": f"{settings().base_url}/api/v1/docs#problem-{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    members |= {name: value for name, value in (("pointer", pointer), ("reason", reason)) if value is not None}
    listed = [error.as_json() for error in errors]
    if listed:
        members["errors"] = listed
    body = json.dumps(members, ensure_ascii=False)
    return Response(body, status, {**(headers or {}), "Content-Type": PROBLEM_JSON})


def register_problem_handlers(blueprint: Blueprint) -> None:
    """Every error of the blueprint's calls becomes a problem, and so do unknown paths and methods under it."""
    blueprint.register_error_handler(PreferencesError, _refusal)
    blueprint.register_error_handler(ValidationError, _invalid)
    blueprint.register_error_handler(HTTPException, _http)
    blueprint.register_error_handler(DBAPIError, _database)
    blueprint.register_error_handler(Exception, _unexpected)
    blueprint.before_app_request(_refuse_unrouted)


def _refuse_unrouted() -> Response | None:
    """A path without a call never reaches the blueprint, so its handlers would not see it."""
    error = request.routing_exception
    if not request.path.startswith("/api/") or not isinstance(error, HTTPException) or (error.code or 0) < 400:
        return None
    return _http(error)


def field_errors(
    error: ValidationError, lines: Sequence[int] | None = None, bulk: str | None = None
) -> list[FieldError]:
    """What pydantic found, without the values. `bulk` is the field that holds the rows, `lines` their lines in NDJSON."""
    found = []
    for one in error.errors(include_url=False, include_context=False, include_input=False)[:MOST_ERRORS]:
        place, row = one["loc"], None
        if bulk is not None and len(place) > 1 and place[0] == bulk and isinstance(place[1], int):
            row = place[1] + 1
            if lines is not None:
                row, place = lines[place[1]], place[2:]
        found.append(FieldError(detail=one["msg"], code=one["type"], pointer=json_pointer(place), row=row))
    return found


def json_pointer(place: Iterable[str | int]) -> str:
    """RFC 6901. A name that could be anything (an address, a page of text) is shown as `?`."""
    return "".join(f"/{part}" if _NAMEABLE.fullmatch(str(part)) else "/?" for part in place)


def invalid_fields(errors: Sequence[FieldError]) -> Problem:
    """422: the request is well-formed and some of its fields cannot be used."""
    count = f"{len(errors)} fields" if len(errors) > 1 else "A field"
    return Problem(422, "invalid_request", f"{count} cannot be used. Nothing was changed.", errors=errors)


def busy() -> Problem:
    """503: others change the same rows all the time; nothing was changed, and a repeat will find its turn."""
    detail = "Others are changing the same recipients. Nothing was changed; try again."
    return Problem(503, "unavailable", detail, headers={"Retry-After": "5"})


def _refusal(error: PreferencesError) -> Response:
    if isinstance(error, Problem):
        status, code = error.http_status, error.problem_code
        title = HTTPStatus(status).phrase
        return problem_response(
            status, code, title, error.detail, pointer=error.pointer, errors=error.errors, headers=error.headers
        )
    reason = getattr(error, "reason", None)
    return problem_response(
        error.status, error.code, error.title, error.detail, pointer=error.pointer, reason=reason and str(reason)
    )


def _invalid(error: ValidationError) -> Response:
    return _refusal(invalid_fields(field_errors(error)))


def _http(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or 500)
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    code = _HTTP_CODES.get(status, status.phrase.lower().replace(" ", "_"))
    detail = _HTTP_DETAILS.get(status, status.description or status.phrase)
    return problem_response(status, code, status.phrase, detail, headers=headers)


_HTTP_CODES = {HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "too_large"}
_HTTP_DETAILS = {
    HTTPStatus.NOT_FOUND: "There is no such call. See /api/v1/docs.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This path takes other methods; Allow names them.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than this call accepts. Split it.",
}


def _database(error: DBAPIError) -> Response:
    log.error("database_unavailable", endpoint=request.endpoint, kind=type(error.orig).__name__)
    detail = "The database did not answer. Nothing was changed; try again."
    return problem_response(503, "unavailable", "Service Unavailable", detail, headers={"Retry-After": "5"})


def _unexpected(error: Exception) -> Response:
    log.error("unexpected_error", endpoint=request.endpoint, kind=type(error).__name__, exc_info=True)
    detail = "Something went wrong on our side. Nothing was changed."
    return problem_response(500, "internal_error", "Internal Server Error", detail)
