"""`/endpoints`: a mailer's own webhooks, secrets shown once, hostile input refused (M13)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from standardwebhooks import Webhook, WebhookVerificationError

from preferences.domain.acts import Act
from preferences.domain.webhooks import MAX_ENDPOINTS
from preferences.models.endpoint import EndpointRow, EndpointSecretRow
from tests.factories import act, make_key, make_recipient
from tests.functional.api.support import Api
from tests.support.client import StrictClient
from tests.support.mailing import settings_changed
from tests.support.receiver import Receiver, receiving
from tests.support.webhooks import deliveries, make_endpoint, work

URL = "https://hooks.example/preferences?key=hemlig"


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session), session)


@pytest.fixture
def receiver(app: Flask) -> Iterator[Receiver]:
    with receiving() as found, settings_changed(app, webhook_private_hosts=("127.0.0.1",)):
        yield found


def test_an_endpoint_is_made_shown_changed_and_removed(api: Api) -> None:
    made = api.post("/endpoints", {"url": URL, "types": ["choice.changed"], "description": "Åsas"})
    assert made.status_code == 201
    secret = made.json["secret"]
    assert secret.startswith("whsec_")
    path = f"/endpoints/{made.json['id']}"
    shown = api.get(path).json
    assert (shown["url"], shown["types"], shown["payload"]) == (URL, ["choice.changed"], "thin")
    assert secret not in str(api.get("/endpoints").json)
    changed = api.send("PATCH", path, {"types": ["recipient.erased"], "payload": "addresses"}).json
    assert (changed["types"], changed["payload"], changed["url"]) == (["recipient.erased"], "addresses", URL)
    assert api.send("PATCH", path, {"state": "disabled"}).json["disabled_reason"] == "mailer"
    assert api.post(f"{path}/test", {}).problem(409)["code"] == "conflict"
    assert api.send("PATCH", path, {"state": "enabled"}).json["disabled_at"] is None
    assert api.delete(path).json == {"id": made.json["id"]}
    assert api.get(path).problem(404)["code"] == "unknown_endpoint"


def test_url_and_secret_are_encrypted_at_rest(api: Api, session: Session) -> None:
    secret = api.post("/endpoints", {"url": URL}).json["secret"]
    raw = session.connection().exec_driver_sql("SELECT url FROM endpoints").scalar_one()
    kept = session.connection().exec_driver_sql("SELECT secret FROM endpoint_secrets").scalar_one()
    assert b"hemlig" not in bytes(raw)
    assert secret.encode() not in bytes(kept)


def test_another_mailers_endpoint_does_not_exist(client: StrictClient, session: Session, api: Api) -> None:
    path = f"/endpoints/{api.post('/endpoints', {'url': URL}).json['id']}"
    other = Api(client, make_key(session, mailer="other"), session)
    assert other.get("/endpoints").json == {"endpoints": []}
    assert other.get(path).problem(404)["code"] == "unknown_endpoint"
    assert other.get(f"{path}/attempts").problem(404)["code"] == "unknown_endpoint"
    assert other.delete(path).problem(404)["code"] == "unknown_endpoint"
    for call, body in {"": {"state": "disabled"}, "/test": {}, "/rotate": {}, "/replay": {"after": 0}}.items():
        method = "PATCH" if not call else "POST"
        assert other.send(method, path + call, body).problem(404)["code"] == "unknown_endpoint"
    assert api.get(path).json["state"] == "enabled"


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "ftp://hooks.example/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://10.0.0.1:8443/",
        "https://192.168.1.1./",
        "https://224.0.0.1/",
        "https://0.0.0.0/",
        "https://localhost/",
        "https://db.localhost/",
        "https://printer.local/",
        "https://metadata.google.internal/",
        "https://hooks/",
        "https://anna:hemlig@hooks.example/",
        "https://hooks.example/#part",
        "https://hooks.example\\@127.0.0.1/",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://hooks.example/\r\nX: y",
        "https://hooks.example/a b",
        "https://åsa.example/",
        "https:///path",
        "https://..../",
        "https://hooks.example" + "/x" * 600,
        "javascript:alert(1)",
        "",
    ],
)
def test_a_url_that_could_lead_inside_is_refused(api: Api, session: Session, url: str) -> None:
    problem = api.post("/endpoints", {"url": url}).problem(422)
    assert problem["pointer"] == "/url"
    assert "hemlig" not in str(problem)
    assert session.scalar(select(func.count()).select_from(EndpointRow)) == 0


@pytest.mark.parametrize(
    "body",
    [
        {"url": URL, "types": []},
        {"url": URL, "types": ["everything"]},
        {"url": URL, "types": "choice.changed"},
        {"url": URL, "types": ["choice.changed"] * 101},
        {"url": URL, "payload": "fat"},
        {"url": URL, "scheme": "v2"},
        {"url": URL, "description": "x" * 201},
        {"url": URL, "secret": "whsec_mine"},
        {"url": 1},
        {},
    ],
)
def test_a_body_that_says_something_else_is_refused(api: Api, body: Any) -> None:
    assert api.post("/endpoints", body).problem(422)["code"] == "invalid_request"


@pytest.mark.parametrize("path", ["0", "-1", "x", "1e3", "9" * 30, "%00", "１"])
def test_an_id_that_is_none_is_not_found(api: Api, path: str) -> None:
    assert api.get(f"/endpoints/{path}").problem(404)["code"] in {"unknown_endpoint", "not_found"}


def test_a_mailer_has_a_bounded_number_of_endpoints(api: Api, session: Session) -> None:
    for number in range(MAX_ENDPOINTS):
        make_endpoint(session, f"https://hooks.example/{number}")
    assert api.post("/endpoints", {"url": URL}).problem(409)["code"] == "conflict"


def test_while_a_secret_rotates_both_verify_and_then_only_the_new_one(
    api: Api, session: Session, receiver: Receiver
) -> None:
    made = api.post("/endpoints", {"url": receiver.url}).json
    fresh = api.post(f"/endpoints/{made['id']}/rotate", {"overlap_hours": 1}).json
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    work(clock)
    [message] = receiver.messages
    assert len(message.headers["webhook-signature"].split(" ")) == 2
    for secret in (made["secret"], fresh["secret"]):
        assert Webhook(secret).verify(message.raw, message.headers)
    newest = api.post(f"/endpoints/{made['id']}/rotate", {"overlap_hours": 0}).json
    assert session.scalar(select(func.count()).select_from(EndpointSecretRow)) == 1
    session.rollback()
    api.post(f"/endpoints/{made['id']}/test", {})
    work(clock)
    message = receiver.messages[-1]
    assert Webhook(newest["secret"]).verify(message.raw, message.headers)
    for secret in (made["secret"], fresh["secret"]):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(message.raw, message.headers)


def test_a_test_message_is_sent_and_its_answer_shown(api: Api, session: Session, receiver: Receiver) -> None:
    receiver.answer = (418, {}, "jag är en tekanna\x00".encode())
    endpoint, _ = make_endpoint(session, receiver.url)
    message = api.call("POST", f"/endpoints/{endpoint.id}/test").json["message"]
    work(clock)
    assert [(one.id, one.body["type"]) for one in receiver.messages] == [(message, "endpoint.test")]
    [shown] = api.get(f"/endpoints/{endpoint.id}/attempts").json["attempts"]
    assert (shown["message"], shown["event"], shown["code"], shown["status"]) == (message, None, "failed", 418)
    assert shown["excerpt"] == "jag är en tekanna\ufffd"


def test_one_change_and_a_range_are_replayed_under_their_ids(api: Api, session: Session, receiver: Receiver) -> None:
    anna = make_recipient(session)
    for _ in range(3):
        act(session, anna, "marketing", Act.WITHDRAWN)
    endpoint, _ = make_endpoint(session, receiver.url)
    path = f"/endpoints/{endpoint.id}/replay"
    assert api.post(path, {"after": 0}).json["queued"] == 3
    work(clock)
    events = receiver.events
    assert events == sorted(events)
    assert len(events) == 3
    assert api.post(path, {"event": events[1]}).json["queued"] == 1
    assert api.post(path, {"after": events[0], "through": events[1]}).json["queued"] == 1
    work(clock)
    assert receiver.events == [*events, events[1]]
    assert receiver.messages[-1].id == receiver.messages[1].id
    since = (clock() - timedelta(hours=1)).isoformat()
    assert api.post(path, {"since": since}).json["queued"] == 3
    assert api.post(path, {"since": since, "until": since}).json["queued"] == 0
    work(clock)
    assert receiver.events == [*events, events[1], *events]
    assert len(deliveries(session)) == 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": 1, "after": 0},
        {"through": 5},
        {"event": 0},
        {"event": -1},
        {"after": 2**70},
        {"since": "yesterday"},
    ],
)
def test_a_replay_that_says_nothing_is_refused(api: Api, session: Session, body: Any) -> None:
    endpoint, _ = make_endpoint(session, "https://hooks.example/")
    assert api.post(f"/endpoints/{endpoint.id}/replay", body).problem(422)
    assert api.post(f"/endpoints/{endpoint.id}/replay", {"event": 999_999}).problem(404)["pointer"] == "/event"


def test_attempts_are_paged_and_filtered(api: Api, session: Session, receiver: Receiver) -> None:
    endpoint, _ = make_endpoint(session, receiver.url)
    anna = make_recipient(session)
    for _ in range(3):
        act(session, anna, "marketing", Act.WITHDRAWN)
    work(clock)
    path = f"/endpoints/{endpoint.id}/attempts"
    found = api.get(path).json["attempts"]
    assert [one["event"] for one in found] == receiver.events[::-1]
    assert api.get(f"{path}?limit=1&before={found[0]['id']}").json["attempts"] == [found[1]]
    assert api.get(f"{path}?event={found[2]['event']}").json["attempts"] == [found[2]]
    for query in ("limit=0", "limit=1001", "limit=x", "before=0", "event=-1", "event=" + "9" * 30):
        assert api.get(f"{path}?{query}").problem(422)
