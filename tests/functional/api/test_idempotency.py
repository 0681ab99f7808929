"""`Idempotency-Key`: the same call twice has one effect and one answer, also when both come at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.models.idempotency import IdempotencyRow
from preferences.models.ledger import LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.services.upkeep.idempotency import forget_answers
from tests.factories import make_key, make_recipient
from tests.functional.api.support import Api, Reply
from tests.support.client import StrictClient

CONSENT = {
    "recipient": "anna@example.se",
    "purpose": "marketing",
    "act": "given",
    "occurred_at": "2026-05-01T12:00:00Z",
    "evidence": {"source": "shop"},
}


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    make_recipient(session)
    return Api(client, make_key(session), session)


def test_a_repeat_gets_the_same_answer_and_has_no_effect(api: Api, session: Session) -> None:
    first, again = (api.post("/choices", CONSENT, key="one") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.response.get_data() == again.response.get_data()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert session.query(LedgerEntryRow).count() == 1


def test_a_repeat_of_lines_may_ask_for_json(api: Api) -> None:
    headers = {"Content_Type": "application/x-ndjson", "Idempotency_Key": "lines"}
    lines = b'{"email": "bo@example.se"}\n'
    first = api.call("PUT", "/recipients", lines, Accept="application/x-ndjson", **headers)
    again = api.call("PUT", "/recipients", lines, **headers)
    assert first.lines == again.json["results"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/choices", {**CONSENT, "act": "withdrawn"}),
        ("PUT", "/recipients", {"recipients": [{"email": "bo@example.se"}]}),
        ("POST", "/links", {"purpose": "marketing", "recipients": ["anna@example.se"]}),
        ("DELETE", "/recipients/0000000000001", None),
    ],
)
def test_the_same_key_with_another_request_is_an_error(
    api: Api, session: Session, method: str, path: str, body: Any
) -> None:
    assert api.post("/choices", CONSENT, key="one").status_code == 201
    reply = api.send(method, path, body, key="one")
    assert reply.problem(422)["code"] == "idempotency_key_reused"
    assert session.query(LedgerEntryRow).count() == 1
    assert session.query(RecipientRow).count() == 1


def test_keys_of_mailers_do_not_meet(api: Api, client: StrictClient, session: Session) -> None:
    other = Api(client, make_key(session, mailer="shop"))
    assert api.post("/choices", CONSENT, key="one").status_code == 201
    reply = other.post("/choices", {**CONSENT, "act": "withdrawn"}, key="one")
    assert reply.status_code == 201
    assert "Idempotency-Replayed" not in reply.headers


def test_a_call_that_failed_may_be_corrected_under_the_same_key(api: Api, session: Session) -> None:
    wrong = {**CONSENT, "recipient": "nobody@example.se"}
    assert api.post("/choices", wrong, key="one").status_code == 404
    assert session.query(IdempotencyRow).count() == 0
    assert api.post("/choices", CONSENT, key="one").status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 201, "a\tb"])
def test_an_unusable_key_is_refused(api: Api, session: Session, key: str) -> None:
    assert api.post("/choices", CONSENT, key=key).problem(400)["code"] == "malformed"
    assert session.query(LedgerEntryRow).count() == 0


def test_answers_are_forgotten_after_a_day(api: Api, session: Session) -> None:
    api.post("/choices", CONSENT, key="one")
    yesterday = datetime.now(UTC) - timedelta(hours=25)
    session.execute(update(IdempotencyRow).values(created_at=yesterday))
    session.commit()
    reply = api.post("/choices", {**CONSENT, "act": "withdrawn"}, key="one")
    assert (reply.status_code, reply.json["choice"]["act"]) == (201, "withdrawn")
    session.execute(update(IdempotencyRow).values(created_at=yesterday))
    assert forget_answers(session, now=datetime.now(UTC)) == 1
    assert session.query(IdempotencyRow).count() == 0


def test_reading_calls_are_always_answered_afresh(api: Api, session: Session) -> None:
    for _ in range(2):
        assert "Idempotency-Replayed" not in api.get("/suppressions", Idempotency_Key="one").headers
    assert session.query(IdempotencyRow).count() == 0


def test_kept_answers_are_encrypted(api: Api, session: Session) -> None:
    api.put("/recipients", {"recipients": [{"email": "bo@example.se"}]}, key="one")
    api.post("/links", {"purpose": "marketing", "recipients": ["anna@example.se"]}, key="two")
    for (answer,) in session.connection().exec_driver_sql("SELECT answer FROM idempotency_keys"):
        assert b"example" not in bytes(answer)


def test_duplicates_at_the_same_time_have_one_effect(app: Flask, api: Api, session: Session) -> None:
    """Eight at once: one claims the key, the others wait for its transaction and find the answer."""
    body = {"recipients": [{"email": f"person{number}@example.se"} for number in range(50)]}

    def send(_: int) -> Reply:
        with app.app_context():
            client = app.test_client(use_cookies=False)
            assert isinstance(client, StrictClient)
            return Api(client, api.key).put("/recipients", body, key="burst")

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(send, range(8)))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.response.get_data() for reply in replies}) == 1
    assert sum("Idempotency-Replayed" not in reply.headers for reply in replies) == 1
    assert session.query(RecipientRow).count() == 51


def test_links_asked_for_twice_at_the_same_time_are_the_same(app: Flask, api: Api) -> None:
    asked = {"purpose": "marketing", "message": "m", "recipients": ["anna@example.se"]}

    def send(_: int) -> bytes:
        with app.app_context():
            client = app.test_client(use_cookies=False)
            assert isinstance(client, StrictClient)
            return Api(client, api.key).post("/links", asked, key="burst").response.get_data()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(send, range(8)))) == 1
