"""The session that step-up opens: whose it is, when it ends, and that it is worth nothing anywhere else (T6)."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.capability import Capability
from preferences.models.ledger import LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.models.step_up import StepUpRow
from preferences.services.recipients.erasure import erase_recipient
from preferences.services.recipients.step_up import end_step_ups, forget_step_ups
from preferences.web.access import Access, declared_access
from preferences.web.session import COOKIE
from tests.factories import link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.step_up import SteppedUp, ask, browser, open_own_data, step_up

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def _cookie(me: SteppedUp) -> str:
    found = me.client.get_cookie(COOKIE, path="/me")
    assert found is not None
    return found.value


def test_without_a_session_every_page_of_own_data_leads_to_one_that_says_how(app: Flask, client: StrictClient) -> None:
    tried = 0
    for rule in app.url_map.iter_rules():
        if declared_access(app.view_functions[rule.endpoint]) is not Access.STEP_UP:
            continue
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        for method in (rule.methods or set()) & {"GET", "POST"}:
            answer = client.open(path, method=method)
            unsaved = "?unsaved=1" if method == "POST" and path != "/me/sign-out" else ""
            assert (answer.status_code, answer.location) == (303, f"/me/closed{unsaved}"), path
            tried += 1
    assert tried >= 11
    closed = client.get("/me/closed")
    assert closed.status_code == 200
    assert 'href="/"' in closed.text


def test_every_page_under_me_asks_for_a_session(app: Flask) -> None:
    others = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if re.match(r"/me(/|$)", rule.rule) and declared_access(app.view_functions[rule.endpoint]) is not Access.STEP_UP
    }
    assert others == {"/me/closed", "/me/erased/<reference>"}


@pytest.mark.parametrize(
    "tamper",
    [
        lambda secret: secret[:-1],
        lambda secret: secret + "A",
        lambda secret: ("B" if secret[0] != "B" else "C") + secret[1:],
        lambda secret: secret.swapcase(),
        lambda secret: "",
        lambda secret: "../../etc",
        lambda secret: "A" * 4000,
        lambda secret: hashlib.sha256(secret.encode()).hexdigest()[:43],
    ],
)
def test_a_cookie_that_was_tampered_with_opens_nothing(
    app: Flask, session: Session, client: StrictClient, tamper: object
) -> None:
    secret = _cookie(open_own_data(app, session))
    answer = client.get("/me", headers={"Cookie": f"{COOKIE}={tamper(secret)}"})  # type: ignore[operator]
    assert (answer.status_code, answer.location) == (303, "/me/closed")


def test_what_the_database_holds_opens_nothing(app: Flask, session: Session, client: StrictClient) -> None:
    open_own_data(app, session)
    digest = session.scalars(select(StepUpRow.session_digest)).one()
    assert digest is not None
    assert client.get("/me", headers={"Cookie": f"{COOKIE}={digest.hex()}"}).status_code == 303


def test_a_session_shows_its_own_person_whatever_link_lies_beside_it(app: Flask, session: Session) -> None:
    anna, bo = open_own_data(app, session), open_own_data(app, session, "bo@example.se")
    anna.client.get(f"/p/{link(bo.recipient, capability=Capability.PREFERENCES)}")
    assert "anna@example.se" in anna.client.get("/me").text
    assert "bo@example.se" in bo.client.get("/me").text
    assert "anna@example.se" not in bo.client.get("/me/print").text


def test_token_pages_never_look_at_the_session(app: Flask, session: Session, client: StrictClient) -> None:
    anna, bo = open_own_data(app, session), make_recipient(session, "bo@example.se")
    marketing = purpose(session, "surveys")
    secret = _cookie(anna)
    for path in (
        f"/u/{link(bo, marketing)}",
        f"/p/{link(bo, capability=Capability.PREFERENCES)}",
        f"/s/{link(bo, capability=Capability.PREFERENCES)}/code",
    ):
        with_session = client.get(path, headers={"Cookie": f"{COOKIE}={secret}"})
        assert with_session.data == client.get(path).data
        assert "anna@example.se" not in with_session.text
    token = link(bo, marketing)
    client.post(f"/u/{token}", data=ONE_CLICK, headers={"Cookie": f"{COOKIE}={secret}"})
    preferences = f"/p/{link(bo, capability=Capability.PREFERENCES)}"
    client.post(preferences, data={"action": "stop"}, headers={"Cookie": f"{COOKIE}={secret}"})
    assert set(session.scalars(select(LedgerEntryRow.recipient_id))) == {bo.id}


def test_the_browser_sends_the_cookie_to_own_data_only(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    token = link(me.recipient, capability=Capability.PREFERENCES)
    assert COOKIE + "=" not in me.client.get(f"/p/{token}").request.headers.get("Cookie", "")
    assert COOKIE + "=" in me.client.get("/me/data").request.headers.get("Cookie", "")


def test_signing_out_ends_the_session_for_every_tab(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    secret, csrf = _cookie(me), me.csrf()
    answer = me.post("/me/sign-out")
    assert (answer.status_code, answer.location) == (303, "/me/closed")
    assert "me=;" in answer.headers["Set-Cookie"]
    assert me.client.get("/me").location == "/me/closed"
    other_tab = browser(app)
    late = other_tab.post("/me/why", data={"csrf": csrf, "link": "x"}, headers={"Cookie": f"{COOKIE}={secret}"})
    assert (late.status_code, late.location) == (303, "/me/closed?unsaved=1")
    assert "sparades inte" in other_tab.get(late.location).text


def test_going_back_after_signing_out_asks_the_server_and_shows_nothing(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    assert me.client.get("/me/data").headers["Cache-Control"] == "no-store"
    me.post("/me/sign-out")
    assert me.client.get("/me/data").status_code == 303


def test_two_devices_have_a_session_each(app: Flask, session: Session) -> None:
    phone = open_own_data(app, session)
    desk = step_up(app, phone.recipient)
    phone.post("/me/sign-out")
    assert phone.client.get("/me").status_code == 303
    assert desk.client.get("/me").status_code == 200


@pytest.mark.parametrize("data", [{}, {"csrf": ""}, {"csrf": "A" * 43}, {"csrf": "å"}, {"CSRF": "x"}])
def test_a_form_without_the_sessions_own_token_changes_nothing(
    app: Flask, session: Session, data: dict[str, str]
) -> None:
    me = open_own_data(app, session)
    answer = me.client.post("/me/sign-out", data=data)
    assert answer.status_code == 400
    assert me.client.get("/me").status_code == 200


def test_one_sessions_form_is_worth_nothing_in_another(app: Flask, session: Session) -> None:
    anna, bo = open_own_data(app, session), open_own_data(app, session, "bo@example.se")
    assert bo.client.post("/me/sign-out", data={"csrf": anna.csrf()}).status_code == 400
    assert bo.client.get("/me").status_code == 200


def test_the_token_in_the_query_is_no_token(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    assert me.client.post(f"/me/sign-out?csrf={me.csrf()}").status_code == 400


def test_an_erasure_ends_every_session_and_request(app: Flask, session: Session, client: StrictClient) -> None:
    me = open_own_data(app, session)
    erase_recipient(session, me.recipient.id, source="test", now=datetime.now(UTC))
    session.commit()
    assert me.client.get("/me").location == "/me/closed"
    assert session.scalars(select(StepUpRow).where(StepUpRow.ended_at.is_(None))).all() == []


def test_a_change_of_address_can_end_every_session_and_request(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    waiting = ask(app, me.recipient)
    end_step_ups(session, me.recipient.id, now=datetime.now(UTC))
    session.commit()
    assert me.client.get("/me").status_code == 303
    assert "Set-Cookie" not in me.client.post(waiting.path, data={"open": "1"}).headers
    assert "Set-Cookie" not in me.client.post(f"/s/{waiting.asked_from}/code", data={"code": waiting.code}).headers


def test_a_link_of_an_older_epoch_opens_nothing(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    waiting = ask(app, anna)
    session.execute(update(RecipientRow).where(RecipientRow.id == anna.id).values(link_epoch=2))
    session.commit()
    assert "Set-Cookie" not in browser(app).post(waiting.path, data={"open": "1"}).headers


def test_old_requests_are_forgotten(app: Flask, session: Session) -> None:
    open_own_data(app, session)
    now = datetime.now(UTC)
    assert forget_step_ups(session, now=now + timedelta(days=29)) == 0
    assert forget_step_ups(session, now=now + timedelta(days=31)) == 1
