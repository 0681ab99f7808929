"""No address, key or token is told where it was not asked for: not in errors, not in logs (L14)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from preferences.domain.scopes import Scope
from tests.factories import make_key, make_recipient
from tests.functional.api.every_call import EVERY_CALL, Request, name_of
from tests.functional.api.support import Api
from tests.support.client import StrictClient

SECRET = "secret.person@example.se"

TABLES = ("suppressions", "recipients", "change_events", "import_batches", "endpoints", "trainings")


def poisoned(value: Any) -> Any:
    """The same request about another address."""
    return json.loads(json.dumps(value).replace("anna@example.se", SECRET))


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session), session)


NEEDS_THE_DATABASE = [one for one in EVERY_CALL if one[1] is not Scope.HEADER_CHECK]


@pytest.mark.parametrize(("request_", "_scope"), NEEDS_THE_DATABASE, ids=name_of)
def test_a_database_that_fails_is_503_and_says_nothing(
    api: Api, session: Session, request_: Request, _scope: Scope
) -> None:
    method, path, body = request_
    for table in TABLES:
        session.execute(text(f"ALTER TABLE {table} RENAME TO {table}_gone"))
    session.commit()
    try:
        with capture_logs() as logged:
            reply = api.send(method, path, poisoned(body), key="a-key-1")
    finally:
        session.rollback()
        for table in TABLES:
            session.execute(text(f"ALTER TABLE {table}_gone RENAME TO {table}"))
        session.commit()
    assert reply.problem(503)["code"] == "unavailable"
    assert reply.headers["Retry-After"]
    assert [entry["event"] for entry in logged] == ["database_unavailable"]
    told = reply.response.get_data(as_text=True) + repr(logged)
    for secret in (SECRET, "secret.person", api.key or "", (api.key or "")[-43:]):
        assert secret not in told


def test_errors_do_not_repeat_addresses(api: Api) -> None:
    bad: list[tuple[str, str, Any]] = [
        ("PUT", "/recipients", {"recipients": [{"email": SECRET, "name": SECRET, "locale": 5}]}),
        ("PUT", "/recipients", {"recipients": [{"email": SECRET, "evidence": {"act": SECRET}}]}),
        ("PUT", "/recipients", {"recipients": [{"email": SECRET, SECRET: SECRET}]}),
        ("POST", "/links", {"purpose": SECRET, "recipients": [SECRET]}),
        ("POST", "/links", {"purpose": "marketing", "recipients": [[SECRET]]}),
        ("POST", "/choices", {"recipient": SECRET, "purpose": "marketing", "act": SECRET, "occurred_at": SECRET}),
        ("POST", "/choices", {**poisoned(EVERY_CALL[4][0][2]), "recipient": SECRET}),
        ("POST", "/choices", {**poisoned(EVERY_CALL[4][0][2]), "recipient": f"@{SECRET}"}),
        ("GET", f"/recipients/{SECRET}", None),
        ("DELETE", f"/recipients/{SECRET}", None),
        ("GET", f"/suppressions?{SECRET}={SECRET}", None),
        ("POST", f"/{SECRET}", {}),
    ]
    for method, path, body in bad:
        reply = api.send(method, path, body)
        assert 400 <= reply.status_code < 500
        assert SECRET not in reply.response.get_data(as_text=True), (method, path, body)


def test_results_by_row_do_not_repeat_what_is_wrong(api: Api) -> None:
    rows = [{"email": f"{SECRET}, {SECRET}"}, {"email": SECRET, "locale": SECRET}]
    answer = api.put("/recipients", {"recipients": rows}).json
    assert [row["outcome"] for row in answer["results"]] == ["invalid", "invalid"]
    assert SECRET not in json.dumps(answer)


def test_good_calls_log_no_address_and_no_key(api: Api, session: Session) -> None:
    make_recipient(session, SECRET)
    with capture_logs() as logged:
        for (method, path, body), _ in EVERY_CALL:
            api.send(method, path, poisoned(body))
    assert [entry["event"] for entry in logged] == ["eligibility_answered"]
    assert SECRET not in repr(logged)
    assert (api.key or "")[-43:] not in repr(logged)


def test_answers_are_never_stored_on_the_way(api: Api) -> None:
    for headers in (api.get("/suppressions").headers, api.get("/nothing").headers):
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
