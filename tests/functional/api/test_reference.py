"""The specification says what the code does, and can be read on a page without JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from preferences.domain.errors import ConfigurationError, PreferencesError
from preferences.web.access import Access, declared_access
from preferences.web.api.calls import spec_of
from preferences.web.api.problem_codes import CODES, STATUSES
from tests.support.client import StrictClient

RAISED_BELOW_THE_API = {
    "preferences.domain.errors",
    "preferences.integrations.list_headers",
    "preferences.services.choices.choices",
    "preferences.services.upkeep.idempotency",
    "preferences.services.recipients.link_rehearsal",
    "preferences.services.recipients.recipients",
    "preferences.services.photos.trainings",
    "preferences.domain.feed",
    "preferences.integrations.csv_files",
    "preferences.integrations.csv_mapping",
}
NEVER_IN_THE_API = {
    "error",
    "bad_token",
    "training_over",
    "training_changed",
    "training_cancelled",
    ConfigurationError.code,
}


@pytest.fixture
def document(client: StrictClient) -> dict[str, Any]:
    answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found: dict[str, Any] = json.loads(answer.get_data())
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def test_every_call_is_specified(app: Flask, document: dict[str, Any]) -> None:
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if rule.endpoint.startswith("api.") and declared_access(view) is Access.MAILER:
            assert spec_of(view) is not None, rule
            path = re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule.removeprefix("/api/v1"))
            methods = {method.lower() for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
            assert methods <= document["paths"][path].keys()


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found


def test_operations_have_distinct_names_and_a_scope(document: dict[str, Any]) -> None:
    found = list(operations(document))
    assert len({operation["operationId"] for _, _, operation in found}) == len(found)
    for path, _, operation in found:
        scope = operation["x-scope"]
        assert operation["security"] == [{"key": [scope] if scope else []}]
        assert scope or path == "/keys/rotate", "only a key's own affairs need no scope"


def test_problems_are_documented_as_problems(document: dict[str, Any]) -> None:
    for response in document["components"]["responses"].values():
        assert list(response["content"]) == ["application/problem+json"]
    for _, _, operation in operations(document):
        assert {"401", "403", "422", "429"} <= operation["responses"].keys()


def test_requests_are_closed_and_unsafe_calls_take_an_idempotency_key(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for path, method, operation in operations(document):
        if "requestBody" in operation:
            first = next(iter(operation["requestBody"]["content"].values()))
            name = first["schema"]["$ref"].rpartition("/")[2]
            assert schemas[name]["additionalProperties"] is False
        names = [parameter["name"] for parameter in operation["parameters"]]
        if method != "get" and path not in {"/eligibility", "/header-check", "/photo-check"}:
            assert "Idempotency-Key" in names


def test_bulk_calls_are_specified_with_lines(document: dict[str, Any]) -> None:
    for path, method in (("/recipients", "put"), ("/links", "post")):
        operation = document["paths"][path][method]
        assert "application/x-ndjson" in operation["requestBody"]["content"]
        assert "application/x-ndjson" in operation["responses"]["200"]["content"]


def families(error: type[PreferencesError]) -> Iterator[type[PreferencesError]]:
    yield error
    for one in error.__subclasses__():
        yield from families(one)


def test_every_error_of_the_family_has_a_paragraph_with_its_status() -> None:
    own = {error for error in families(PreferencesError) if error.__module__ in RAISED_BELOW_THE_API}
    told = {error.code: error.status for error in own if error.code not in NEVER_IN_THE_API}
    assert {code: status for code, status in told.items() if CODES.get(code, (0, ""))[0] != status} == {}
    assert {status for status, _ in CODES.values()} - {405} <= STATUSES.keys()


def test_the_page_shows_every_call_schema_and_problem(client: StrictClient, document: dict[str, Any]) -> None:
    answer = client.get("/api/v1/docs")
    page = answer.get_data(as_text=True)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    for path, method, operation in operations(document):
        assert f"<code>{method.upper()} {path}</code>" in page
        assert f'id="{operation["operationId"]}"' in page
    for name in document["components"]["schemas"]:
        assert f'id="schema-{name}"' in page
    for code in CODES:
        assert f'id="problem-{code}"' in page
    assert "<script" not in page
    assert "http-equiv" not in page
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))


def test_the_type_of_a_problem_leads_to_its_paragraph(client: StrictClient) -> None:
    answer = client.get("/api/v1/suppressions")
    assert answer.json is not None
    assert answer.json["type"] == "https://preferences.example/api/v1/docs#problem-unauthenticated"
