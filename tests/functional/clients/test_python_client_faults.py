"""The Python client when things go wrong on the way, and when it reads webhooks."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from preferences.integrations.standard_webhooks import make_body, signed_headers
from preferences_client import ApiError, Client, InvalidWebhook, verify_webhook
from tests.functional.clients.conftest import Faulty, Told

KEY = "pk_abcdefghij_secret"
LINKS: Told = (200, {}, b'{"results": [{"recipient": "a@b.se"}]}')
HEAD = b'{"decision_id": "1"}\n'


def row(address: str) -> bytes:
    return json.dumps({"recipient": address, "allowed": True}).encode() + b"\n"


def problem(status: int, **headers: str) -> Told:
    return status, headers, b'{"code": "unavailable", "detail": "Try again."}'


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(faulty: Faulty, waits: list[float]) -> Client:
    return Client(faulty.url, KEY, attempts=3, sleep=waits.append)


def test_what_can_pass_is_tried_again_with_the_same_idempotency_key(
    client: Client, faulty: Faulty, waits: list[float]
) -> None:
    faulty.answers = [problem(503, **{"Retry-After": "7"}), problem(429, **{"Retry-After": "9999"}), LINKS]
    assert client.mint_links("marketing", ["a@b.se"]) == [{"recipient": "a@b.se"}]
    assert waits == [7, 300]
    keys = {headers["Idempotency-Key"] for _, _, headers, _ in faulty.came}
    assert (len(faulty.came), len(keys)) == (3, 1)
    faulty.answers = [LINKS]
    client.mint_links("marketing", ["a@b.se"])
    assert faulty.came[-1][2]["Idempotency-Key"] not in keys


def test_it_gives_up_after_so_many_attempts(client: Client, faulty: Faulty, waits: list[float]) -> None:
    faulty.answers = [problem(502)] * 3
    with pytest.raises(ApiError) as refused:
        client.acknowledge("A" * 26)
    assert (refused.value.status, refused.value.code, len(waits)) == (502, "unavailable", 2)
    assert 0 < waits[0] <= 1
    assert waits[0] < waits[1] <= 2 or waits[1] >= 1


def test_what_cannot_pass_is_not_tried_again(client: Client, faulty: Faulty) -> None:
    for status in (400, 401, 409, 422, 500):
        faulty.answers = [problem(status)]
        with pytest.raises(ApiError):
            client.position()
    faulty.answers = [(404, {}, b"<html>not ours</html>")]
    with pytest.raises(ApiError) as refused:
        client.position()
    assert refused.value.code == "not_understood"


def test_no_redirect_takes_the_key_along(client: Client, faulty: Faulty) -> None:
    for status in (301, 302, 303, 307, 308):
        faulty.answers = [(status, {"Location": f"{faulty.url}/elsewhere"}, b"")]
        with pytest.raises(ApiError) as refused:
            client.position()
        assert refused.value.status == status
    assert {path for _, path, _, _ in faulty.came} == {"/api/v1/changes/position"}


def test_a_service_that_is_away_is_told(waits: list[float]) -> None:
    away = Client("http://127.0.0.1:1", KEY, attempts=2, sleep=waits.append)
    for ask in (
        away.position,
        lambda: list(away.eligibility("marketing", ["a@b.se"])),
        lambda: list(away.suppressions()),
    ):
        with pytest.raises(ApiError) as refused:
            ask()
        assert refused.value.status == 0
        assert KEY not in str(refused.value)


def test_a_stream_that_breaks_off_is_taken_up_after_the_last_answer(client: Client, faulty: Faulty) -> None:
    longer = {"Content-Length": "5000"}
    faulty.answers = [
        (200, longer, HEAD + row("a@b.se") + b'{"recipient": "c@'),
        (200, {}, HEAD),
        (200, {}, HEAD + row("c@d.se") + row("e@f.se") + b'{"count": 2}\n'),
    ]
    answers = list(client.eligibility("marketing", ["a@b.se", "c@d.se", "e@f.se"]))
    assert [one["recipient"] for one in answers] == ["a@b.se", "c@d.se", "e@f.se"]
    asked = [[json.loads(line) for line in body.splitlines()] for _, _, _, body in faulty.came]
    assert asked[0] == [{"purpose": "marketing"}, "a@b.se", "c@d.se", "e@f.se"]
    assert asked[1] == asked[2] == [{"purpose": "marketing"}, "c@d.se", "e@f.se"]


def test_answers_that_do_not_fit_the_question_are_refused(client: Client, faulty: Faulty) -> None:
    faulty.answers = [(200, {}, HEAD + b'{"count": 0}\n')]
    with pytest.raises(ApiError) as refused:
        list(client.eligibility("marketing", ["a@b.se"]))
    assert refused.value.code == "not_understood"


@pytest.mark.parametrize("body", [b"<html>a proxy's page</html>", b"[]", b"\xff", b""])
def test_an_answer_that_is_not_the_services_is_refused(client: Client, faulty: Faulty, body: bytes) -> None:
    faulty.answers = [(200, {}, body)]
    with pytest.raises(ApiError) as refused:
        client.position()
    assert refused.value.code == "not_understood"


def test_a_list_of_suppressions_that_was_cut_short_is_no_list(client: Client, faulty: Faulty) -> None:
    faulty.answers = [(200, {}, b'{"hash": "1"}\n')]
    with pytest.raises(ApiError) as refused:
        list(client.suppressions())
    assert refused.value.code == "cut_short"


@pytest.mark.parametrize("url", ["http://preferences.example", "ftp://preferences.example", "preferences.example"])
def test_the_key_never_goes_in_the_clear(url: str) -> None:
    with pytest.raises(ValueError):
        Client(url, KEY)


SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(32)).decode()
BODY = '{"type": "choice.changed", "data": {"note": "å"}}'.encode()


def signed(secret: str = SECRET, body: bytes = BODY, at: float | None = None) -> dict[str, str]:
    """Headers as the reference library signs them."""
    stamp = int(time.time() if at is None else at)
    signature = Webhook(secret).sign("evt_1", datetime.fromtimestamp(stamp, UTC), body.decode())
    return {"Webhook-Id": "evt_1", "Webhook-Timestamp": str(stamp), "Webhook-Signature": signature}


def test_a_webhook_signed_by_the_reference_library_is_read() -> None:
    assert verify_webhook(SECRET, signed(), BODY)["data"] == {"note": "å"}
    assert verify_webhook([OTHER, SECRET], signed(), BODY)["type"] == "choice.changed"


def test_what_the_service_itself_signs_is_read_also_while_a_secret_rotates() -> None:
    now = datetime.now(UTC)
    body = make_body("choice.changed", now, {"id": 1, "note": "å"})
    headers = signed_headers("evt_1", body, [OTHER, SECRET], now=now)
    for secret in (OTHER, SECRET):
        assert verify_webhook(secret, headers, body.encode())["data"] == {"id": 1, "note": "å"}


def test_one_of_several_signatures_is_enough_while_a_secret_rotates() -> None:
    headers = signed()
    headers["Webhook-Signature"] = f"v1a,xyz {signed(OTHER)['Webhook-Signature']} {headers['Webhook-Signature']}"
    assert verify_webhook(SECRET, headers, BODY)


def test_five_minutes_either_way_are_tolerated_and_no_more() -> None:
    for off in (-299, 299):
        assert verify_webhook(SECRET, signed(at=1_700_000_000), BODY, now=1_700_000_000 + off)
    for off in (-301, 301):
        with pytest.raises(InvalidWebhook):
            verify_webhook(SECRET, signed(at=1_700_000_000), BODY, now=1_700_000_000 + off)


@pytest.mark.parametrize(
    "changed",
    [
        {"Webhook-Id": "evt_2"},
        {"Webhook-Id": ""},
        {"Webhook-Timestamp": "1"},
        {"Webhook-Timestamp": "٣" * 10},
        {"Webhook-Timestamp": "9" * 400},
        {"Webhook-Timestamp": ""},
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1,"},
        {"Webhook-Signature": "v1"},
        {"Webhook-Signature": "v1,%%%"},
        {"Webhook-Signature": "v2,AAAA"},
        {"Webhook-Signature": "v1,AAAA " * 10_000},
    ],
)
def test_what_was_not_signed_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidWebhook):
        verify_webhook(SECRET, {**signed(), **changed}, BODY)
    with pytest.raises(InvalidWebhook):
        verify_webhook(SECRET, signed(), BODY + b" ")
    with pytest.raises(InvalidWebhook):
        verify_webhook(OTHER, signed(), BODY)


def test_a_secret_that_is_none_is_told_at_once() -> None:
    with pytest.raises(ValueError):
        verify_webhook("whsec_", signed(), BODY)
