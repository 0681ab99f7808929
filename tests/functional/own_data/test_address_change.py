"""A change of address: both mailboxes confirm, and nobody learns anything about an address by asking (T11, T26, T27)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.address import parse_address
from preferences.domain.address_change import SOURCE
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.events import EventType
from preferences.models.crypto import keyring
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.recipients.recipients import recipient_by_address, recipient_by_id
from preferences.services.recipients.address_change import forget_address_changes
from tests.support.client import StrictClient
from tests.support.rights import changes, link_in, send_all
from tests.support.step_up import SteppedUp, ask, browser, open_own_data, step_up

OLD, NEW = "anna@example.se", "Anna.Berg@ny.example"
PREFIX = "/c/address/"


def ask_and_read(app: Flask, me: SteppedUp, new: str = NEW) -> tuple[str, str]:
    """Ask for the change; the paths in the mails to the old and to the new mailbox."""
    assert me.post("/me/address", {"address": new}).status_code == 303
    sent = send_all(app)
    return link_in(sent[OLD], PREFIX), link_in(sent[new], PREFIX)


def test_both_mailboxes_get_a_question_and_nothing_changes_yet(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    answer = me.post("/me/address", {"address": f"  {NEW} "})
    assert (answer.status_code, answer.location) == (303, "/me/address")
    assert NEW in me.client.get("/me/address").text
    sent = send_all(app)
    assert set(sent) == {OLD, NEW}
    for mail in sent.values():
        assert mail.parsed["Auto-Submitted"] == "auto-generated"
        assert "List-Unsubscribe" not in mail.parsed
    assert "A•••@n•••.example" in sent[OLD].part("plain")
    assert NEW not in sent[OLD].part("plain")
    assert "a•••@e•••.se" in sent[NEW].part("plain")
    assert OLD not in str(sent[NEW].raw)
    session.rollback()
    assert recipient_by_address(session, parse_address(OLD)) is not None


@pytest.mark.parametrize("first", ["old", "new"])
def test_it_is_done_when_both_have_said_yes(app: Flask, session: Session, client: StrictClient, first: str) -> None:
    me = open_own_data(app, session)
    old, new = ask_and_read(app, me)
    order = (old, new) if first == "old" else (new, old)
    assert client.post(order[0], data={"answer": "yes"}).location == order[0]
    assert "Den andra brevlådan har inte bekräftat än" in client.get(order[0]).text
    session.rollback()
    assert recipient_by_address(session, parse_address(NEW)) is None
    session.rollback()
    client.post(order[1], data={"answer": "yes"})
    for path in order:
        assert "Adressen är bytt" in client.get(path).text
    moved = recipient_by_id(session, me.recipient.id)
    session.rollback()
    assert moved is not None
    assert (moved.address, moved.status) == (NEW, RecipientStatus.ACTIVE)
    assert moved.address_index == keyring().address_index(parse_address(NEW).normal)
    assert moved.link_epoch == me.recipient.link_epoch + 1
    domain = session.scalars(select(RecipientRow.domain_index)).one()
    assert domain == keyring().domain_index("ny.example")
    change = changes(session)[0]
    assert (change.done_at is not None, change.cancelled_at, change.new_address) == (True, None, None)


def test_mailers_are_told_and_every_session_and_waiting_link_ends(
    app: Flask, session: Session, client: StrictClient
) -> None:
    me = open_own_data(app, session)
    waiting = ask(app, me.recipient)
    for path in ask_and_read(app, me):
        client.post(path, data={"answer": "yes"})
    told = session.scalars(select(ChangeEventRow).where(ChangeEventRow.recipient_id == me.recipient.id)).all()
    assert [one.type for one in told] == [EventType.RECIPIENT_ADDRESS_CHANGED]
    session.rollback()
    assert me.client.get("/me").location == "/me/closed"
    assert "Set-Cookie" not in browser(app).post(waiting.path, data={"open": "1"}).headers


def test_what_is_mailed_afterwards_goes_to_the_new_address(app: Flask, session: Session, client: StrictClient) -> None:
    me = open_own_data(app, session)
    for path in ask_and_read(app, me):
        client.post(path, data={"answer": "yes"})
    moved = recipient_by_id(session, me.recipient.id)
    session.rollback()
    assert moved is not None
    assert ask(app, moved).message["To"] == NEW
    again = step_up(app, moved)
    assert "Din adress byttes" in again.client.get("/me/address").text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_the_links_changes_nothing(app: Flask, session: Session, client: StrictClient, method: str) -> None:
    me = open_own_data(app, session)
    for path in ask_and_read(app, me):
        assert client.open(path, method=method).status_code == 200
    change = changes(session)[0]
    assert (change.old_confirmed_at, change.new_confirmed_at, change.done_at) == (None, None, None)


@pytest.mark.parametrize("data", [{}, {"answer": ""}, {"answer": "YES"}, {"List-Unsubscribe": "One-Click"}])
def test_a_post_that_is_not_our_button_changes_nothing(
    app: Flask, session: Session, client: StrictClient, data: dict[str, str]
) -> None:
    me = open_own_data(app, session)
    for path in ask_and_read(app, me):
        assert client.post(path, data=data).status_code == 303
    assert changes(session)[0].old_confirmed_at is None
    assert changes(session)[0].cancelled_at is None


def test_a_post_from_another_site_changes_nothing(app: Flask, session: Session, client: StrictClient) -> None:
    me = open_own_data(app, session)
    for path in ask_and_read(app, me):
        client.post(path, data={"answer": "yes"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert changes(session)[0].old_confirmed_at is None


def test_one_mailbox_can_say_yes_for_itself_only(app: Flask, session: Session, client: StrictClient) -> None:
    me = open_own_data(app, session)
    old, _new = ask_and_read(app, me)
    for _ in range(3):
        client.post(old, data={"answer": "yes"})
    change = changes(session)[0]
    assert (change.old_confirmed_at is not None, change.new_confirmed_at, change.done_at) == (True, None, None)


@pytest.mark.parametrize("side", [0, 1])
def test_either_mailbox_can_say_no(app: Flask, session: Session, client: StrictClient, side: int) -> None:
    me = open_own_data(app, session)
    paths = ask_and_read(app, me)
    client.post(paths[1 - side], data={"answer": "yes"})
    client.post(paths[side], data={"answer": "no"})
    client.post(paths[side], data={"answer": "yes"})
    for path in paths:
        assert "Ingenting har ändrats" in client.get(path).text or "Allt är som det var" in client.get(path).text
    change = changes(session)[0]
    assert (change.done_at, change.cancelled_at is not None, change.new_address) == (None, True, None)
    assert me.client.get("/me").status_code == (303 if side == 0 else 200)


def test_asking_anew_replaces_what_waits(app: Flask, session: Session, client: StrictClient) -> None:
    me = open_own_data(app, session)
    first = ask_and_read(app, me)
    ask_and_read(app, me, "annan@ny.example")
    for path in first:
        client.post(path, data={"answer": "yes"})
    session.rollback()
    assert recipient_by_address(session, parse_address(NEW)) is None


def test_a_change_can_be_taken_back(app: Flask, session: Session, client: StrictClient) -> None:
    me = open_own_data(app, session)
    paths = ask_and_read(app, me)
    assert me.post("/me/address/cancel").location == "/me/address"
    for path in paths:
        client.post(path, data={"answer": "yes"})
    assert "togs tillbaka" in me.client.get("/me/address").text
    assert changes(session)[0].done_at is None


def test_seven_days_are_given_and_no_more(app: Flask, session: Session, client: StrictClient) -> None:
    me = open_own_data(app, session)
    old, new = ask_and_read(app, me)
    client.post(old, data={"answer": "yes"})
    with time_machine.travel(datetime.now(UTC) + timedelta(days=7, seconds=1)):
        client.post(new, data={"answer": "yes"})
        assert "Tiden för att bekräfta är slut" in client.get(new).text
    assert changes(session)[0].done_at is None


def test_what_came_to_nothing_is_forgotten(app: Flask, session: Session, client: StrictClient) -> None:
    me = open_own_data(app, session)
    old, _new = ask_and_read(app, me)
    now = datetime.now(UTC)
    assert forget_address_changes(session, now=now + timedelta(days=8)) == 0
    session.commit()
    assert changes(session)[0].new_address is None
    assert forget_address_changes(session, now=now + timedelta(days=38)) == 1
    session.commit()
    assert "Tiden för att bekräfta är slut" in client.get(old).text


def test_moving_back_is_possible_once_the_old_mailbox_agrees_again(
    app: Flask, session: Session, client: StrictClient
) -> None:
    me = open_own_data(app, session)
    for path in ask_and_read(app, me):
        client.post(path, data={"answer": "yes"})
    moved = recipient_by_id(session, me.recipient.id)
    session.rollback()
    assert moved is not None
    back = step_up(app, moved)
    back.post("/me/address", {"address": OLD})
    for mail in send_all(app).values():
        client.post(link_in(mail, PREFIX), data={"answer": "yes"})
    session.rollback()
    assert recipient_by_address(session, parse_address(OLD)) is not None
    stops = {
        (bytes(one.address_index), one.source): one.lifted_at is None for one in session.scalars(select(SuppressionRow))
    }
    assert stops[keyring().address_index(parse_address(OLD).normal), SOURCE] is False
    assert stops[keyring().address_index(parse_address(NEW).normal), SOURCE] is True


def test_blocked_data_keeps_its_address(app: Flask, session: Session, client: StrictClient) -> None:
    me = open_own_data(app, session)
    paths = ask_and_read(app, me)
    me.post("/me/restrict", {"action": "restrict"})
    assert me.post("/me/address", {"address": "x@ny.example"}).status_code == 409
    for path in paths:
        assert "spärrade" in client.get(path).text
        client.post(path, data={"answer": "yes"})
    assert changes(session)[0].done_at is None


@pytest.mark.parametrize("end", ["erase", "storage"])
def test_an_erasure_cancels_a_change_on_its_way(app: Flask, session: Session, client: StrictClient, end: str) -> None:
    me = open_own_data(app, session)
    paths = ask_and_read(app, me)
    client.post(paths[0], data={"answer": "yes"})
    me.post(f"/me/{end}", {"confirm": "erase"})
    client.post(paths[1], data={"answer": "yes"})
    assert client.get(paths[1]).status_code == 200
    assert session.scalars(select(RecipientRow.status)).one() is RecipientStatus.ERASED
    assert changes(session)[0].new_address is None
