"""A mailer replaces its own key without a gap, and every answer says what is left of the key's minute."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.scopes import Scope
from preferences.queries.mailers.mailers import keys_of
from tests.factories import make_key
from tests.functional.api.support import Api
from tests.support.client import StrictClient


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session, Scope.SUPPRESSIONS_READ), session)


def rotate(api: Api, body: Any, key: str | None = None) -> Any:
    return api.post("/keys/rotate", body, key=key)


def test_both_keys_work_until_the_old_one_ends(api: Api, client: StrictClient) -> None:
    answer = rotate(api, {"hours": 2})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    new = answer.json
    ends = datetime.fromisoformat(new["old_key_works_until"]) - datetime.now(UTC)
    assert timedelta(hours=1, minutes=59) < ends < timedelta(hours=2, minutes=1)
    assert (new["scopes"], new["expires_at"]) == (["suppressions:read"], None)
    assert api.get("/suppressions").status_code == 200
    assert Api(client, new["key"]).get("/suppressions").status_code == 200
    assert Api(client, new["key"]).get("/changes").problem(403)


def test_zero_hours_end_the_old_key_at_once(api: Api, client: StrictClient) -> None:
    new = rotate(api, {"hours": 0}).json["key"]
    assert api.get("/suppressions").problem(401)["code"] == "key_expired"
    assert Api(client, new).get("/suppressions").status_code == 200


def test_a_key_given_for_a_while_cannot_prolong_itself(client: StrictClient, session: Session) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    short = Api(client, make_key(session, Scope.LINKS, expires_at=ends), session)
    first = rotate(short, {}).json
    assert datetime.fromisoformat(first["expires_at"]) == ends
    assert datetime.fromisoformat(first["old_key_works_until"]) == ends
    assert datetime.fromisoformat(rotate(Api(client, first["key"]), {}).json["expires_at"]) == ends


def test_a_lost_answer_is_given_again_to_the_same_idempotency_key(api: Api, session: Session) -> None:
    first, again = rotate(api, {}, key="r1"), rotate(api, {}, key="r1")
    assert first.json == again.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(keys_of(session, "newsletter")) == 2


@pytest.mark.parametrize("body", [{"hours": -1}, {"hours": 8761}, {"hours": "1"}, {"hours": True}, {"key": "x"}, []])
def test_hostile_rotations_change_nothing(api: Api, session: Session, body: Any) -> None:
    assert rotate(api, body).problem(422)
    assert len(keys_of(session, "newsletter")) == 1


def test_every_answer_to_a_key_tells_what_is_left(api: Api, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    few = replace(app.extensions["preferences.settings"], api_calls_per_minute=4)
    monkeypatch.setitem(app.extensions, "preferences.settings", few)
    answers = [api.get(path) for path in ("/suppressions", "/changes", "/suppressions?x=1", "/suppressions")]
    assert [answer.status_code for answer in answers] == [200, 403, 422, 200]
    left = []
    for answer in answers:
        assert answer.headers["RateLimit-Policy"] == '"minute";q=4;w=60'
        found = re.fullmatch(r'"minute";r=(\d+);t=(\d+)', answer.headers["RateLimit"])
        assert found
        assert 1 <= int(found[2]) <= 61
        left.append(int(found[1]))
    assert left == [3, 2, 1, 0]
    refused = api.get("/suppressions")
    assert refused.problem(429)
    assert refused.headers["RateLimit"].startswith('"minute";r=0;t=')
    assert 1 <= int(refused.headers["Retry-After"]) <= 61


def test_who_has_no_key_is_told_no_limits(client: StrictClient) -> None:
    assert "RateLimit" not in Api(client, None).get("/suppressions").headers
