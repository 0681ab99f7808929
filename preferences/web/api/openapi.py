"""The specification (OpenAPI 3.1), generated from the declarations of the calls: it cannot say anything else than the code.

Pydantic's JSON Schema is that of OpenAPI 3.1 (draft 2020-12), so the models of requests and answers are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import getdoc
from typing import Annotated, Any

from flask import Flask
from pydantic import BaseModel, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule

from preferences.domain.scopes import Scope

from .bodies import FORM, JSON, NDJSON
from .calls import Spec, spec_of
from .problem_codes import STATUSES
from .problems import PROBLEM_JSON
from .types import LARGEST_ID, RECIPIENT_ID_PATTERN, Nothing

Document = dict[str, Any]

ALWAYS = (401, 403, 429, 500, 503)
WITH_PARAMETERS = (400, 422)
WITH_BODY = (400, 413, 415, 422)
WITHOUT_NUL = r"^[^\x00]*$"
"""PostgreSQL cannot store NUL, so no text holds it (`bodies`)."""
_BOUNDS = {
    ("integer", "ge"): "minimum",
    ("integer", "le"): "maximum",
    ("array", "minLength"): "minItems",
    ("array", "maxLength"): "maxItems",
}
NUMBERED = frozenset({"import_id", "training"})
"""Parameters in paths that are numbers."""
_LIMITS: Document = {
    "RateLimit": {
        "description": "What is left of the key's minute: `r` calls, and `t` seconds until it begins again.",
        "schema": {"type": "string", "examples": ['"minute";r=5999;t=60']},
    },
    "RateLimit-Policy": {
        "description": "How many calls (`q`) the key has in `w` seconds.",
        "schema": {"type": "string", "examples": ['"minute";q=6000;w=60']},
    },
}
_MODES: tuple[JsonSchemaMode, JsonSchemaMode] = ("validation", "serialization")


class ProblemError(BaseModel):
    """One thing wrong with a request."""

    row: Annotated[int | None, Field(description="In bulk: the row, from 1; in NDJSON the line.")] = None
    pointer: Annotated[str | None, Field(description="JSON pointer into the document, or into the line of NDJSON.")] = (
        None
    )
    code: str
    detail: str


class Problem(BaseModel):
    """What went wrong (RFC 9457). Act on `code`: it never changes its meaning."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    pointer: Annotated[str | None, Field(description="The field, where there is one.")] = None
    reason: Annotated[str | None, Field(description="With `held`: why, in the words of eligibility.")] = None
    errors: Annotated[list[ProblemError] | None, Field(description="Every wrong field, at most a hundred.")] = None


def openapi_document(app: Flask, base_url: str) -> Document:
    """The whole specification of the running service."""
    calls = list(_calls(app))
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(Problem, "serialization")]
    for _, _, spec, _ in calls:
        models += [(spec.takes, _MODES[0]), (spec.gives, _MODES[1])]
    references, definitions = models_json_schema(
        list(dict.fromkeys(models)), ref_template="#/components/schemas/{model}"
    )
    schemas = {name: _without_titles(schema) for name, schema in definitions.get("$defs", {}).items()}
    for name in _led_to([references[spec.takes, _MODES[0]] for _, _, spec, _ in calls], schemas):
        schemas[name] = _told(schemas[name])
    paths: Document = {}
    for path, method, spec, view in calls:
        takes, gives = references[spec.takes, _MODES[0]], references[spec.gives, _MODES[1]]
        operation = _operation(path, method, spec, view, takes, gives, schemas)
        paths.setdefault(path, {})[method.lower()] = operation
    schemas.pop(Nothing.__name__, None)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Preferences: the API for mailers",
            "version": "1",
            "description": "Ask before sending, put links and headers in, report what happened elsewhere.",
        },
        "servers": [{"url": f"{base_url}/api/v1"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {f"Problem{status}": _problem(status, words) for status, words in STATUSES.items()},
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A mailer's key. Scopes: " + ", ".join(Scope),
                }
            },
        },
    }


def _calls(app: Flask) -> Iterator[tuple[str, str, Spec, Any]]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    for rule in sorted(rules, key=lambda rule: (rule.rule, rule.endpoint)):
        view = app.view_functions[rule.endpoint]
        spec = spec_of(view)
        if spec is not None:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield _path(rule), method, spec, view


def _path(rule: Rule) -> str:
    return re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))


def _operation(
    path: str, method: str, spec: Spec, view: Any, takes: Document, gives: Document, schemas: Document
) -> Document:
    has_body = method in {"POST", "PUT", "PATCH"}
    problems = {*ALWAYS, *spec.problems, *(WITH_BODY if has_body else WITH_PARAMETERS)}
    operation: Document = {
        "operationId": view.__name__,
        "summary": spec.summary,
        "description": getdoc(view) or spec.summary,
        "tags": [path.split("/")[1]],
        "security": [{"key": [] if spec.scope is None else [spec.scope.value]}],
        "x-scope": spec.scope and spec.scope.value,
        "parameters": [*_parameters(path, spec), *([] if has_body else _query(spec, schemas))],
        "responses": {
            **{str(status): _success(spec, gives) for status in spec.statuses},
            **{str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in sorted(problems)},
        },
    }
    if has_body and spec.takes is not Nothing:
        operation["requestBody"] = _request_body(spec, takes)
    return operation


def _parameters(path: str, spec: Spec) -> Iterator[Document]:
    for name in re.findall(r"\{([a-z_]+)\}", path):
        schema: Document = {"type": "string"}
        if name == "recipient":
            schema["pattern"] = RECIPIENT_ID_PATTERN
        if name in NUMBERED:
            schema = {"type": "integer", "minimum": 1, "maximum": LARGEST_ID}
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if spec.effect.takes_idempotency_key:
        detail = (
            "A fresh one for every new request: a repeat within a day gets the first answer and has no second effect."
        )
        schema = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
        yield {"name": "Idempotency-Key", "in": "header", "required": False, "description": detail, "schema": schema}


def _query(spec: Spec, schemas: Document) -> Iterator[Document]:
    found = schemas.get(spec.takes.__name__, {})
    for name, schema in found.get("properties", {}).items():
        schema = _stated(schema)
        parameter = {"name": name, "in": "query", "required": name in found.get("required", []), "schema": schema}
        if "description" in schema:
            parameter["description"] = schema.pop("description")
        if schema.get("type") == "array":
            parameter |= {"style": "form", "explode": False}
        yield parameter


def _stated(schema: Document) -> Document:
    """The schema of a parameter where it is given: one that is left out is not null."""
    given = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    rest = {name: value for name, value in schema.items() if name != "anyOf" and (name, value) != ("default", None)}
    stated: Document = _told({**rest, **given[0]} if len(given) == 1 else dict(schema))
    return stated


def _request_body(spec: Spec, takes: Document) -> Document:
    if spec.upload is not None:
        return {"required": True, "content": {FORM: {"schema": takes}}}
    content: Document = {JSON: {"schema": takes}}
    if spec.bulk is not None:
        rest = set(spec.takes.model_fields) - {spec.bulk}
        first = f"First a line with everything but `{spec.bulk}`, then one" if rest else "One"
        content[NDJSON] = {"schema": {"type": "string", "description": f"{first} of `{spec.bulk}` a line."}}
    if spec.raw is not None:
        content[spec.raw.content_type] = {
            "schema": {"type": "string", "description": f"What `{spec.raw.field}` holds, byte for byte."}
        }
    return {"required": True, "content": content}


def _success(spec: Spec, gives: Document) -> Document:
    content: Document = {JSON: {"schema": gives}}
    if spec.rows is not None:
        detail = (
            f'One of `{spec.rows}` a line, by `Accept: {NDJSON}`. A streamed answer ends with a line {{"count": n}}.'
        )
        content[NDJSON] = {"schema": {"type": "string", "description": detail}}
    return {"description": (getdoc(spec.gives) or "").split("\n")[0], "headers": dict(_LIMITS), "content": content}


def _problem(status: int, words: str) -> Document:
    headers = dict(_LIMITS)
    if status in {429, 503}:
        headers["Retry-After"] = {"description": "Seconds.", "schema": {"type": "integer"}}
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": words, "headers": headers, "content": content}


def _led_to(value: Any, schemas: Document) -> set[str]:
    """The names of the schemas that this one leads to."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
            name = str(one.get("$ref", "")).rpartition("/")[2]
            if name in schemas and name not in found:
                found.add(name)
                waiting.append(schemas[name])
    return found


def _told(schema: Any) -> Any:
    """With what pydantic does not say: bounds of what a validator of ours reads first, and that no text holds NUL."""
    if isinstance(schema, list):
        return [_told(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    told = {_BOUNDS.get((str(schema.get("type")), name), name): _told(value) for name, value in schema.items()}
    if told.get("type") == "string" and not told.keys() & {"pattern", "format", "enum", "const"}:
        told["pattern"] = WITHOUT_NUL
    return told


def _without_titles(schema: Any, *, inside_properties: bool = False) -> Any:
    """Pydantic's titles say the name once more; a property that is named `title` stays."""
    if isinstance(schema, list):
        return [_without_titles(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _without_titles(value, inside_properties=name == "properties" and not inside_properties)
        for name, value in schema.items()
        if inside_properties or name != "title" or not isinstance(value, str)
    }
