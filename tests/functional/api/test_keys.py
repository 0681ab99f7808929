"""A call needs a key that exists, has not expired, was not revoked, and carries the scope."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.scopes import Scope
from preferences.models.mailer import ApiKeyRow, MailerRow
from preferences.services.webhooks.mailers import KEY_FORM, revoke_key, rotate_key
from tests.factories import make_key
from tests.functional.api.every_call import EVERY_CALL, Request, name_of
from tests.functional.api.support import Api
from tests.support.client import StrictClient

SOME_KEY = "pk_abcdefghij_" + "A" * 43


def prefix_of(key: str) -> str:
    match = KEY_FORM.fullmatch(key)
    assert match
    return match["prefix"]


@pytest.mark.parametrize(("request_", "scope"), EVERY_CALL, ids=name_of)
def test_every_call_refuses_without_a_key(client: StrictClient, request_: Request, scope: Scope) -> None:
    reply = Api(client, None).send(*request_)
    assert reply.problem(401)["code"] == "unauthenticated"
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("request_", "scope"), EVERY_CALL, ids=name_of)
def test_every_call_refuses_a_key_with_every_scope_but_its_own(
    client: StrictClient, session: Session, request_: Request, scope: Scope
) -> None:
    others = make_key(session, *(set(Scope) - {scope}))
    problem = Api(client, others).send(*request_).problem(403)
    assert problem["code"] == "missing_scope"
    assert scope in problem["detail"]
    assert Api(client, make_key(session, scope)).send(*request_).status_code in {200, 201, 404}


@pytest.mark.parametrize(("request_", "scope"), EVERY_CALL, ids=name_of)
def test_every_call_refuses_a_key_that_was_revoked(
    client: StrictClient, session: Session, request_: Request, scope: Scope
) -> None:
    key = make_key(session)
    revoke_key(session, prefix_of(key), now=datetime.now(UTC))
    session.commit()
    assert Api(client, key).send(*request_).problem(401)["code"] == "key_revoked"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        f"Basic {SOME_KEY}",
        SOME_KEY,
        f"Bearer {SOME_KEY} x",
        f"Bearer {SOME_KEY[:-1]}",
        f"Bearer {SOME_KEY}A",
        "Bearer pk_ÅÄÖ",
        "Bearer " + "x" * 7000,
        "Bearer pk_abcdefghij_" + "A" * 42 + "\u00c5",
        "Bearer ' OR 1=1 --",
    ],
)
def test_what_is_no_key_is_refused(client: StrictClient, header: str) -> None:
    answer = client.get("/api/v1/suppressions", headers={"Authorization": header})
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert answer.json is not None
    assert answer.json["code"] == "unauthenticated"


def test_unknown_prefix_and_wrong_secret_are_told_apart_by_nobody(client: StrictClient, session: Session) -> None:
    key = make_key(session)
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    told = [Api(client, one).get("/suppressions").problem(401) for one in (SOME_KEY, wrong)]
    assert told[0] == told[1]
    assert told[0]["code"] == "invalid_key"


def test_a_wrong_secret_does_not_learn_that_a_key_was_revoked(client: StrictClient, session: Session) -> None:
    key = make_key(session)
    revoke_key(session, prefix_of(key), now=datetime.now(UTC))
    session.commit()
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    assert Api(client, wrong).get("/suppressions").problem(401)["code"] == "invalid_key"


def test_a_key_stops_at_its_end(client: StrictClient, session: Session) -> None:
    key = make_key(session, expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert Api(client, key).get("/suppressions").status_code == 200
    session.execute(update(ApiKeyRow).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    session.commit()
    assert Api(client, key).get("/suppressions").problem(401)["code"] == "key_expired"


def test_rotation_lets_both_keys_work_until_the_old_one_ends(client: StrictClient, session: Session) -> None:
    old = make_key(session, Scope.SUPPRESSIONS_READ)
    now = datetime.now(UTC)
    new = rotate_key(session, prefix_of(old), now=now, overlap=timedelta(hours=1))
    session.commit()
    assert new.scopes == (Scope.SUPPRESSIONS_READ,)
    assert [Api(client, key).get("/suppressions").status_code for key in (old, new.text)] == [200, 200]
    session.execute(
        update(ApiKeyRow).where(ApiKeyRow.prefix == prefix_of(old)).values(expires_at=now - timedelta(seconds=1))
    )
    session.commit()
    assert [Api(client, key).get("/suppressions").status_code for key in (old, new.text)] == [401, 200]


def test_an_archived_mailers_keys_stop(client: StrictClient, session: Session) -> None:
    key = make_key(session)
    session.execute(update(MailerRow).values(archived_at=datetime.now(UTC)))
    session.commit()
    assert Api(client, key).get("/suppressions").problem(401)["code"] == "key_revoked"


def test_no_secret_is_stored(session: Session) -> None:
    key = make_key(session)
    row = session.query(ApiKeyRow).one()
    secret = key.rpartition("_")[2] if key.count("_") == 2 else key[len("pk_abcdefghij_") :]
    assert secret.encode() not in row.secret_hash
    assert len(row.secret_hash) == 32
    assert secret not in f"{row.prefix} {row.scopes}"


@pytest.fixture
def three_calls_a_minute(app: Flask) -> Iterator[None]:
    """The service as an operator would set it up who sets PREFERENCES_API_CALLS_PER_MINUTE=3."""
    before = app.extensions["preferences.settings"]
    app.extensions["preferences.settings"] = replace(before, api_calls_per_minute=3)
    yield
    app.extensions["preferences.settings"] = before


@pytest.mark.usefixtures("three_calls_a_minute")
def test_too_many_calls_of_one_key_are_told_when_to_come_back(client: StrictClient, session: Session) -> None:
    busy, other = Api(client, make_key(session)), Api(client, make_key(session))
    assert [busy.get("/suppressions").status_code for _ in range(3)] == [200, 200, 200]
    reply = busy.get("/suppressions")
    assert reply.problem(429)["code"] == "too_many_requests"
    assert 1 <= int(reply.headers["Retry-After"]) <= 61
    assert other.get("/suppressions").status_code == 200
