"""The Python client against the service itself."""

from __future__ import annotations

import ast
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

import preferences_client
from preferences.domain.acts import Act
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.scopes import Scope
from preferences_client import ApiError, Client
from tests.factories import act, make_key, make_recipient, make_recipients
from tests.support.raw_mail import raw_mail


@pytest.fixture
def client(base_url: str, session: Session) -> Client:
    return Client(base_url, make_key(session), attempts=1)


def test_recipients_are_put_and_links_minted_in_order(client: Client) -> None:
    put = client.put_recipients([{"email": "anna@example.se"}, {"email": "no address"}])
    assert [(one["row"], one["outcome"]) for one in put] == [(1, "new"), (2, "invalid")]
    links = client.mint_links("marketing", ["anna@example.se", "nobody@example.se"], message="may")
    assert set(links[0]["headers"]) == {"List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"}
    assert links[0]["unsubscribe_url"] in links[0]["headers"]["List-Unsubscribe"]
    assert links[1]["error"]["code"] == "unknown_recipient"


def test_batches_are_made_for_the_caller(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preferences_client, "MOST_LINKS", 2)
    monkeypatch.setattr(preferences_client, "MOST_ELIGIBILITY", 2)
    addresses = [f"person.{number}@example.se" for number in range(5)]
    put = client.put_recipients([{"email": address} for address in addresses])
    assert [one["row"] for one in put] == [1, 2, 3, 4, 5]
    assert [one["recipient"] for one in client.mint_links("events", addresses)] == addresses
    assert [one["recipient"] for one in client.eligibility("events", iter(addresses))] == addresses


def test_eligibility_answers_and_keeps_only_the_allowed(client: Client, session: Session) -> None:
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    act(session, anna, "marketing")
    act(session, bo, "marketing", Act.WITHDRAWN)
    asked = ["bo@example.se", "anna@example.se", format_recipient_id(anna.id), "åsa@exämple.se"]
    assert [one["reason"] for one in client.eligibility("marketing", asked)] == [
        "withdrawn",
        "allowed",
        "allowed",
        "unknown_recipient",
    ]
    assert list(client.allowed("marketing", asked)) == asked[1:3]
    assert list(client.eligibility("marketing", [])) == []


def test_a_choice_is_recorded_and_a_held_one_is_told(client: Client, session: Session) -> None:
    anna = make_recipient(session)
    now = datetime.now(UTC).isoformat()
    stopped = client.record_choice("anna@example.se", "marketing", "withdrawn", now)
    assert (stopped["id"], stopped["outcome"]) == (format_recipient_id(anna.id), "recorded")
    with pytest.raises(ApiError) as refused:
        client.record_choice("anna@example.se", "marketing", "given", now, evidence={"source": "shop"})
    assert (refused.value.status, refused.value.code) == (409, "held")
    assert refused.value.reason is not None


def test_the_feed_is_followed_and_acknowledged_page_by_page(client: Client, session: Session) -> None:
    recipient = make_recipient(session)
    for one in (Act.GIVEN, Act.WITHDRAWN):
        act(session, recipient, "marketing", one)
    pages = client.follow(wait=0)
    first = next(pages)
    assert [one["data"]["act"] for one in first.changes] == ["given", "withdrawn"]
    assert client.position()["cursor"] is None, "not applied yet, as far as the service knows"
    act(session, recipient, "events", Act.OBJECTED)
    second = next(pages)
    assert client.position()["cursor"] == first.cursor
    assert [one["data"]["purpose"] for one in second.changes] == ["events"]
    assert [one.cursor for one in [next(client.follow(wait=0))]] == [second.cursor], (
        "what was not acknowledged comes again"
    )
    assert client.changes(second.cursor, types=["recipient.stopped"]).changes == []


def test_suppressions_and_the_header_doctor_are_reached(client: Client) -> None:
    assert list(client.suppressions()) == []
    assert client.check_headers(raw_mail())["sound"] is True


def test_a_refusal_says_why_and_holds_no_key(base_url: str, session: Session) -> None:
    key = make_key(session, Scope.LINKS)
    limited = Client(base_url, key, attempts=1)
    with pytest.raises(ApiError) as refused:
        list(limited.eligibility("marketing", ["anna@example.se"]))
    assert (refused.value.status, refused.value.code) == (403, "missing_scope")
    with pytest.raises(ApiError) as wrong:
        limited.mint_links("no purpose", ["anna@example.se"])
    assert wrong.value.errors[0]["pointer"] == "/purpose"
    assert key not in f"{limited!r} {refused.value!r} {wrong.value!r} {vars(wrong.value)}"


def test_many_recipients_are_streamed(client: Client, session: Session) -> None:
    ids = [format_recipient_id(one) for one in make_recipients(session, 1200)]
    assert sum(one["allowed"] for one in client.eligibility("events", ids)) == 1200


def test_it_is_one_file_of_the_standard_library_for_python_39(root: Path) -> None:
    folder = root / "clients" / "python"
    assert [path.name for path in folder.glob("*.py")] == ["preferences_client.py"]
    tree = ast.parse((folder / "preferences_client.py").read_text(), feature_version=(3, 9))
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {alias.name for node in named if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in named if isinstance(node, ast.ImportFrom)}
    assert {module.split(".")[0] for module in modules} <= sys.stdlib_module_names
    assert not any(isinstance(node, ast.Match) for node in ast.walk(tree))
    assert json.dumps(preferences_client.__version__)
