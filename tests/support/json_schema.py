"""The part of JSON Schema that docs/own-data.schema.json uses. Unknown keywords are an error: nothing passes unchecked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
_SAID = {"$schema", "$defs", "title", "description"}
_KNOWN = _SAID | {
    "type", "properties", "required", "additionalProperties", "items", "anyOf", "const", "enum", "pattern", "format", "$ref",
}  # fmt: skip


def violations(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, at: str = "$") -> Iterator[str]:
    """Everywhere that a value does not fit the schema."""
    root = root or schema
    if unknown := schema.keys() - _KNOWN:
        raise ValueError(f"unknown keywords {unknown}")
    if "$ref" in schema:
        yield from violations(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, at)
        return
    if "anyOf" in schema:
        if not any(not list(violations(value, one, root, at)) for one in schema["anyOf"]):
            yield f"{at}: fits none of anyOf"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{at}: is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: is not one of {schema['enum']}"
    if "type" in schema and not _is_of(value, schema["type"]):
        yield f"{at}: {value!r} is not {schema['type']}"
        return
    if isinstance(value, str):
        yield from _text(value, schema, at)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from violations(one, schema["items"], root, f"{at}[{number}]")
    elif isinstance(value, dict):
        yield from _object(value, schema, root, at)


def _is_of(value: Any, types: str | list[str]) -> bool:
    names = [types] if isinstance(types, str) else types
    return any(isinstance(value, _TYPES[name]) and (name != "integer" or not isinstance(value, bool)) for name in names)


def _text(value: str, schema: dict[str, Any], at: str) -> Iterator[str]:
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{at}: does not match {schema['pattern']}"
    try:
        if schema.get("format") == "date-time" and datetime.fromisoformat(value).tzinfo is None:
            yield f"{at}: has no time zone"
        if schema.get("format") == "date":
            date.fromisoformat(value)
    except ValueError as error:
        yield f"{at}: {error}"


def _object(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], at: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{at}: lacks {name}"
    for name, one in value.items():
        inner = properties.get(name, schema.get("additionalProperties", {}))
        if inner is False:
            yield f"{at}: {name} is not described"
        else:
            yield from violations(one, inner, root, f"{at}.{name}")
