"""Every operation answers as its specification says: what it calls valid, what it calls malformed, and with no other status."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.scopes import Scope
from preferences.web.api.openapi import openapi_document
from tests.factories import make_key, make_recipient
from tests.functional.api.support import BASE, Api, Reply
from tests.support.client import StrictClient
from tests.support.specification import Operation, operations

BROKEN_JSON = (
    b"",
    b"{",
    b"\xff",
    b'{"a":NaN}',
    b'{"a":1,"a":1}',
    b'{"a":"\\ud800"}',
    b'{"a":"\\u0000"}',
    b"[" * 20_000,
)


@pytest.fixture
def every(app: Flask) -> list[Operation]:
    return list(operations(openapi_document(app, "https://preferences.example")))


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    make_recipient(session)
    return Api(client, make_key(session), session)


def answered(one: Operation, reply: Reply, *statuses: int) -> None:
    """The answer has one of these statuses, the specification knows it, and a problem is a problem."""
    status, text = reply.status_code, reply.response.get_data(as_text=True)
    assert status in one.statuses, f"{one}: {status} is not in the specification: {text[:300]}"
    assert not statuses or status in statuses, f"{one}: {status}: {text[:300]}"
    if status >= 400:
        assert reply.mimetype == "application/problem+json"
        assert {"type", "title", "status", "detail", "code"} <= reply.problem(status).keys()
    assert reply.headers["RateLimit"], one


def good(api: Api, one: Operation) -> Reply:
    """The least that the specification calls valid."""
    if "multipart/form-data" in one.content:
        headers = {"Authorization": f"Bearer {api.key}"}
        return Reply(api.client.open(BASE + one.url(), method=one.method, data=one.form(), headers=headers))
    body = None if one.json_schema is None else json.dumps(one.body()).encode()
    kind = {} if body is None else {"Content_Type": "application/json"}
    return api.call(one.method, one.url(), body, **kind)


def test_what_is_valid_is_never_malformed(api: Api, every: list[Operation]) -> None:
    """It may name what is not there; good answers are compared with their models by `Api` itself."""
    for one in every:
        reply = good(api, one)
        answered(one, reply)
        if reply.status_code >= 400:
            problem = reply.problem(reply.status_code)
            assert problem["code"] not in {"malformed", "invalid_request", "internal_error"}, (str(one), problem)


def test_another_shape_is_refused_by_every_call(api: Api, every: list[Operation]) -> None:
    for one in every:
        if one.json_schema is not None:
            for body in one.broken_bodies():
                answered(one, api.send(one.method, one.url(), body), 422)


def test_what_is_not_json_is_refused_by_every_call(api: Api, every: list[Operation]) -> None:
    for one in every:
        if one.json_schema is not None:
            for raw in BROKEN_JSON:
                answered(one, api.call(one.method, one.url(), raw, Content_Type="application/json"), 400)
        if one.content:
            answered(one, api.call(one.method, one.url(), b"a=b", Content_Type="text/csv"), 415)


def test_unknown_and_malformed_parameters_are_refused_by_every_call(api: Api, every: list[Operation]) -> None:
    for one in every:
        if one.content:
            continue
        wrong: list[Any] = ["not-a-parameter=1"]
        if one.method == "GET":
            wrong += [f"{each['name']}=%00" for each in one.details["parameters"] if each["in"] == "query"]
            wrong += [f"{each['name']}=" for each in one.details["parameters"] if each["in"] == "query"]
        for query in wrong:
            answered(one, api.call(one.method, f"{one.url()}?{query}"), 400, 422)


def test_no_key_and_a_key_without_the_scope_are_refused_by_every_call(
    api: Api, client: StrictClient, session: Session, every: list[Operation]
) -> None:
    for one in every:
        stranger = Api(client, None, session)
        assert good(stranger, one).problem(401)
        others = [scope for scope in api_scopes(every) if scope != one.details["x-scope"]]
        if one.details["x-scope"]:
            narrow = Api(client, make_key(session, *others), session)
            answered(one, good(narrow, one), 403)


def api_scopes(every: list[Operation]) -> list[Any]:
    return [Scope(one) for one in sorted({each.details["x-scope"] for each in every if each.details["x-scope"]})]


def test_other_methods_are_refused_with_those_that_are_allowed(api: Api, every: list[Operation]) -> None:
    known = {(one.method, one.path) for one in every}
    for one in every:
        for method in {"PUT", "PATCH", "DELETE", "POST"}:
            if (method, one.path) not in known:
                refused = api.call(method, one.url())
                assert refused.problem(405)
                assert one.method in refused.headers["Allow"]
