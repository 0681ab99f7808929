"""Bad bodies are answered with a clear 4xx, and nothing is changed."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.models.ledger import LedgerEntryRow
from preferences.models.message import MessageRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from tests.factories import make_key, make_recipient
from tests.functional.api.every_call import BULK, EMPTY_IS_FINE, EVERY_CALL, WITH_BODY, Request, name_of
from tests.functional.api.support import Api
from tests.support.client import StrictClient


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    make_recipient(session)
    return Api(client, make_key(session), session)


def rows_stored(session: Session) -> list[int]:
    session.rollback()
    models = (RecipientRow, LedgerEntryRow, ChangeEventRow, MessageRow)
    found = [session.scalar(select(func.count()).select_from(model)) or 0 for model in models]
    session.rollback()
    return found


BROKEN = {
    "nothing": b"",
    "blank": b"  \n ",
    "cut": b'{"recipients": [',
    "two values": b"{} {}",
    "not json": b"recipients=anna%40example.se",
    "single quotes": b"{'a': 1}",
    "comment": b'{"a": 1} // hello',
    "trailing comma": b'{"recipients": ["a@b.se",]}',
    "nan": b'{"recipients": [NaN]}',
    "infinity": b'{"recipients": [-Infinity]}',
    "latin-1": '{"recipients": ["åsa@example.se"]}'.encode("latin-1"),
    "utf-16": '{"recipients": []}'.encode("utf-16"),
    "bom": '{"recipients": []}'.encode("utf-8-sig"),
    "overlong utf-8": b'{"recipients": ["\xc0\xae"]}',
    "surrogates in utf-8": b'{"recipients": ["\xed\xa0\x80"]}',
    "half a surrogate pair": b'{"recipients": ["\\ud800"]}',
    "other half": b'{"recipients": ["x\\uDC00"]}',
    "nul": b'{"recipients": ["a\\u0000@b.se"]}',
    "nul in a name": b'{"a\\u0000": 1}',
    "raw nul": b'{"recipients": ["a\x00@b.se"]}',
    "raw newline": b'{"recipients": ["a\n@b.se"]}',
    "name twice": b'{"recipients": ["a@b.se"], "recipients": ["c@d.se"]}',
    "name twice inside": b'{"recipients": [{"email": "a@b.se", "email": "c@d.se"}]}',
    "digits": b'{"recipients": ' + b"9" * 5000 + b"}",
    "deep arrays": b"[" * 30_000,
    "deep objects": b'{"a":' * 6_000,
    "deep and closed": b"[" * 20_000 + b"]" * 20_000,
    "zip": b"PK\x03\x04\x14\x00\x00\x00",
}


OTHER_TYPES = [
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=iso-8859-1",
    "application/jsonp",
    "text/csv",
]


@pytest.mark.parametrize("request_", WITH_BODY, ids=name_of)
def test_what_is_not_json_is_refused(api: Api, session: Session, request_: Request) -> None:
    before = rows_stored(session)
    for name, broken in BROKEN.items():
        if not broken and request_[1].endswith("/test"):
            continue
        problem = api.call(request_[0], request_[1], broken, Content_Type="application/json").problem(400)
        assert problem["code"] == "malformed", name
        assert "example.se" not in json.dumps(problem), name
    assert rows_stored(session) == before


@pytest.mark.parametrize("request_", WITH_BODY, ids=name_of)
def test_json_of_another_shape_is_refused(api: Api, session: Session, request_: Request) -> None:
    before = rows_stored(session)
    shapes: list[Any] = [None, True, 1, 1.5, "text", [], [[]], {}, {"recipients": {}}, {"recipients": None}]
    if request_[1] in EMPTY_IS_FINE:
        shapes.remove({})
    for document in shapes:
        assert api.send(request_[0], request_[1], document).problem(422)["errors"]
    assert rows_stored(session) == before


@pytest.mark.parametrize("request_", WITH_BODY, ids=name_of)
def test_an_unknown_field_is_an_error(api: Api, session: Session, request_: Request) -> None:
    before = rows_stored(session)
    method, path, body = request_
    problem = api.send(method, path, {**body, "colour": "red"}).problem(422)
    assert problem["errors"] == [
        {"pointer": "/colour", "code": "extra_forbidden", "detail": "Extra inputs are not permitted"}
    ]
    assert rows_stored(session) == before


@pytest.mark.parametrize("request_", WITH_BODY, ids=name_of)
def test_an_unknown_field_that_is_an_address_is_not_repeated(api: Api, request_: Request) -> None:
    method, path, body = request_
    problem = api.send(method, path, {**body, "secret@example.se": 1}).problem(422)
    assert "secret@example.se" not in json.dumps(problem)
    assert problem["pointer"] == "/?"


@pytest.mark.parametrize("request_", WITH_BODY, ids=name_of)
def test_other_content_types_are_refused(api: Api, request_: Request) -> None:
    method, path, body = request_
    for content_type in OTHER_TYPES:
        reply = api.call(method, path, json.dumps(body).encode(), Content_Type=content_type)
        assert reply.problem(415)["code"] == "unsupported_media_type", content_type
        assert "application/json" in reply.headers["Accept"]


@pytest.mark.parametrize("request_", WITH_BODY, ids=name_of)
def test_compressed_bodies_are_refused(api: Api, request_: Request) -> None:
    method, path, _ = request_
    reply = api.call(method, path, b"\x1f\x8b", Content_Type="application/json", Content_Encoding="gzip")
    assert reply.problem(415)["code"] == "unsupported_media_type"


def test_ndjson_is_for_bulk_calls_only(api: Api) -> None:
    assert api.post_lines("/choices", b"{}").problem(415)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("request_", WITH_BODY, ids=name_of)
def test_an_oversized_body_is_refused(api: Api, session: Session, request_: Request) -> None:
    before = rows_stored(session)
    method, path, _ = request_
    body = b'{"recipients": ["' + b"x" * (16 * 1024 * 1024) + b'"]}'
    assert api.call(method, path, body, Content_Type="application/json").problem(413)["code"] == "too_large"
    assert rows_stored(session) == before


def test_a_body_of_one_record_is_bounded_to_what_one_record_needs(api: Api) -> None:
    body = b'{"recipient": "' + b"x" * (64 * 1024) + b'"}'
    assert api.call("POST", "/choices", body, Content_Type="application/json").problem(413)["code"] == "too_large"


@pytest.mark.parametrize("request_", BULK, ids=name_of)
def test_a_line_without_end_is_refused(api: Api, request_: Request) -> None:
    method, path, _ = request_
    lines = b'{"purpose":"marketing"}\n"' + b"x" * 70_000
    assert api.call(method, path, lines, Content_Type="application/x-ndjson").problem(413)["code"] == "too_large"


def test_a_broken_line_is_named_by_its_number(api: Api, session: Session) -> None:
    before = rows_stored(session)
    lines = b'{"email": "bo@example.se"}\n\n{"email": "cia@example.se"\n'
    problem = api.put_lines("/recipients", lines).problem(400)
    assert problem["errors"][0]["row"] == 3
    assert rows_stored(session) == before


def test_a_wrong_field_is_named_by_line_and_pointer(api: Api, session: Session) -> None:
    before = rows_stored(session)
    lines = b'{"email": "bo@example.se"}\n\n{"email": "cia@example.se", "profile": {"shoe_size": 43}}\n{"email": 5}\n'
    problem = api.put_lines("/recipients", lines).problem(422)
    assert [(error["row"], error["pointer"]) for error in problem["errors"]] == [
        (3, "/profile/shoe_size"),
        (4, "/email"),
    ]
    assert rows_stored(session) == before


def test_a_wrong_field_in_json_is_named_by_row_and_pointer(api: Api) -> None:
    problem = api.put("/recipients", {"recipients": [{"email": "bo@example.se"}, {"mail": "x"}]}).problem(422)
    places = {(error["row"], error["pointer"]) for error in problem["errors"]}
    assert places == {(2, "/recipients/1/email"), (2, "/recipients/1/mail")}


def test_a_hundred_errors_are_enough(api: Api) -> None:
    problem = api.put("/recipients", {"recipients": [{"email": 1}] * 10_000}).problem(422)
    assert len(problem["errors"]) == 100


@pytest.mark.parametrize(("request_", "_scope"), EVERY_CALL, ids=name_of)
def test_parameters_in_the_query_string_are_errors(api: Api, request_: Request, _scope: Any) -> None:
    method, path, body = request_
    reply = api.send(method, f"{path}?purpose=marketing", body)
    assert reply.status_code in {400, 422}
    assert reply.mimetype == "application/problem+json"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "DELETE", "PUT"])
def test_other_methods_are_refused_and_the_right_ones_named(api: Api, method: str) -> None:
    reply = api.call(method, "/links")
    assert (reply.status_code, reply.mimetype) == (405, "application/problem+json")
    assert "POST" in reply.headers["Allow"]


@pytest.mark.parametrize(
    "path",
    ["/recipients/%00", "/recipients/%ff%fe", "/recipients/" + "x" * 3000, "/recipients/a/b", "/recipients/ÅÄÖ", "/"],
)
def test_hostile_paths_are_not_found(api: Api, path: str) -> None:
    assert api.get(path).problem(404)["code"] in {"not_found", "unknown_recipient"}


def test_head_is_get_without_a_body(api: Api) -> None:
    reply = api.call("HEAD", "/suppressions")
    assert (reply.status_code, reply.response.get_data()) == (200, b"")


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "chunked"}])
def test_a_chunked_body_that_goes_on_past_the_limit_is_refused_and_not_cut(
    api: Api, session: Session, headers: dict[str, str]
) -> None:
    """A body that does not say its length: cut at the limit it would end between two good lines."""
    before = rows_stored(session)
    line = b'{"email": "bo@example.se", "name": "' + b"x" * 2009 + b'"}\n'
    assert len(line) == 2048
    environ = {"wsgi.input": io.BytesIO(line * 8193), "wsgi.input_terminated": True}
    sent = {**headers, "Authorization": f"Bearer {api.key}", "Content-Type": "application/x-ndjson"}
    answer = api.client.put("/api/v1/recipients", headers=sent, environ_overrides=environ)
    assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")
    assert rows_stored(session) == before


def test_a_chunked_body_within_the_limit_is_read(api: Api) -> None:
    environ = {"wsgi.input": io.BytesIO(b'{"recipients": [{"email": "bo@example.se"}]}'), "wsgi.input_terminated": True}
    sent = {"Authorization": f"Bearer {api.key}", "Content-Type": "application/json"}
    assert api.client.put("/api/v1/recipients", headers=sent, environ_overrides=environ).status_code == 200
