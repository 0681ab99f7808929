"""`/`: the same answer and the same work for everybody, and limits in the service (T27)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from preferences.domain.address import parse_address
from preferences.domain.eligibility import RecipientStatus
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.recipients.link_requests import LinkRequest, request_link
from tests.factories import make_recipient
from tests.support.client import StrictClient
from tests.support.page import Page, follow, get
from tests.support.visits import count_jobs, mails

SV = {"Accept-Language": "sv"}


@pytest.fixture
def anna(session: Session) -> RecipientView:
    return make_recipient(session, "anna@example.se")


def send(client: StrictClient, address: str) -> Page:
    return follow(client, client.post("/", data={"address": address}))


@pytest.mark.parametrize("address", ["anna@example.se", " ANNA@Example.SE ", "anna@EXAMPLE.se"])
def test_link_is_mailed_to_the_address_on_file(
    client: StrictClient, session: Session, anna: RecipientView, address: str
) -> None:
    send(client, address)
    (mail,) = mails(session)
    assert (mail.recipient_id, mail.payload["template"]) == (anna.id, "fresh_link")


def test_answer_is_the_same_for_known_unknown_erased_and_blocked(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    blocked = make_recipient(session, "blocked@example.se")
    session.execute(update(RecipientRow).where(RecipientRow.id == blocked.id).values(status=RecipientStatus.RESTRICTED))
    session.commit()
    answers = {send(client, address).html for address in ("anna@example.se", "nobody@example.se", "blocked@example.se")}
    assert len(answers) == 1
    assert len(mails(session)) == 1


def test_work_is_the_same_for_known_and_unknown(client: StrictClient, app: Flask, anna: RecipientView) -> None:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine = app.extensions["sqlalchemy"].engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        runs = []
        for address in ("anna@example.se", "nobody@example.se"):
            client.post("/", data={"address": address})
            runs.append([one for one in statements if "job" in one or "recipients" in one])
            statements.clear()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(runs[0]) == 3
    assert runs[0] == runs[1]


def test_unknown_address_is_not_kept(client: StrictClient, session: Session) -> None:
    send(client, "nobody@example.se")
    assert mails(session) == []
    assert count_jobs(session) == 1


def test_one_address_gets_few_mails_however_many_ask(session: Session, anna: RecipientView) -> None:
    start = datetime.now(UTC)
    address = parse_address("anna@example.se")

    def ask(after: timedelta) -> LinkRequest:
        found = request_link(session, address, locale="sv", now=start + after)
        session.commit()
        return found

    assert [ask(timedelta(minutes=number)) for number in range(5)] == [*[LinkRequest.MAILED] * 4, LinkRequest.LIMITED]
    for hour in (2, 4):
        outcomes = [ask(timedelta(hours=hour, minutes=number)) for number in range(5)]
        assert outcomes.count(LinkRequest.MAILED) == 4
    assert ask(timedelta(hours=8)) is LinkRequest.LIMITED
    assert ask(timedelta(hours=25)) is LinkRequest.MAILED


def test_one_client_may_ask_ten_times_a_minute(client: StrictClient, session: Session) -> None:
    statuses = [client.post("/", data={"address": f"guess{number}@example.se"}).status_code for number in range(12)]
    assert statuses == [303] * 10 + [429] * 2
    refused = client.post("/", data={"address": "anna@example.se"}, headers=SV)
    assert "För många försök" in Page(refused).text
    assert int(refused.headers["Retry-After"]) > 0
    assert client.get("/").status_code == 200


def test_limit_ends(client: StrictClient) -> None:
    now = datetime.now(UTC)
    for _ in range(11):
        client.post("/", data={"address": "guess@example.se"})
    with time_machine.travel(now + timedelta(minutes=2)):
        assert client.post("/", data={"address": "guess@example.se"}).status_code == 303


@pytest.mark.parametrize(
    "address",
    [
        "",
        " ",
        "anna",
        "@example.se",
        "anna@",
        "anna@localhost",
        "a" * 300 + "@example.se",
        "anna@example.se\r\nBcc: x@example.com",
        "anna@example.se\x00",
        '<script>alert("x")</script>',
        "x@" + "é" * 300 + ".se",
        "' OR 1=1 --",
    ],
)
def test_what_is_no_address_is_told_at_the_field(client: StrictClient, session: Session, address: str) -> None:
    response = client.post("/", data={"address": address}, headers=SV)
    page = Page(response)
    assert response.status_code == 422
    assert page.title.startswith("Fel: ")
    assert [one.get("href") for one in page.find("div", role="alert").iter("a")] == ["#field-address"]
    assert page.find("input", id="field-address").get("aria-invalid") == "true"
    assert page.all("script") == []
    assert count_jobs(session) == 0


def test_missing_and_repeated_fields(client: StrictClient, session: Session, anna: RecipientView) -> None:
    assert client.post("/").status_code == 422
    assert client.post("/", data={"address": ["", "anna@example.se"]}).status_code == 422
    assert client.post("/", json={"address": "anna@example.se"}).status_code == 422
    assert (
        client.post(
            "/", data=b"address=" + b"a" * 100_000, content_type="application/x-www-form-urlencoded"
        ).status_code
        == 413
    )
    assert count_jobs(session) == 0


def test_language_goes_along(client: StrictClient, session: Session, anna: RecipientView) -> None:
    page = get(client, "/?lang=en", **SV)
    assert page.language == "en"
    told = follow(client, page.forms()[0].submit(client, {"address": "anna@example.se"}))
    assert told.language == "en"
    assert mails(session)[0].payload["locale"] == "en"
