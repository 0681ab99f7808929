"""Asking for a change of address tells nothing about the address asked for, floods nobody, takes nobody else's (T11, T27)."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.address import parse_address
from preferences.domain.capability import Capability
from preferences.domain.suppression import SuppressionReason
from preferences.models.crypto import keyring
from preferences.models.outbox import OutboxJobRow
from preferences.queries.recipients.recipients import recipient_by_address
from preferences.services.choices.suppression import suppress
from tests.factories import link, make_recipient
from tests.support.client import StrictClient
from tests.support.page import Page
from tests.support.rights import changes, send_all
from tests.support.step_up import open_own_data

from .test_address_change import NEW, OLD, PREFIX, ask_and_read


@pytest.mark.parametrize("taken", [False, True])
def test_asking_answers_the_same_whether_the_address_is_somebodys_or_not(
    app: Flask, session: Session, taken: bool
) -> None:
    me = open_own_data(app, session)
    if taken:
        make_recipient(session, NEW)
    answer = me.post("/me/address", {"address": NEW})
    assert (answer.status_code, answer.location) == (303, "/me/address")
    page = Page(me.client.get("/me/address"))
    text = re.sub(r"senast [^.]+\.", "", page.text)
    assert "inte bekräftad än" in text
    assert "Vi har skrivit till båda brevlådorna" in text
    sent = send_all(app)
    assert set(sent) == {OLD, NEW}
    assert (PREFIX in sent[NEW].part("plain")) is not taken
    assert ("Vi har redan den här adressen" in str(sent[NEW].parsed["Subject"])) is taken
    for path in ("/me/data", "/me/print", "/me/export.json"):
        assert "dropped" not in me.client.get(path).text


def test_an_address_that_becomes_somebodys_meanwhile_is_not_taken_from_them(
    app: Flask, session: Session, client: StrictClient
) -> None:
    me = open_own_data(app, session)
    paths = ask_and_read(app, me)
    bo = make_recipient(session, NEW)
    for path in paths:
        client.post(path, data={"answer": "yes"})
    session.rollback()
    found = recipient_by_address(session, parse_address(NEW))
    assert found is not None
    assert found.id == bo.id
    session.rollback()
    assert recipient_by_address(session, parse_address(OLD)) is not None
    session.rollback()
    assert changes(session)[0].cancelled_at is not None
    assert "Allt är som det var" in client.get(paths[1]).text


@pytest.mark.parametrize("reason", [SuppressionReason.ERASED, SuppressionReason.HARD_BOUNCE, SuppressionReason.MANUAL])
def test_an_address_that_must_not_be_written_to_is_not_and_nobody_is_told(
    app: Flask, session: Session, reason: SuppressionReason, now: datetime
) -> None:
    me = open_own_data(app, session)
    index = keyring().address_index(parse_address(NEW).normal)
    suppress(session, address_index=index, reason=reason, source="test", now=now)
    session.commit()
    assert me.post("/me/address", {"address": NEW}).status_code == 303
    assert set(send_all(app)) == {OLD}
    assert "inte bekräftad än" in me.client.get("/me/address").text
    for path in ("/me/data", "/me/print"):
        assert "inte skickat" not in me.client.get(path).text


@pytest.mark.parametrize("same", [OLD, "ANNA@EXAMPLE.SE", " Anna@Example.se "])
def test_the_present_address_is_refused(app: Flask, session: Session, same: str) -> None:
    me = open_own_data(app, session)
    answer = me.post("/me/address", {"address": same})
    assert answer.status_code == 422
    assert "Den adressen har vi redan" in answer.text
    assert changes(session) == []


@pytest.mark.parametrize(
    "typed",
    ["", " ", "anna", "a@b", "<script>@x.se", "a@x.se\r\nBcc: b@x.se", "x" * 250 + "@x.se", "\x00", "a@x.se,b@x.se"],
)
def test_what_is_no_address_comes_back_with_the_reason(app: Flask, session: Session, typed: str) -> None:
    me = open_own_data(app, session)
    answer = me.post("/me/address", {"address": typed})
    assert answer.status_code == 422
    assert re.search(r"<title>\s*Fel:", answer.text)
    assert 'href="#field-address"' in answer.text
    assert "<script>@" not in answer.text
    assert changes(session) == []
    assert me.post("/me/address", {}).status_code == 422


def test_three_changes_a_day_may_be_asked_for(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    for number in range(3):
        assert me.post("/me/address", {"address": f"x{number}@ny.example"}).status_code == 303
    assert me.post("/me/address", {"address": "x4@ny.example"}).status_code == 429
    assert len(changes(session)) == 3


def test_nobody_is_flooded_by_many_people_who_name_the_same_address(app: Flask, session: Session) -> None:
    got = 0
    for number in range(5):
        me = open_own_data(app, session, f"p{number}@example.se")
        assert me.post("/me/address", {"address": NEW}).status_code == 303
        got += NEW in send_all(app)
    assert got == 3


def test_nothing_about_the_new_address_lies_in_a_job(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    me.post("/me/address", {"address": NEW})
    assert not any(NEW in str(job.payload) for job in session.scalars(select(OutboxJobRow)))


@pytest.mark.parametrize(
    "capability", [one for one in Capability if one not in {Capability.ADDRESS_OLD, Capability.ADDRESS_NEW}]
)
def test_no_other_link_answers(app: Flask, session: Session, client: StrictClient, capability: Capability) -> None:
    me = open_own_data(app, session)
    ask_and_read(app, me)
    token = link(me.recipient, capability=capability, reference=changes(session)[0].id)
    assert client.get(PREFIX + token).status_code == 404
    assert client.post(PREFIX + token, data={"answer": "yes"}).status_code == 404
    assert changes(session)[0].old_confirmed_at is None


@pytest.mark.parametrize("capability", [Capability.ADDRESS_OLD, Capability.ADDRESS_NEW])
def test_a_signed_link_to_another_persons_change_answers_nothing(
    app: Flask, session: Session, client: StrictClient, capability: Capability
) -> None:
    me, bo = open_own_data(app, session), make_recipient(session, "bo@example.se")
    ask_and_read(app, me)
    path = PREFIX + link(bo, capability=capability, reference=changes(session)[0].id)
    client.post(path, data={"answer": "yes"})
    client.post(path, data={"answer": "no"})
    change = changes(session)[0]
    assert (change.old_confirmed_at, change.new_confirmed_at, change.cancelled_at) == (None, None, None)
