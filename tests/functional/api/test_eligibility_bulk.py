"""`POST /eligibility` in bulk: lines in and out, chunk by chunk; and what cannot be asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.recipient_id import format_recipient_id
from preferences.models.crypto import keyring
from preferences.models.recipient import RecipientRow
from preferences.services.eligibility import eligibility
from tests.factories import act, make_key, make_recipient
from tests.functional.api.support import Api
from tests.support.client import StrictClient


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session), session)


def ask(api: Api, *recipients: str, purpose: str = "marketing", **more: Any) -> Any:
    return api.post("/eligibility", {"purpose": purpose, "recipients": list(recipients), **more}).json


def test_lines_in_and_lines_out_say_the_same_as_one_document(api: Api, session: Session) -> None:
    act(session, make_recipient(session), "product_news", Act.GIVEN)
    lines = b'{"purpose":"marketing","topic":"product_news"}\n"anna@example.se"\n\n"bo@example.se"\n"not an address"'
    head, *rows, tail = api.post_lines("/eligibility", lines, accept="application/x-ndjson").lines
    whole = ask(api, "anna@example.se", "bo@example.se", "not an address", topic="product_news")
    assert head.keys() == {"decision_id", "purpose", "topic", "at", "asked_at"}
    assert [{**row, "valid_until": None} for row in rows] == [{**row, "valid_until": None} for row in whole["results"]]
    assert tail == {name: whole[name] for name in ("count", "counts", "reasons")}


def test_more_than_one_chunk_keeps_the_order_asked(
    api: Api, session: Session, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    """Two of them at a time, each on a connection of its own."""
    monkeypatch.setattr(eligibility, "CHUNK", 7)
    assert eligibility.sessions_worth_having(60) == 2
    rows = [
        {"id": number, "address_index": keyring().address_index(_address(number)), "source": "test"}
        | {"created_at": now, "updated_at": now}
        for number in range(1, 41)
    ]
    session.execute(insert(RecipientRow.__table__), rows)  # type: ignore[arg-type]
    session.commit()
    asked = [_address(number) if number % 3 else format_recipient_id(number) for number in range(60, 0, -1)]
    answer = ask(api, *asked, purpose="events")
    assert [row["recipient"] for row in answer["results"]] == asked
    assert [row["allowed"] for row in answer["results"]] == [number <= 40 for number in range(60, 0, -1)]
    assert answer["counts"] == {"allowed": 40, "unknown_recipient": 20}


def _address(number: int) -> Any:
    return f"person.{number}@example.se"


# What cannot be asked


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"purpose": "no_such"}, "/purpose"),
        ({"purpose": "everything"}, "/purpose"),
        ({"topic": "no_such"}, "/topic"),
        ({"purpose": "events", "topic": "product_news"}, "/topic"),
        ({"at": "2026-01-01T00:00:00Z"}, "/at"),
        ({"at": "2999-01-01T00:00:00Z"}, "/at"),
        ({"at": "2026-05-01T12:00:00"}, "/at"),
        ({"at": "tomorrow"}, "/at"),
        ({"recipients": []}, "/recipients"),
        ({"recipients": ["anna@example.se", 7]}, "/recipients/1"),
        ({"recipients": ["x" * 1001]}, "/recipients/0"),
        ({"recipients": "anna@example.se"}, "/recipients"),
        ({"training": 1}, "/training"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused_by_its_pointer(api: Api, wrong: dict[str, Any], pointer: str) -> None:
    body = {"purpose": "marketing", "recipients": ["anna@example.se"], **wrong}
    assert api.post("/eligibility", body).problem(422)["pointer"] == pointer


def test_more_than_a_hundred_thousand_are_refused(api: Api) -> None:
    body = {"purpose": "marketing", "recipients": ["a@b.se"] * 100_001}
    assert api.post("/eligibility", body).problem(413)["code"] == "too_many_rows"


def test_answer_that_nobody_reads_to_its_end_lets_go_of_its_connections(
    api: Api, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eligibility, "CHUNK", 1000)
    pool = app.extensions["sqlalchemy"].engine.pool
    before = pool.checkedout()
    body = {"purpose": "events", "recipients": ["anna@example.se"] * 20_000}
    reply = api.post("/eligibility", body, Accept="application/x-ndjson")
    chunks = reply.response.iter_encoded()
    assert next(chunks)
    assert pool.checkedout() == before + 2
    reply.response.close()
    assert pool.checkedout() == before
