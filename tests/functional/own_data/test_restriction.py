"""Blocking one's data and ending the block: at once, told to mailers, and nothing comes back that was stopped (GDPR 18; L9)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.eligibility import Allowed, Decision, Reason, RecipientStatus, Refused
from preferences.domain.events import EventType
from preferences.domain.rights import MOST_A_DAY, RightsKind, RightsState
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.queries.choices.choices import standing
from tests.factories import act, purpose
from tests.support.rights import requests, send_all
from tests.support.step_up import SteppedUp, open_own_data


def _status(session: Session) -> RecipientStatus:
    session.rollback()
    found = session.scalars(select(RecipientRow.status)).one()
    session.rollback()
    return found


def _decide(session: Session, me: SteppedUp, key: str) -> Decision:
    where = standing(
        session, recipient_id=me.recipient.id, status=_status(session), address_index=me.recipient.address_index
    )
    return where.decide([purpose(session, key)], datetime.now(UTC))


@pytest.mark.parametrize("key", ["events", "photo_image", "photo_name"])
def test_blocking_stops_sending_and_publishing_at_once(app: Flask, session: Session, key: str) -> None:
    me = open_own_data(app, session)
    assert isinstance(_decide(session, me, key), Allowed)
    answer = me.post("/me/restrict", {"action": "restrict"})
    assert answer.status_code == 303
    refused = _decide(session, me, key)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.RESTRICTED
    assert "Dina uppgifter är spärrade" in me.client.get(answer.location).text


def test_blocking_and_ending_are_recorded_told_and_mailed(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    me.post("/me/restrict", {"action": "restrict"})
    first = send_all(app)["anna@example.se"]
    me.post("/me/restrict", {"action": "end"})
    second = send_all(app)["anna@example.se"]
    rows = requests(session)
    assert [(row.kind, row.state) for row in rows] == [(RightsKind.RESTRICT, RightsState.FULFILLED)] * 2
    assert [row.details for row in rows] == [None, {"ended": True}]
    events = session.scalars(select(ChangeEventRow).order_by(ChangeEventRow.id)).all()
    assert [(one.type, one.data) for one in events] == [
        (EventType.RECIPIENT_RESTRICTED, {"status": "restricted"}),
        (EventType.RECIPIENT_RESTRICTED, {"status": "active"}),
    ]
    assert rows[0].reference in first.part("plain")
    assert "Spärra dina uppgifter" in first.part("plain")
    assert "Häva spärren" in second.part("plain")
    assert first.parsed["Subject"] == f"Klart: ditt ärende {rows[0].reference}"


def test_ending_the_block_brings_back_what_was_allowed_and_nothing_that_was_stopped(
    app: Flask, session: Session
) -> None:
    me = open_own_data(app, session)
    act(session, me.recipient, "marketing", Act.GIVEN)
    act(session, me.recipient, "events", Act.OBJECTED)
    me.post("/me/restrict", {"action": "restrict"})
    assert isinstance(_decide(session, me, "marketing"), Refused)
    me.post("/me/restrict", {"action": "end"})
    assert isinstance(_decide(session, me, "marketing"), Allowed)
    refused = _decide(session, me, "events")
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.OBJECTED


@pytest.mark.parametrize("action", ["restrict", "end"])
def test_a_button_pressed_twice_acts_once(app: Flask, session: Session, action: str) -> None:
    me = open_own_data(app, session)
    if action == "end":
        me.post("/me/restrict", {"action": "restrict"})
    before = len(requests(session))
    me.post("/me/restrict", {"action": action})
    again = me.post("/me/restrict", {"action": action})
    assert again.location == "/me/restrict"
    assert len(requests(session)) == before + 1


@pytest.mark.parametrize("data", [{}, {"action": ""}, {"action": "erase"}, {"action": "restrict\x00"}])
def test_any_other_form_changes_nothing(app: Flask, session: Session, data: dict[str, str]) -> None:
    me = open_own_data(app, session)
    assert me.post("/me/restrict", data).location == "/me/restrict"
    assert _status(session) is RecipientStatus.ACTIVE
    assert requests(session) == []


def test_a_blocked_person_can_ask_see_take_along_and_erase(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    me.post("/me/restrict", {"action": "restrict"})
    for path in ("/me/data", "/me/export.json", "/me/correct", "/me/requests", "/me/address", "/me/erase"):
        assert me.client.get(path).status_code == 200, path
    assert me.post("/me/requests", {"kind": "object", "text": "Nej"}).status_code == 303
    assert len(send_all(app)) == 1
    assert me.post("/me/erase", {"confirm": "erase"}).status_code == 303
    assert _status(session) is RecipientStatus.ERASED


def test_blocking_is_never_limited_and_ending_it_all_day_is(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    csrf = me.csrf()
    for number in range(MOST_A_DAY):
        action = "end" if number % 2 else "restrict"
        me.client.post("/me/restrict", data={"csrf": csrf, "action": action})
    assert me.post("/me/restrict", {"action": "restrict"}).status_code == 303
    assert _status(session) is RecipientStatus.RESTRICTED
    answer = me.post("/me/restrict", {"action": "end"})
    assert answer.status_code == 429
    assert "mailto:privacy@example.com" in answer.text
    assert _status(session) is RecipientStatus.RESTRICTED
