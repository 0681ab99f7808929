"""Trainings, the list for the photographer and the check before publishing, as a mailer's key reads them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.scopes import Scope
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import act, make_key, make_recipient
from tests.functional.api.support import Api
from tests.support.client import StrictClient
from tests.support.trainings import make_training


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session, Scope.PHOTOS_READ), session)


def test_trainings_are_listed_newest_first(api: Api, session: Session) -> None:
    first = make_training(session, make_recipient(session), days=3)
    last = make_training(session, title="Ljus & ljud", place="Åre", days=9)
    found = api.get("/trainings").json
    assert [(one["id"], one["title"], one["participants"]) for one in found["trainings"]] == [
        (last, "Ljus & ljud", 0),
        (first, "Säkerhet i vardagen", 1),
    ]
    assert api.get("/trainings", Accept="application/x-ndjson").lines[-1] == {"count": 2}


def test_the_list_names_people_and_what_may_be_shown_of_them(api: Api, session: Session, now: datetime) -> None:
    anna = make_recipient(session, name="Anna Öberg", profile={"company_name": "Rör AB"})
    bo = make_recipient(session, "bo@example.se", name="Bo Ek")
    gone = make_recipient(session, "gone@example.se", name="Cia")
    number = make_training(session, anna, bo, gone)
    act(session, anna, "photo_image", Act.OBJECTED, occurred_at=now - timedelta(days=1), training_id=number)
    erase_recipient(session, gone.id, source="test", now=now)
    session.commit()
    found = api.get(f"/trainings/{number}/photo-list").json
    people = {one["id"]: one for one in found["people"]}
    assert (found["training"], found["count"]) == (number, 2)
    mine = people[format_recipient_id(anna.id)]
    assert (mine["name"], mine["company"]) == ("Anna Öberg", "Rör AB")
    assert {what: mine["may"][what]["allowed"] for what in mine["may"]} == {
        "name": True,
        "image": False,
        "marketing": False,
    }
    assert mine["may"]["image"]["reason"] == "objected"
    assert mine["may"]["image"]["since"] == (now - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert people.keys() == {format_recipient_id(anna.id), format_recipient_id(bo.id)}, "an erased person is on no list"
    assert "@" not in json.dumps(found)


def test_a_no_for_one_training_holds_for_that_one(api: Api, session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    number = make_training(session, anna)
    act(session, anna, "photo_name", Act.OBJECTED, training_id=number)
    asked = {"recipients": ["Anna@example.se", format_recipient_id(anna.id), "nobody@example.se"]}
    in_general, there = (api.post("/photo-check", body).json for body in (asked, asked | {"training": number}))
    assert [one["may"]["name"]["allowed"] for one in in_general["results"]] == [True, True, False]
    assert [one["may"]["name"]["allowed"] for one in there["results"]] == [False, False, False]
    assert [one["recipient"] for one in there["results"]] == asked["recipients"]
    assert (there["training"], there["count"]) == (number, 3)


def test_people_are_asked_about_line_by_line(api: Api, session: Session) -> None:
    make_recipient(session)
    lines = b'{}\n"anna@example.se"\n"nobody@example.se"\n'
    answer = api.post_lines("/photo-check", lines, accept="application/x-ndjson").lines
    assert [line.get("recipient") for line in answer] == [None, "anna@example.se", "nobody@example.se", None]
    assert answer[-1] == {"count": 2}


@pytest.mark.parametrize("number", [0, -1, 99, 2**63, "9" * 300, "x", "1e1"])
def test_a_training_that_is_not_there_is_not_found(api: Api, session: Session, number: Any) -> None:
    assert api.get(f"/trainings/{number}/photo-list").problem(404)["code"] == "unknown_training"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"recipients": []}, 422),
        ({"recipients": [1]}, 422),
        ({"recipients": ["a@example.se"], "training": "1"}, 422),
        ({"recipients": ["a@example.se"], "training": 0}, 422),
        ({"recipients": ["a@example.se"], "training": 2**63}, 422),
        ({"recipients": ["a@example.se"], "training": True}, 422),
        ({"recipients": ["a@example.se"], "at": "2099-01-01T00:00:00Z"}, 422),
        ({"recipients": ["a@example.se"], "purpose": "photos"}, 422),
        ({"recipients": ["a@example.se"], "training": 12345}, 404),
        ({"recipients": ["a"] * 10_001}, 413),
    ],
)
def test_hostile_checks_are_refused(api: Api, body: Any, status: int) -> None:
    assert api.post("/photo-check", body).problem(status)
