"""`/metrics`: what happened, by closed labels, for those who hold the key; right over all processes; nothing about anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.metrics import collect, registry
from preferences.metrics.opt_outs import SETTLES_WITHIN, OptOuts
from preferences.models.transaction import reading
from preferences.services.outbox.outbox import enqueue_mail
from preferences.worker import Worker
from tests.factories import act, link, make_key, make_recipient, purpose
from tests.functional.running.test_health import unavailable
from tests.support.client import StrictClient
from tests.support.mailing import sending_to, settings_changed
from tests.support.receiver import receiving
from tests.support.smtp import smtp_server
from tests.support.webhooks import make_endpoint, work

KEY = "monitor-0123456789-abcdefgh"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
Readings = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def monitored(app: Flask) -> Iterator[Flask]:
    """The service with a key for its metrics."""
    app.extensions["preferences.metrics"] = registry(app)
    with settings_changed(app, metrics_key=KEY):
        yield app
    del app.extensions["preferences.metrics"]


def read(client: StrictClient) -> Readings:
    """Every sample, as a Prometheus server parses them."""
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {KEY}"})
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(readings: Readings, name: str, **labels: str) -> float:
    return readings.get((name, tuple(sorted(labels.items()))), 0.0)


def grown(before: Readings, after: Readings, name: str, **labels: str) -> float:
    return value(after, name, **labels) - value(before, name, **labels)


def test_without_the_setting_there_is_nothing(client: StrictClient) -> None:
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.usefixtures("monitored")
@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", f"Bearer {KEY}x", f"Basic {KEY}", f"Bearer {KEY[:-1]}", "Bearer é"],
)
def test_without_the_key_it_says_nothing(client: StrictClient, header: str) -> None:
    answer = client.get("/metrics", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "preferences_" not in answer.text


@pytest.mark.usefixtures("monitored")
def test_one_clicks_are_counted_by_what_became_of_them(client: StrictClient, session: Session) -> None:
    token = link(make_recipient(session), purpose(session, "marketing"))
    before = read(client)
    for _ in range(2):
        client.post(f"/u/{token}", data=ONE_CLICK)
    client.post("/u/AAAA", data=ONE_CLICK)
    client.post(f"/u/{token}")
    client.post(f"/u/{token}", json=ONE_CLICK)
    client.post(f"/u/{token}", data={"confirm": "1"})
    after = read(client)
    results = {"valid": 2, "invalid_token": 1, "no_body": 1, "other_body": 1, "not_stored": 0}
    assert {one: grown(before, after, "preferences_one_click_total", result=one) for one in results} == results
    route = {"route": "/u/<any_text:token>", "method": "POST"}
    assert grown(before, after, "preferences_requests_total", status="200", **route) == 5
    assert grown(before, after, "preferences_requests_total", status="303", **route) == 1


@pytest.mark.usefixtures("monitored")
def test_requests_are_counted_by_template_never_by_path(client: StrictClient, session: Session) -> None:
    token = link(make_recipient(session, "hemlig@example.se"), purpose(session, "marketing"))
    key = make_key(session)
    client.get(f"/u/{token}")
    client.get(f"/nowhere/{token}")
    client.open("/", method="HEMLIG")
    client.get("/api/v1/recipients/hemlig@example.se", headers={"Authorization": f"Bearer {key}"})
    after = read(client)
    assert value(after, "preferences_requests_total", route="none", method="GET", status="404") >= 1
    assert value(after, "preferences_requests_total", route="none", method="other", status="405") >= 1
    shown = repr(after)
    for secret in (token, key, "emlig", "HEMLIG", "nowhere"):
        assert secret not in shown


def test_opt_outs_are_counted_in_the_ledger_whichever_way_they_came(
    monitored: Flask, client: StrictClient, session: Session
) -> None:
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    client.post(f"/u/{link(anna, purpose(session, 'marketing'))}", data=ONE_CLICK)
    act(session, bo, "events", Act.OBJECTED)
    act(session, bo, "surveys", Act.GIVEN)
    act(session, bo, "marketing", Act.REVOKED)
    found = {labels: count for (name, labels), count in read(client).items() if name == "preferences_opt_outs_total"}
    assert found == {
        (("method", "api"), ("purpose", "events")): 1,
        (("method", "one_click"), ("purpose", "marketing")): 1,
    }


def test_what_settled_is_kept_and_what_commits_late_is_still_counted(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    counts, now = OptOuts(), datetime.now(UTC)
    act(session, anna, "events", Act.OBJECTED)
    assert total(counts, now) == 1
    assert total(counts, now + 2 * SETTLES_WITHIN) == 1, "settled: counted once, kept"
    act(session, anna, "surveys", Act.REFUSED)
    act(session, anna, "events", Act.OBJECTED, method=Method.STAFF)
    assert total(counts, now + SETTLES_WITHIN / 2) == 3
    assert total(counts, now + 4 * SETTLES_WITHIN) == 3
    assert total(OptOuts(), now + timedelta(days=1)) == 3, "another process comes to the same"


def total(counts: OptOuts, now: datetime) -> float:
    with reading() as session:
        return sum(sample.value for metric in counts(session, now) for sample in metric.samples)


def test_the_outbox_and_its_worker_are_seen(monitored: Flask, client: StrictClient, session: Session) -> None:
    anna, now = make_recipient(session), datetime.now(UTC)
    for minutes in (-10, 60):
        at = now + timedelta(minutes=minutes)
        enqueue_mail(session, "fresh_link", recipient_id=anna.id, parameters={"locale": "sv"}, now=at)
    session.commit()
    before = read(client)
    assert value(before, "preferences_outbox_waiting") == 2
    assert value(before, "preferences_outbox_due") == 1
    assert 600 <= value(before, "preferences_outbox_oldest_due_seconds") < 660
    assert value(before, "preferences_workers_alive") == 0
    with smtp_server() as (port, kept), sending_to(monitored, port):
        kept.replies["RCPT"] = "451 later"
        Worker().run_until_idle()
        worker = Worker()
        worker.heartbeat.run_batch()
        after = read(client)
    assert grown(before, after, "preferences_outbox_attempts_total", kind="mail", result="retried") == 1
    assert value(after, "preferences_outbox_due") == 0
    assert value(after, "preferences_workers_alive") == 1


def test_eligibility_answers_are_counted_by_reason(monitored: Flask, client: StrictClient, session: Session) -> None:
    act(session, make_recipient(session), "marketing", Act.GIVEN)
    asked = {"purpose": "marketing", "recipients": ["anna@example.se", "nobody@example.se", "none@example.se"]}
    before = read(client)
    client.post("/api/v1/eligibility", json=asked, headers={"Authorization": f"Bearer {make_key(session)}"}).get_data()
    after = read(client)
    name = "preferences_eligibility_answers_total"
    assert grown(before, after, name, reason="allowed") == 1
    assert sum(after[key] - before.get(key, 0) for key in after if key[0] == name) == 3


def test_a_database_that_does_not_answer_leaves_the_counts(
    monitored: Flask, client: StrictClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert value(read(client), "preferences_database_up") == 1
    monkeypatch.setattr(collect, "glancing", unavailable)
    after = read(client)
    assert after["preferences_database_up", ()] == 0
    assert any(name == "preferences_requests_total" for name, _ in after)
    assert not any(name == "preferences_outbox_waiting" for name, _ in after)


def test_every_metric_is_documented(app: Flask, root: Path) -> None:
    text = (root / "docs" / "operations.md").read_text()
    documented = set(re.findall(r"^\| `(preferences_\w+)`", text, re.MULTILINE))
    known = {_full(metric.name, metric.type) for metric in registry(app).collect()}
    assert documented == known


def _full(name: str, kind: str) -> str:
    return f"{name}_total" if kind == "counter" else name


def test_what_mailers_have_not_heard_or_not_applied_is_seen(
    monitored: Flask, client: StrictClient, session: Session
) -> None:
    key = make_key(session, mailer="follower")
    with receiving() as receiver, settings_changed(monitored, metrics_key=KEY, webhook_private_hosts=("127.0.0.1",)):
        make_endpoint(session, receiver.url)
        act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
        cursor = client.get("/api/v1/changes?limit=1", headers={"Authorization": f"Bearer {key}"}).get_json()["cursor"]
        before = read(client)
        assert value(before, "preferences_webhooks_waiting", mailer="newsletter") == 1
        assert value(before, "preferences_endpoints", mailer="newsletter", state="enabled") == 1
        assert not any(name == "preferences_feed_behind" for name, _ in before), "nobody has ever acknowledged"
        work(lambda: datetime.now(UTC))
    with settings_changed(monitored, metrics_key=KEY):
        sent = client.post(
            "/api/v1/changes/acknowledge", json={"cursor": cursor}, headers={"Authorization": f"Bearer {key}"}
        )
        assert sent.status_code == 200
        act(session, make_recipient(session, "bo@example.se"), "events", Act.OBJECTED)
        after = read(client)
    assert value(after, "preferences_webhooks_waiting", mailer="newsletter") == 1, "of the second change"
    assert grown(before, after, "preferences_webhook_attempts_total", result="delivered") == 1
    assert value(after, "preferences_feed_behind", mailer="follower") == 1
    assert 0 <= value(after, "preferences_feed_oldest_opt_out_seconds", mailer="follower") < 60
    assert not any(name == "preferences_feed_behind" and labels != (("mailer", "follower"),) for name, labels in after)
