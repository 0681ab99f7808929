"""`GET /changes`: every change once, in order, with a cursor that nobody can make up, as JSON and as lines."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import insert
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.events import EventType
from preferences.domain.feed import FeedPosition, format_cursor
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.scopes import Scope
from preferences.models.outbox import ChangeEventRow
from preferences.models.transaction import transaction
from preferences.services.outbox.outbox import tell_change
from preferences.services.recipients.erasure import erase_recipient
from preferences.web.api import waiting
from tests.factories import act, make_key, make_recipient
from tests.functional.api.support import Api
from tests.support.client import StrictClient

AHEAD = format_cursor(FeedPosition(2**62, 5))


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session, Scope.CHANGES_READ), session)


def test_an_act_is_told_whole_and_without_an_address(api: Api, session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    entry = act(session, anna, "marketing", Act.WITHDRAWN, occurred_at=now)
    answer = api.get("/changes").json
    [change] = answer["changes"]
    assert change == {
        "id": change["id"],
        "type": "choice.changed",
        "recorded_at": change["recorded_at"],
        "recipient": format_recipient_id(anna.id),
        "data": {
            "entry": entry,
            "purpose": "marketing",
            "act": "withdrawn",
            "basis": "consent",
            "method": "api",
            "occurred_at": now.isoformat().replace("+00:00", "Z"),
            "training": None,
            "paused_until": None,
        },
    }
    assert (answer["count"], answer["more"]) == (1, False)
    assert "anna" not in str(answer)


def test_a_pause_and_a_training_are_told(api: Api, session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    until = now + timedelta(days=30)
    act(session, anna, "marketing", Act.PAUSED, paused_until=until)
    act(session, anna, "photo_image", Act.OBJECTED, training_id=7)
    paused, photo = (change["data"] for change in api.get("/changes").json["changes"])
    assert paused["paused_until"] == until.isoformat().replace("+00:00", "Z")
    assert (photo["purpose"], photo["training"], photo["act"]) == ("photo_image", 7, "objected")


def test_a_cursor_goes_on_exactly_where_it_stopped(api: Api, session: Session, now: datetime) -> None:
    tell(session, 25, now)
    found, cursor, more = [], "", True
    while more:
        answer = api.get(f"/changes?limit=10{cursor}").json
        found += [change["id"] for change in answer["changes"]]
        cursor, more = f"&after={answer['cursor']}", answer["more"]
    assert len(found) == len(set(found)) == 25
    assert found == sorted(found)
    nothing = api.get(f"/changes?limit=10{cursor}").json
    assert (nothing["changes"], nothing["more"]) == ([], False)
    tell(session, 1, now)
    assert api.get(f"/changes?limit=10{cursor}").json["count"] == 1


def test_an_empty_feed_has_a_cursor_that_works(api: Api, session: Session, now: datetime) -> None:
    cursor = api.get("/changes").json["cursor"]
    assert api.get(f"/changes?after={cursor}").json["cursor"] == cursor
    tell(session, 2, now)
    assert api.get(f"/changes?after={cursor}").json["count"] == 2


def test_types_are_filtered_and_the_cursor_passes_over_the_rest(api: Api, session: Session, now: datetime) -> None:
    tell(session, 3, now)
    tell(session, 2, now, EventType.RECIPIENT_ERASED)
    tell(session, 3, now)
    answer = api.get("/changes?type=recipient.erased,recipient.stopped").json
    assert [change["type"] for change in answer["changes"]] == ["recipient.erased"] * 2
    assert not answer["more"]
    assert api.get(f"/changes?after={answer['cursor']}").json["count"] == 0
    one = api.get("/changes?type=recipient.erased&limit=1").json
    assert one["more"]
    assert api.get(f"/changes?type=recipient.erased&limit=1&after={one['cursor']}").json["count"] == 1


def test_lines_end_with_count_and_cursor(api: Api, session: Session, now: datetime) -> None:
    tell(session, 1203, now)
    lines = api.get("/changes?limit=10000", Accept="application/x-ndjson").lines
    assert len(lines) == 1204
    assert lines[-1].keys() == {"count", "cursor", "more"}
    assert lines[-1]["count"] == 1203
    assert api.get(f"/changes?after={lines[-1]['cursor']}").json["count"] == 0


def test_an_erased_person_is_told_as_an_id(api: Api, session: Session, now: datetime) -> None:
    anna = make_recipient(session, name="Ånna")
    erase_recipient(session, anna.id, source="test", now=now)
    session.commit()
    answer = api.get("/changes?type=recipient.erased").json
    assert [(one["recipient"], one["data"]) for one in answer["changes"]] == [(format_recipient_id(anna.id), {})]


@pytest.mark.parametrize(
    "query",
    [
        "after=",
        "after=0",
        f"after={'A' * 26}",
        f"after={'A' * 100_000}",
        f"after={AHEAD}",
        f"after={AHEAD[:-1]}",
        f"after={AHEAD[:5]}-{AHEAD[6:]}",
        "after=%00",
        "after=AQAAAAAAAAAAAAAAAAAAAAAAå",
        f"after={AHEAD}&after={AHEAD}",
        "limit=0",
        "limit=10001",
        "limit=99999999999999999999",
        "limit=1e3",
        "limit=-1",
        "limit=%201",
        "limit=١",
        "wait=31",
        "wait=1.5",
        "type=",
        "type=everything",
        "type=choice.changed,",
        "cursor=x",
    ],
)
def test_hostile_questions_are_refused(api: Api, query: str) -> None:
    status = 400 if "%00" in query or query.count("after=") == 2 else 422
    problem = api.get(f"/changes?{query}").problem(status)
    assert len(str(problem)) < 2000


def test_reading_needs_the_scope(client: StrictClient, session: Session) -> None:
    other = Api(client, make_key(session, Scope.LINKS), session)
    assert other.get("/changes").problem(403)["code"] == "missing_scope"


def test_a_call_that_waits_hears_what_comes(
    api: Api, app: Flask, session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change is recorded at the moment the call begins to wait: nothing is held that would be in its way."""
    monkeypatch.setitem(app.extensions, waiting._PLACES, threading.BoundedSemaphore(1))

    def meanwhile(_seconds: float) -> None:
        with transaction() as other:
            tell_change(other, EventType.POLICY_PUBLISHED, recipient_id=None, now=now)

    monkeypatch.setattr(waiting.wait_for, "__kwdefaults__", {"clock": lambda: 0.0, "pause": meanwhile})
    answer = api.get("/changes?wait=30").json
    assert [change["type"] for change in answer["changes"]] == ["policy.published"]


def test_waiting_ends_when_the_time_is_up(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, waiting._PLACES, threading.BoundedSemaphore(1))
    passed: list[float] = []
    found = waiting.wait_for(lambda: None, 1.1, clock=lambda: sum(passed), pause=passed.append)
    assert found is None
    assert sum(passed) == pytest.approx(1.1)


def test_nothing_waits_where_no_thread_can_be_spared(app: Flask) -> None:
    assert waiting.wait_for(lambda: None, 30, pause=lambda _: pytest.fail("it waited")) is None


def tell(session: Session, count: int, now: datetime, event: EventType = EventType.POLICY_PUBLISHED) -> None:
    rows = [{"type": event, "recorded_at": now} for _ in range(count)]
    session.execute(insert(ChangeEventRow), rows)
    session.commit()
