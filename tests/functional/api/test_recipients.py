"""`PUT /recipients` adds and changes and never lifts; `GET /recipients/{id}` shows one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.profile import PROFILE_FIELDS
from preferences.domain.recipient_id import format_recipient_id
from preferences.models.ledger import LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.web.api.incoming import Profile
from tests.factories import act, make_key, make_recipient
from tests.functional.api.support import Api
from tests.support.client import StrictClient

CONSENT = {"purpose": "marketing", "act": "given", "occurred_at": "2026-05-01T12:00:00+02:00", "source": "shop"}


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session), session)


def put(api: Api, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = api.put("/recipients", {"recipients": list(rows)}).json["results"]
    assert [result["row"] for result in results] == list(range(1, len(rows) + 1))
    return results


def test_a_new_recipient_can_be_shown_by_its_id(api: Api) -> None:
    profile = dict.fromkeys(PROFILE_FIELDS, "Räksmörgås AB 🦐")
    [result] = put(
        api,
        {
            "email": "Åsa@Räksmörgås.se",
            "external_id": "K-1",
            "locale": "sv",
            "name": "Åsa Öberg",
            "profile": profile,
            "evidence": CONSENT,
        },
    )
    assert result["outcome"] == "new"
    shown = api.get(f"/recipients/{result['id']}").json
    assert (
        shown["email"],
        shown["external_id"],
        shown["locale"],
        shown["name"],
        shown["profile"],
        shown["source"],
    ) == (
        "Åsa@Räksmörgås.se",
        "K-1",
        "sv",
        "Åsa Öberg",
        profile,
        "api:newsletter",
    )
    assert shown["choices"] == [
        {
            "purpose": "marketing",
            "training": None,
            "act": "given",
            "basis": "consent",
            "since": "2026-05-01T10:00:00Z",
            "paused_until": None,
        }
    ]
    assert (shown["status"], shown["suppressions"]) == ("active", [])


def test_repeating_a_row_changes_nothing(api: Api, session: Session) -> None:
    row = {"email": "anna@example.se", "name": "Anna", "evidence": CONSENT}
    assert [put(api, row)[0]["outcome"] for _ in range(2)] == ["new", "unchanged"]
    assert session.query(LedgerEntryRow).count() == 1


def test_what_is_left_out_stays(api: Api) -> None:
    put(api, {"email": "anna@example.se", "name": "Anna", "profile": {"telephone": "1"}})
    [result] = put(api, {"email": "ANNA@example.se", "profile": {"company_name": "Bolaget"}})
    shown = api.get(f"/recipients/{result['id']}").json
    assert result["outcome"] == "changed"
    assert (shown["name"], shown["profile"]) == ("Anna", {"telephone": "1", "company_name": "Bolaget"})


@pytest.mark.parametrize("stop", [Act.WITHDRAWN, Act.REFUSED, Act.OBJECTED])
def test_an_opt_out_is_never_lifted(api: Api, session: Session, stop: Act) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", stop)
    late = {**CONSENT, "occurred_at": "2026-11-24T00:00:00Z"}
    [result] = put(api, {"email": "anna@example.se", "evidence": late})
    assert (result["outcome"], result["reason"]) == ("held", stop.value)
    assert "example.se" not in result["detail"]
    assert api.get(f"/recipients/{format_recipient_id(anna.id)}").json["choices"][0]["act"] == stop.value


def test_an_erased_person_does_not_come_back(api: Api, session: Session) -> None:
    anna = make_recipient(session)
    api.delete(f"/recipients/{format_recipient_id(anna.id)}")
    [result] = put(api, {"email": "Anna@Example.se", "evidence": CONSENT})
    assert (result["outcome"], result["reason"], "id" in result) == ("held", "suppressed_erased", False)
    assert session.query(RecipientRow).count() == 1


def test_rows_that_cannot_be_used_do_not_stop_the_others(api: Api) -> None:
    results = put(
        api,
        {"email": "anna@example.se"},
        {"email": "not an address"},
        {"email": ""},
        {"email": "a" * 250 + "@example.se"},
        {"email": "bo@example.se", "name": "x" * 201},
        {"email": "cia@example.se", "locale": "svenska"},
        {"email": "dag@example.se", "profile": {"username": "x" * 1001}},
        {"email": "eva@example.se", "evidence": {"purpose": "marketing", "act": "given"}},
        {"email": "fia@example.se", "evidence": {**CONSENT, "purpose": "no_such_thing"}},
        {"email": "gun@example.se", "evidence": {**CONSENT, "occurred_at": "2999-01-01T00:00:00Z"}},
        {"email": "hal@example.se", "evidence": {**CONSENT, "basis": "soft_opt_in"}},
        {"email": "ida@example.se"},
        {"email": "ida@example.se"},
    )
    assert [result["outcome"] for result in results] == ["new", *["invalid"] * 10, "new", "invalid"]
    assert results[1]["reason"] == "invalid_address"
    assert all(result["reason"] and result["detail"] for result in results if result["outcome"] == "invalid")


@pytest.mark.parametrize(
    ("row", "pointer"),
    [
        ({}, "/recipients/0/email"),
        ({"email": None}, "/recipients/0/email"),
        ({"email": ["anna@example.se"]}, "/recipients/0/email"),
        ({"email": "x" * 1001}, "/recipients/0/email"),
        ({"email": "anna@example.se", "external_id": 17}, "/recipients/0/external_id"),
        ({"email": "anna@example.se", "profile": {"vat_number": 5}}, "/recipients/0/profile/vat_number"),
        ({"email": "anna@example.se", "profile": {"password": "hunter2"}}, "/recipients/0/profile/password"),
        ({"email": "anna@example.se", "evidence": {**CONSENT, "act": "subscribed"}}, "/recipients/0/evidence/act"),
        ({"email": "anna@example.se", "evidence": {**CONSENT, "act": 1}}, "/recipients/0/evidence/act"),
        ({"email": "anna@example.se", "evidence": {**CONSENT, "ip": "::1"}}, "/recipients/0/evidence/ip"),
        (
            {"email": "anna@example.se", "evidence": {**CONSENT, "occurred_at": 1700000000}},
            "/recipients/0/evidence/occurred_at",
        ),
        (
            {"email": "anna@example.se", "evidence": {**CONSENT, "occurred_at": "2026-05-01"}},
            "/recipients/0/evidence/occurred_at",
        ),
        (
            {"email": "anna@example.se", "evidence": {**CONSENT, "occurred_at": "2026-05-01T12:00:00"}},
            "/recipients/0/evidence/occurred_at",
        ),
        (
            {"email": "anna@example.se", "evidence": {**CONSENT, "occurred_at": "2026-02-30T12:00:00Z"}},
            "/recipients/0/evidence/occurred_at",
        ),
        (
            {"email": "anna@example.se", "evidence": {**CONSENT, "occurred_at": "0001-01-01T00:00:00+14:00"}},
            "/recipients/0/evidence/occurred_at",
        ),
        ({"email": "anna@example.se", "status": "active"}, "/recipients/0/status"),
    ],
)
def test_rows_of_another_shape_refuse_the_call(api: Api, session: Session, row: Any, pointer: str) -> None:
    problem = api.put("/recipients", {"recipients": [row, {"email": "bo@example.se"}]}).problem(422)
    assert {"row": 1, "pointer": pointer}.items() <= problem["errors"][0].items()
    assert session.query(RecipientRow).count() == 0


def test_lines_in_lines_out(api: Api) -> None:
    lines = b'{"email": "anna@example.se"}\n{"email": "bo@example.se", "locale": "en"}\n'
    reply = api.put_lines("/recipients", lines, accept="application/x-ndjson")
    assert [line["outcome"] for line in reply.lines] == ["new", "new"]


def test_ten_thousand_rows_and_no_more(api: Api, session: Session) -> None:
    rows = [{"email": f"person{number}@example.se"} for number in range(10_001)]
    assert api.put("/recipients", {"recipients": rows}).problem(413)["code"] == "too_many_rows"
    assert {result["outcome"] for result in put(api, *rows[:10_000])} == {"new"}
    assert session.query(RecipientRow).count() == 10_000


def test_unknown_ids_are_not_found(api: Api) -> None:
    for identifier in ("0000000000001", "anna@example.se", "x", "7zzzzzzzzzzzz"):
        assert api.get(f"/recipients/{identifier}").problem(404)["code"] == "unknown_recipient"
        assert api.delete(f"/recipients/{identifier}").problem(404)["code"] == "unknown_recipient"


def test_the_profile_of_the_api_is_the_profile_of_the_domain() -> None:
    assert tuple(Profile.model_fields) == PROFILE_FIELDS
