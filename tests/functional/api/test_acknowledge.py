"""A mailer says how far it is: never backwards, never beyond the feed, and everybody can see who is behind."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.address import parse_address
from preferences.domain.feed import FeedPosition, format_cursor
from preferences.domain.scopes import Scope
from preferences.models.mailer import AcknowledgementRow
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.queries.mailers.reconciliation import mailers_behind, newest_opt_out_told
from preferences.queries.recipients.recipients import recipient_by_address
from tests.factories import act, make_key, make_recipient
from tests.functional.api.support import Api
from tests.support.client import StrictClient
from tests.support.step_up import step_up


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session, Scope.CHANGES_READ), session)


@pytest.fixture
def shop(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session, Scope.CHANGES_READ, mailer="shop"), session)


def read(api: Api, count: int = 1000) -> str:
    return str(api.get(f"/changes?limit={count}").json["cursor"])


def told(api: Api, cursor: Any) -> Any:
    return api.post("/changes/acknowledge", {"cursor": cursor}).json


def test_acknowledging_moves_the_mailer_and_nobody_else(api: Api, shop: Api, session: Session) -> None:
    anna = make_recipient(session)
    for _ in range(3):
        act(session, anna, "marketing", Act.WITHDRAWN, occurred_at=datetime.now(UTC))
    first, last = read(api, 1), read(api)
    assert api.get("/changes/position").json == {
        "cursor": None,
        "acknowledged_at": None,
        "newest": last,
        "behind": 3,
        "oldest_opt_out_at": api.get("/changes").json["changes"][0]["recorded_at"],
    }
    assert (told(api, first)["cursor"], told(api, first)["behind"]) == (first, 2)
    done = told(api, last)
    assert (done["cursor"], done["behind"], done["oldest_opt_out_at"]) == (last, 0, None)
    assert shop.get("/changes/position").json["behind"] == 3


def test_it_never_moves_back(api: Api, session: Session) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing")
    old = read(api)
    act(session, anna, "events", Act.OBJECTED)
    new = read(api)
    at = told(api, new)["acknowledged_at"]
    assert (told(api, old)["cursor"], told(api, old)["acknowledged_at"]) == (new, at)
    assert (told(api, new)["cursor"], told(api, new)["acknowledged_at"]) == (new, at)
    assert session.scalar(select(func.count()).select_from(AcknowledgementRow)) == 1


@pytest.mark.parametrize(
    "cursor", [None, 1, "", "x", "A" * 26, format_cursor(FeedPosition(2**60, 1)), "å" * 26, ["A"], "A" * 60_000]
)
def test_only_a_cursor_of_this_feed_is_taken(api: Api, session: Session, cursor: Any) -> None:
    problem = api.post("/changes/acknowledge", {"cursor": cursor}).problem(422)
    assert problem["pointer"] == "/cursor"
    assert session.scalar(select(func.count()).select_from(AcknowledgementRow)) == 0


def test_unknown_fields_and_missing_ones_are_refused(api: Api) -> None:
    assert api.post("/changes/acknowledge", {}).problem(422)
    assert api.post("/changes/acknowledge", {"cursor": read(api), "all": True}).problem(422)


def test_the_start_of_an_empty_feed_can_be_acknowledged(api: Api) -> None:
    assert told(api, read(api))["behind"] == 0


def test_those_behind_are_listed_with_the_oldest_opt_out(api: Api, shop: Api, session: Session) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing")
    told(api, read(api))
    act(session, anna, "service_news")
    act(session, anna, "marketing", Act.WITHDRAWN, occurred_at=datetime.now(UTC) + timedelta(seconds=1))
    session.rollback()
    found = {one.mailer.key: one for one in mailers_behind(session)}
    assert (found["newsletter"].changes, found["shop"].changes) == (2, 3)
    assert found["shop"].acknowledged.at is None
    assert found["newsletter"].oldest_opt_out_at is not None
    told(api, read(api))
    session.rollback()
    found = {one.mailer.key: one for one in mailers_behind(session)}
    assert (found["newsletter"].changes, found["newsletter"].oldest_opt_out_at) == (0, None)


def test_it_is_known_when_each_mailer_was_told_of_an_opt_out(api: Api, shop: Api, session: Session) -> None:
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    assert newest_opt_out_told(session, anna.id) is None
    act(session, anna, "marketing", Act.WITHDRAWN)
    told(api, read(api))
    first = confirmed(session, anna.id)
    act(session, bo, "marketing", Act.WITHDRAWN)
    told(api, read(api))
    assert confirmed(session, anna.id) == first, "a later acknowledgement does not change when it was"
    assert first["newsletter"] is not None
    assert first["shop"] is None
    assert confirmed(session, bo.id)["newsletter"] is not None
    act(session, anna, "events", Act.OBJECTED)
    assert confirmed(session, anna.id) == {"newsletter": None, "shop": None}


def test_the_person_sees_which_mailers_have_confirmed(api: Api, shop: Api, app: Flask, session: Session) -> None:
    anna = make_recipient(session, locale="en")
    me = step_up(app, anna)
    assert "Your latest no" not in me.client.get("/me/senders?lang=en").text
    act(session, anna, "marketing", Act.WITHDRAWN)
    told(api, read(api))
    page = me.client.get("/me/senders?lang=en").text
    assert "News and offers" in page.partition("Your latest no")[2].partition("<ul>")[0]
    assert "Newsletter has confirmed it," in page
    assert "Shop has not confirmed it yet" in page
    assert "Shop har inte bekräftat det än" in me.client.get("/me/senders?lang=sv").text


def test_the_command_says_who_is_behind(api: Api, shop: Api, app: Flask, session: Session) -> None:
    run = app.test_cli_runner().invoke
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.WITHDRAWN)
    told(api, read(api))
    lines = run(args=["mailers", "behind"]).stdout.splitlines()
    assert [line.split(",")[0] for line in lines] == ["newsletter  up to date", "shop  1 change behind"]
    assert lines[1].endswith("the oldest opt-out has waited 0 min")
    found = json.loads(run(args=["mailers", "behind", "--json"]).stdout)
    assert [(one["mailer"], one["behind"], one["acknowledged_at"] is None) for one in found] == [
        ("newsletter", 0, False),
        ("shop", 1, True),
    ]
    assert found[0]["oldest_opt_out_seconds"] is None
    assert 0 <= found[1]["oldest_opt_out_seconds"] < 60


def test_the_command_says_which_mailers_know_of_a_person(api: Api, shop: Api, app: Flask, session: Session) -> None:
    run = app.test_cli_runner().invoke
    make_recipient(session)
    assert json.loads(run(args=["mailers", "told", "anna@example.se", "--json"]).stdout) is None
    assert "nothing less" in run(args=["mailers", "told", "anna@example.se"]).stdout
    anna = recipient_by_address(session, parse_address("anna@example.se"))
    assert anna is not None
    session.rollback()
    act(session, anna, "marketing", Act.WITHDRAWN)
    told(api, read(api))
    found = json.loads(run(args=["mailers", "told", "Anna@example.se", "--json"]).stdout)
    assert found["type"] == "choice.changed"
    assert [(one["mailer"], one["confirmed_at"] is None) for one in found["mailers"]] == [
        ("newsletter", False),
        ("shop", True),
    ]
    lines = run(args=["mailers", "told", "anna@example.se"]).stdout.splitlines()
    assert lines[1].startswith("  newsletter  confirmed 2")
    assert lines[2] == "  shop  not confirmed"
    for nobody in ("nobody@example.se", "not an address", "0000000000001"):
        assert run(args=["mailers", "told", nobody]).exit_code == 1


def confirmed(session: Session, recipient_id: Any) -> dict[str, datetime | None]:
    session.rollback()
    found = newest_opt_out_told(session, recipient_id)
    assert found is not None
    assert mailer_by_key(session, "newsletter") is not None
    session.rollback()
    return {one.mailer.key: one.confirmed_at for one in found.confirmations}
