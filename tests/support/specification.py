"""Requests made from the specification that the service serves: what it says is valid, and what it says is not."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

KNOWN = {
    "purpose": "marketing",
    "email": "anna@example.se",
    "recipient": "anna@example.se",
    "recipients": "anna@example.se",
    "url": "https://hooks.example.com/changes",
}
"""What only makes sense with a certain value; everything else follows from its schema."""


@dataclass(frozen=True)
class Operation:
    """One call as the specification describes it."""

    method: str
    path: str
    details: Document
    document: Document

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def statuses(self) -> set[int]:
        return {int(status) for status in self.details["responses"]}

    @property
    def content(self) -> Document:
        found: Document = self.details.get("requestBody", {}).get("content", {})
        return found

    @property
    def json_schema(self) -> Document | None:
        return self.resolved(self.content["application/json"]["schema"]) if "application/json" in self.content else None

    def resolved(self, schema: Document) -> Document:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def url(self) -> str:
        """The path with a value for everything in it."""
        path = self.path
        for one in self.details["parameters"]:
            if one["in"] == "path":
                value = 1 if one["schema"].get("type") == "integer" else "0000000000001"
                path = path.replace("{" + one["name"] + "}", str(value))
        return path

    def body(self) -> Any:
        """A valid JSON body."""
        assert self.json_schema is not None
        return self.sample(self.json_schema)

    def form(self) -> Document:
        """A valid form with a file."""
        return {"file": (io.BytesIO(b"email\nanna@example.se\n"), "a.csv")}

    def sample(self, schema: Document, name: str = "") -> Any:
        """Something that the schema says is valid: the least that it asks for."""
        schema = self.resolved(schema)
        if name in KNOWN and schema.get("type") == "string":
            return KNOWN[name]
        if "anyOf" in schema and "type" not in schema:
            return self.sample(schema["anyOf"][0], name)
        if "enum" in schema or "const" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        if schema.get("type") == "object":
            wanted = {*schema.get("required", ()), *(schema.get("anyOf", [{}])[0].get("required", ()))}
            return {key: self.sample(schema["properties"][key], key) for key in sorted(wanted)}
        if schema.get("type") == "array":
            return [self.sample(schema["items"], name) for _ in range(max(1, schema.get("minItems", 1)))]
        if schema.get("examples"):
            return schema["examples"][0]
        return {"integer": schema.get("minimum", 1), "boolean": True}.get(schema.get("type", ""), "text")

    def broken_bodies(self) -> Iterator[Any]:
        """Bodies of another shape than the schema's: none, a list, an unknown member, members of another type, one missing."""
        good = self.body()
        yield from (None, [], "text", 1, {**good, "not-a-member": 1})
        for name, value in good.items():
            yield {**good, name: {"x": 1} if not isinstance(value, dict) else 7}
            if name in (self.json_schema or {}).get("required", ()):
                yield {key: one for key, one in good.items() if key != name}


def operations(document: Document) -> Iterator[Operation]:
    """Every call of a specification."""
    for path, methods in document["paths"].items():
        for method, details in methods.items():
            yield Operation(method.upper(), path, details, document)
