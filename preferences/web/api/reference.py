"""`GET /openapi.json` and `GET /docs`: the specification, and a page to read it on, made from nothing else. No JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from flask import Response, current_app, render_template

from preferences.web.access import Access, access
from preferences.web.locale import speak
from preferences.web.plumbing import settings

from . import blueprint
from .answers import write_json
from .openapi import openapi_document
from .problem_codes import CODES

Document = dict[str, Any]

_KEPT = "preferences.openapi"


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field as the page shows it. `links` are schemas that its type leads to."""

    name: str
    kind: str
    links: tuple[str, ...]
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True)
class OperationPart:
    """A call as the page shows it."""

    method: str
    path: str
    details: Document
    fields: tuple[FieldRow, ...]
    takes: str | None
    gives: tuple[tuple[str, str], ...]
    """Status and schema."""
    has_lines: bool
    is_form: bool
    problems: tuple[str, ...]


@blueprint.get("/openapi.json")
@access(Access.PUBLIC)
def openapi_json() -> Response:
    """The specification."""
    return Response(write_json(_specification()), content_type="application/json")


@blueprint.get("/docs")
@access(Access.PUBLIC)
def reference() -> str:
    """The page. Its text is English, like everything that the API says, so the frame around it is too where it can be."""
    speak("en")
    document = _specification()
    schemas = document["components"]["schemas"]
    return render_template(
        "api/docs.html",
        info=document["info"],
        server=document["servers"][0]["url"],
        operations=[_part(path, method, details) for path, method, details in _operations(document)],
        schemas={name: (schema, _fields(schema)) for name, schema in schemas.items()},
        codes=sorted(CODES.items(), key=lambda entry: (entry[1][0], entry[0])),
    )


def _specification() -> Document:
    """Made once: calls do not change while the service runs."""
    if _KEPT not in current_app.extensions:
        current_app.extensions[_KEPT] = openapi_document(current_app, settings().base_url)
    return cast(Document, current_app.extensions[_KEPT])


def _operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, details in methods.items():
            yield path, method.upper(), details


def _part(path: str, method: str, details: Document) -> OperationPart:
    body = details.get("requestBody", {}).get("content", {})
    takes = _name(next(iter(body.values()))["schema"]) if body else None
    answers = {status: one["content"] for status, one in details["responses"].items() if "content" in one}
    return OperationPart(
        method=method,
        path=path,
        details=details,
        fields=tuple(
            FieldRow(
                one["name"], f"{one['in']}, {_kind(one['schema'])}", (), one["required"], one.get("description", "")
            )
            for one in details["parameters"]
        ),
        takes=takes,
        gives=tuple((status, _name(content["application/json"]["schema"])) for status, content in answers.items()),
        has_lines="application/x-ndjson" in body or any("application/x-ndjson" in one for one in answers.values()),
        is_form="multipart/form-data" in body,
        problems=tuple(status for status in details["responses"] if status not in answers),
    )


def _fields(schema: Document) -> list[FieldRow]:
    required = schema.get("required", [])
    return [
        FieldRow(name, _kind(one), tuple(sorted(set(_names(one)))), name in required, one.get("description", ""))
        for name, one in schema.get("properties", {}).items()
    ]


def _kind(schema: Document) -> str:
    if "$ref" in schema:
        return _name(schema)
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    kind = str(schema.get("format") or schema.get("type", "object"))
    return f"{kind}, at most {schema['maxLength']}" if "maxLength" in schema else kind


def _names(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield _name(schema)
        for value in schema.values():
            yield from _names(value)
    elif isinstance(schema, list):
        for one in schema:
            yield from _names(one)


def _name(schema: Document) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
