"""`POST /links`: links that work, headers that are right, errors by row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.capability import Capability, LinkSigner
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.recipient_id import format_recipient_id, new_recipient_id
from preferences.domain.scopes import Scope
from preferences.models.message import MessageRow
from preferences.models.recipient import RecipientRow
from preferences.services.purposes.purposes import archive_purpose
from tests.factories import make_key, make_recipient, purpose
from tests.functional.api.support import Api
from tests.support.client import StrictClient


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session, Scope.LINKS), session)


def token_of(url: str, prefix: str) -> str:
    assert url.startswith(f"https://preferences.example/{prefix}/")
    return url.rpartition("/")[2]


def test_links_carry_recipient_purpose_and_message(api: Api, app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    news = purpose(session, "product_news")
    [row] = api.post(
        "/links", {"purpose": "product_news", "message": "may-2026", "recipients": ["Anna@Example.SE"]}
    ).json["results"]
    signer: LinkSigner = app.extensions["preferences.signer"]
    claims = signer.open(token_of(row["unsubscribe_url"], "u"), Capability.UNSUBSCRIBE)
    message = session.scalars(select(MessageRow)).one()
    assert (claims.recipient_id, claims.purpose_id, claims.reference) == (anna.id, news.id, message.id)
    assert signer.open(token_of(row["preferences_url"], "p"), Capability.PREFERENCES).recipient_id == anna.id
    assert row["id"] == format_recipient_id(anna.id)
    assert row["headers"] == {
        "List-Unsubscribe": f"<{row['unsubscribe_url']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": "<product_news.preferences.example>",
    }


def test_one_click_on_a_minted_link_stops_the_purpose(api: Api, client: StrictClient, session: Session) -> None:
    make_recipient(session)
    [row] = api.post("/links", {"purpose": "marketing", "recipients": ["anna@example.se"]}).json["results"]
    path = row["unsubscribe_url"].removeprefix("https://preferences.example")
    answer = client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200


def test_a_message_has_one_number_however_often_it_is_named(api: Api, session: Session) -> None:
    make_recipient(session)
    for _ in range(3):
        asked = {"purpose": "marketing", "message": "Maj – nyheter 🌷", "recipients": ["anna@example.se"]}
        assert api.post("/links", asked).status_code == 200
    assert session.scalar(select(func.count()).select_from(MessageRow)) == 1


def test_each_row_has_its_own_result_in_the_order_asked(api: Api, session: Session) -> None:
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    gone = make_recipient(session, "gone@example.se")
    erased: dict[Any, Any] = {
        "status": RecipientStatus.ERASED,
        "address": None,
        "address_index": None,
        "domain_index": None,
    }
    session.query(RecipientRow).filter_by(id=gone.id).update(erased)
    session.commit()
    asked = [
        format_recipient_id(bo.id).upper(),
        "nobody@example.se",
        format_recipient_id(gone.id),
        format_recipient_id(new_recipient_id()),
        "anna@example.se",
        "not an address",
        "a@b@c.se",
        "",
        "x" * 1000,
        "ÅSA@exämple.se",
        "anna@example.se",
    ]
    results = api.post("/links", {"purpose": "marketing", "recipients": asked}).json["results"]
    assert [row["recipient"] for row in results] == asked
    assert [row.get("error", {}).get("code", row.get("id")) for row in results] == [
        format_recipient_id(bo.id),
        "unknown_recipient",
        "erased",
        "unknown_recipient",
        format_recipient_id(anna.id),
        "invalid_address",
        "invalid_address",
        "invalid_address",
        "invalid_address",
        "unknown_recipient",
        format_recipient_id(anna.id),
    ]


def test_restricted_recipients_have_links_to_change_their_mind_with(api: Api, session: Session) -> None:
    make_recipient(session, status=RecipientStatus.RESTRICTED)
    [row] = api.post("/links", {"purpose": "marketing", "recipients": ["anna@example.se"]}).json["results"]
    assert "unsubscribe_url" in row


def test_lines_are_another_spelling_of_the_same_request(api: Api, session: Session) -> None:
    anna = make_recipient(session)
    lines = b'{"purpose": "marketing"}\n\n"anna@example.se"\r\n"nobody@example.se"'
    answer = api.post_lines("/links", lines, accept="application/x-ndjson")
    assert answer.mimetype == "application/x-ndjson"
    first, second = answer.lines
    assert first["id"] == format_recipient_id(anna.id)
    assert second["error"]["code"] == "unknown_recipient"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"purpose": "marketing"}, "/recipients"),
        ({"purpose": "marketing", "recipients": []}, "/recipients"),
        ({"purpose": "marketing", "recipients": "anna@example.se"}, "/recipients"),
        ({"purpose": "marketing", "recipients": [1]}, "/recipients/0"),
        ({"purpose": "marketing", "recipients": [None]}, "/recipients/0"),
        ({"purpose": "marketing", "recipients": ["a@b.se", ["c@d.se"]]}, "/recipients/1"),
        ({"purpose": "marketing", "recipients": ["x" * 1001]}, "/recipients/0"),
        ({"purpose": "Marketing!", "recipients": ["a@b.se"]}, "/purpose"),
        ({"purpose": 1, "recipients": ["a@b.se"]}, "/purpose"),
        ({"purpose": "nothing_such", "recipients": ["a@b.se"]}, "/purpose"),
        ({"purpose": "marketing", "recipients": ["a@b.se"], "message": ""}, "/message"),
        ({"purpose": "marketing", "recipients": ["a@b.se"], "message": "m" * 201}, "/message"),
        ({"purpose": "marketing", "recipients": ["a@b.se"], "campaign": "m"}, "/campaign"),
    ],
)
def test_unusable_requests_are_refused_with_a_pointer(api: Api, body: Any, pointer: str) -> None:
    problem = api.post("/links", body).problem(422)
    assert pointer in {problem.get("pointer"), *(error["pointer"] for error in problem.get("errors", []))}


def test_an_archived_purpose_gets_no_links(api: Api, session: Session) -> None:
    make_recipient(session)
    archive_purpose(session, "surveys", now=datetime.now(UTC))
    session.commit()
    assert (
        api.post("/links", {"purpose": "surveys", "recipients": ["anna@example.se"]}).problem(422)["pointer"]
        == "/purpose"
    )


def test_more_than_ten_thousand_recipients_are_refused(api: Api) -> None:
    problem = api.post("/links", {"purpose": "marketing", "recipients": ["a@b.se"] * 10_001}).problem(413)
    assert problem["code"] == "too_many_rows"
    lines = b'{"purpose": "marketing"}\n' + b'"a@b.se"\n' * 10_001
    assert api.post_lines("/links", lines).problem(413)["code"] == "too_many_rows"


def test_the_same_idempotency_key_gets_the_same_links(api: Api, session: Session) -> None:
    make_recipient(session)
    asked = {"purpose": "marketing", "recipients": ["anna@example.se"]}
    first = api.post("/links", asked, key="campaign-1")
    again = api.post("/links", asked, key="campaign-1")
    assert again.json == first.json
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (None, "true")


def test_a_mailto_is_added_where_a_gateway_reads_mail(api: Api, app: Flask, session: Session) -> None:
    """M5, M10: https first, then a mailto whose local part carries the token."""
    anna = make_recipient(session)
    before = app.extensions["preferences.settings"]
    app.extensions["preferences.settings"] = replace(before, unsubscribe_mail_domain="in.preferences.example")
    try:
        [row] = api.post("/links", {"purpose": "events", "recipients": ["anna@example.se"]}).json["results"]
    finally:
        app.extensions["preferences.settings"] = before
    web, mail = row["headers"]["List-Unsubscribe"].split(", ")
    assert web == f"<{row['unsubscribe_url']}>"
    token = mail.removeprefix("<mailto:unsubscribe+").removesuffix("@in.preferences.example>")
    signer: LinkSigner = app.extensions["preferences.signer"]
    assert signer.open_mail(token, Capability.UNSUBSCRIBE).recipient_id == anna.id
