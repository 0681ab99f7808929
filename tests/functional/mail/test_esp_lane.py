"""The lane for ESP events: bursts are absorbed, failures wait and end, mistakes are replayed, old payloads go."""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from preferences.domain.esp_events import EspEvent, EspEventType
from preferences.domain.retry import MAX_ATTEMPTS
from preferences.integrations import esp as table
from preferences.integrations.esp import sns
from preferences.models.esp import EspEventRow
from preferences.models.transaction import transaction
from preferences.services.esp.events import LEASE, NoLongerOurs, claim_events, finish_event, store_events
from preferences.worker import esp_lane
from preferences.worker.chores import clear_away
from tests.factories import make_recipient
from tests.support.client import StrictClient
from tests.support.esp.hooks import make_hook, outcomes, post, stored, work
from tests.support.esp.samples import SAMPLES, envelope
from tests.support.esp.signing import JSON, encoded

SENDGRID, SES = SAMPLES["sendgrid"], SAMPLES["ses"]


def batch(count: int, kind: str = "delivered", first: int = 0) -> list[dict[str, Any]]:
    return [
        {"email": f"p{number}@example.se", "timestamp": 1763742892, "event": kind, "sg_event_id": f"{kind} {number}"}
        for number in range(first, first + count)
    ]


def reading_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> EspEvent:
        raise KeyError("anna@example.se")

    broken = dataclasses.replace(table.PROVIDERS["sendgrid"], read=fail)
    monkeypatch.setitem(table.PROVIDERS, "sendgrid", broken)


def test_a_burst_is_absorbed_and_worked_through_in_batches(
    session: Session, client: StrictClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(esp_lane, "BATCH", 7)
    make_hook(session, SENDGRID)
    post(client, SENDGRID, [*batch(20), *batch(3, "unsubscribe")])
    assert work() == 23
    assert sorted(outcomes(session)) == ["counted"] * 20 + ["suppressed: global_stop"] * 3  # type: ignore[type-var]


def test_a_mistake_in_the_code_is_repaired_and_replayed(
    app: Flask, session: Session, client: StrictClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_hook(session, SENDGRID)
    post(client, SENDGRID, batch(1, "unsubscribe"))
    with monkeypatch.context() as broken:
        reading_fails(broken)
        for _ in range(MAX_ATTEMPTS):
            assert work(ahead=timedelta(days=_ + 1)) == 1
        assert outcomes(session) == ["failed: KeyError"]
        assert work(ahead=timedelta(days=99)) == 0
    replayed = app.test_cli_runner().invoke(args=["hooks", "replay", "--failed", "--mailer", "newsletter"])
    assert replayed.stdout == "1 events wait for the worker.\n"
    work()
    assert outcomes(session) == ["suppressed: global_stop"]
    app.test_cli_runner().invoke(args=["hooks", "replay", "--provider", "sendgrid"])
    work()
    assert outcomes(session) == ["known"]


def test_an_event_of_a_type_that_is_learnt_later_counts_under_it_after_a_replay(
    app: Flask, session: Session, client: StrictClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_hook(session, SENDGRID)
    post(client, SENDGRID, batch(1, "teleported"))
    work()
    [row] = stored(session)
    assert (row.type, row.native, row.outcome) == (EspEventType.UNKNOWN, "teleported", "counted")
    learnt = EspEvent(type=EspEventType.DELIVERED, native="teleported")
    monkeypatch.setitem(
        table.PROVIDERS, "sendgrid", dataclasses.replace(table.PROVIDERS["sendgrid"], read=lambda _: learnt)
    )
    app.test_cli_runner().invoke(args=["hooks", "replay"])
    work()
    assert [row.type for row in stored(session)] == [EspEventType.DELIVERED]


def test_one_bad_event_does_not_hold_up_the_others(session: Session, client: StrictClient) -> None:
    make_hook(session, SENDGRID)
    post(client, SENDGRID, batch(3, "unsubscribe"))
    first = stored(session)[0].id
    session.execute(text("UPDATE esp_events SET payload = :junk WHERE id = :id"), {"junk": b"junk", "id": first})
    session.commit()
    work()
    assert outcomes(session) == ["failed: unreadable", *["suppressed: global_stop"] * 2]


def test_an_event_of_a_provider_that_is_gone_ends(session: Session, client: StrictClient) -> None:
    make_hook(session, SENDGRID)
    post(client, SENDGRID, batch(1))
    session.execute(update(EspEventRow).values(provider="gone"))
    session.commit()
    work()
    assert outcomes(session) == ["failed: unknown provider"]


def test_two_workers_never_have_the_same_event_and_a_dead_ones_claim_runs_out(
    session: Session, client: StrictClient, now: datetime
) -> None:
    make_hook(session, SENDGRID)
    post(client, SENDGRID, batch(5))
    with transaction() as one:
        first = claim_events(one, limit=3, now=now + timedelta(seconds=2))
    with transaction() as other:
        second = claim_events(other, limit=9, now=now + timedelta(seconds=2))
    assert (len(first), len(second)) == (3, 2)
    assert not {one.id for one in first} & {one.id for one in second}
    later = now + LEASE + timedelta(minutes=1)
    with transaction() as other:
        taken = claim_events(other, limit=9, now=later)
    assert [one.attempts for one in taken] == [2] * 5
    with pytest.raises(NoLongerOurs), transaction() as one:
        finish_event(one, first[0], None, "done", now=later)


def test_a_worker_that_is_asked_to_stop_gives_back_what_it_has_not_begun(
    session: Session, client: StrictClient
) -> None:
    make_hook(session, SENDGRID)
    post(client, SENDGRID, batch(4, "unsubscribe"))
    stop = threading.Event()
    stop.set()
    esp_lane.EspLane(stop, lambda: datetime.now(UTC)).run_batch()
    assert [(row.done_at, row.claimed_until, row.attempts) for row in stored(session)] == [(None, None, 0)] * 4


def test_the_worker_confirms_a_subscription_and_only_at_amazon(
    session: Session, client: StrictClient, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    called: list[str] = []
    monkeypatch.setattr(sns, "fetch", called.append)
    make_hook(session, SES)
    url = "https://sns.eu-north-1.amazonaws.com/?Action=ConfirmSubscription&Token=x"
    for number, address in enumerate((url, "https://evil.example/", "http://169.254.169.254/", f"{url}#x")):
        more = {"SubscribeURL": address, "Token": "x", "MessageId": f"m{number}"}
        made = envelope("SubscriptionConfirmation", "You have chosen to subscribe", now, **more)
        assert client.post(SES.path, data=encoded(made), headers=JSON).status_code == 200
    assert called == []
    work()
    assert called == [url]
    assert outcomes(session) == ["confirmed", *["will retry: NotFetched"] * 3]


def test_payloads_go_after_a_month_and_rows_after_a_year(session: Session, client: StrictClient, now: datetime) -> None:
    make_hook(session, SENDGRID)
    for days in (0, 29, 31, 399, 401):
        post(client, SENDGRID, batch(1, first=days))
        then = now - timedelta(days=days)
        session.execute(update(EspEventRow).where(EspEventRow.done_at.is_(None)).values(done_at=then, received_at=then))
        session.commit()
    post(client, SENDGRID, batch(1, first=999))
    assert clear_away(now=now)["esp_events"] == 3
    assert [row.payload is None for row in stored(session)] == [False, False, True, True, False]


def test_soft_bounces_are_listed_by_recipient(app: Flask, session: Session, client: StrictClient) -> None:
    make_recipient(session, "p0@example.se")
    make_hook(session, SENDGRID)
    soft = {"email": "p0@example.se", "event": "bounce", "type": "blocked", "status": "4.2.2"}
    post(client, SENDGRID, [{**soft, "sg_event_id": f"s{number}"} for number in range(3)])
    listed = app.test_cli_runner().invoke(args=["hooks", "soft-bounces", "--at-least", "3", "--json"])
    assert '"count": 3' in listed.stdout
    assert "example.se" not in listed.stdout
    assert "Nobody" in app.test_cli_runner().invoke(args=["hooks", "soft-bounces", "--at-least", "4"]).stdout


def test_the_same_batch_twice_at_the_same_moment_is_stored_once(app: Flask, session: Session) -> None:
    """The same order for everybody: on PostgreSQL two batches that overlap wait for each other and do not deadlock."""
    read = table.PROVIDERS["sendgrid"].read
    forth = [(item, read(item)) for item in batch(300)]
    failed: list[BaseException] = []

    def store(events: list[tuple[dict[str, Any], EspEvent]]) -> None:
        try:
            with app.app_context(), transaction() as own:
                store_events(own, mailer_id=1, provider="sendgrid", events=events, now=datetime.now(UTC))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=store, args=(one,)) for one in (forth, forth[::-1], forth[100:])]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []
    assert len(stored(session)) == 300
