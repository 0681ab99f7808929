"""Signing in to the admin pages: both factors, and what every attack on them gets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.domain.roles import Role
from preferences.models.staff import SignInFailureRow, StaffRow, StaffSessionRow
from preferences.services.staff.sign_in import make_recovery_codes
from preferences.services.staff.staff import disable_staff
from tests.support.client import StrictClient
from tests.support.page import Page
from tests.support.staff import (
    PASSWORD,
    StaffBrowser,
    audited,
    browser,
    code_of,
    make_staff,
    signed_in,
    signed_in_as,
    token_on,
)

ADDRESS = "stina@example.se"
FORM = "/admin/sign-in"
CODE = "/admin/sign-in/code"


def give_password(
    client: StrictClient, password: str = PASSWORD, address: str = ADDRESS, onward: str = ""
) -> TestResponse:
    token = token_on(client.get(FORM, query_string={"next": onward} if onward else {}))
    return client.post(FORM, data={"csrf": token, "address": address, "password": password, "next": onward})


def give_code(client: StrictClient, code: str, **more: str) -> TestResponse:
    return client.post(CODE, data={"csrf": token_on(client.get(CODE)), "code": code, **more})


def test_password_and_code_open_the_pages(app: Flask, session: Session) -> None:
    stina, client = make_staff(session), browser(app)
    assert client.get("/admin").location == FORM
    answer = give_password(client)
    assert (answer.status_code, answer.location) == (303, CODE)
    assert client.get("/admin").location == FORM, "a password alone opens nothing"
    answer = give_code(client, code_of(session, stina))
    assert (answer.status_code, answer.location) == (303, "/admin")
    page = Page(client.get("/admin"))
    assert "Stina Berg" in page.text
    assert audited(session) == ["staff_created", "signed_in"]


def test_cookie_is_out_of_reach_of_scripts_other_sites_and_other_pages(app: Flask, session: Session) -> None:
    make_staff(session)
    client = browser(app)
    for answer in (client.get(FORM), give_password(client)):
        (cookie,) = answer.headers.getlist("Set-Cookie")
        parts = {part.strip() for part in cookie.split(";")}
        assert {"HttpOnly", "Secure", "Path=/admin", "SameSite=Strict"} <= parts
        assert not any(part.startswith(("Expires", "Max-Age", "Domain")) for part in parts)
        assert answer.headers["Cache-Control"] == "no-store"


def test_every_step_gets_a_new_secret(app: Flask, session: Session) -> None:
    """Session fixation: what an attacker put into the browser is worth nothing after the sign-in."""
    stina, client = make_staff(session), browser(app)
    planted = "x" * 43
    client.set_cookie("admin", planted, path="/admin")
    give_password(client)
    half = client.get_cookie("admin", path="/admin")
    give_code(client, code_of(session, stina))
    whole = client.get_cookie("admin", path="/admin")
    assert half is not None
    assert whole is not None
    assert len({planted, half.value, whole.value}) == 3
    for worthless in (planted, half.value):
        other = browser(app)
        other.set_cookie("admin", worthless, path="/admin")
        assert other.get("/admin").location == FORM


def test_code_works_once(app: Flask, session: Session) -> None:
    stina, client = make_staff(session), browser(app)
    code = code_of(session, stina)
    give_password(client)
    assert give_code(client, code).status_code == 303
    again = browser(app)
    give_password(again)
    answer = give_code(again, code)
    assert answer.status_code == 422
    assert "används" in Page(answer).text or "använts" in Page(answer).text
    assert give_code(again, code_of(session, stina, steps=1)).status_code == 303


def test_codes_of_the_steps_beside_count_and_no_others(app: Flask, session: Session) -> None:
    stina, client = make_staff(session), browser(app)
    give_password(client)
    for steps in (-2, 2):
        assert give_code(client, code_of(session, stina, steps=steps)).status_code == 422
    later = code_of(session, stina, steps=1)
    assert give_code(client, f" {later[:3]} {later[3:]} ").status_code == 303


@pytest.mark.parametrize("code", ["", "000000", "abcdef", "１２３４５６", "1" * 10_000, "12345\x00", "'; --"])
def test_a_wrong_code_opens_nothing(app: Flask, session: Session, code: str) -> None:
    make_staff(session)
    client = browser(app)
    give_password(client)
    assert give_code(client, code).status_code == 422
    assert client.get("/admin").location == FORM


def test_wrong_password_reads_the_same_for_everybody(app: Flask, session: Session) -> None:
    stina = make_staff(session)
    make_staff(session, Role.VIEWER, "gone@example.se")
    session.execute(update(StaffRow).where(StaffRow.id != stina.id).values(disabled_at=datetime.now(UTC)))
    session.commit()
    client = browser(app)
    answers = {
        Page(give_password(client, password, address)).text
        for address, password in (
            (ADDRESS, "wrong password"),
            ("nobody@example.se", PASSWORD),
            ("gone@example.se", PASSWORD),
            ("not an address", PASSWORD),
            ("", ""),
        )
    }
    assert len(answers) == 1
    assert "hör inte ihop" in answers.pop()


def test_after_five_wrong_passwords_the_right_one_is_not_looked_at(app: Flask, session: Session) -> None:
    make_staff(session)
    client = browser(app)
    for address in (ADDRESS, "nobody@example.se"):
        statuses = [give_password(client, f"wrong {number}", address).status_code for number in range(6)]
        assert statuses == [422] * 5 + [429], "whether the account exists is not told"
    assert give_password(client).status_code == 429
    found = audited(session)
    assert (found.count("sign_in_refused"), found.count("sign_in_locked")) == (10, 2), "said once each, not for ever"
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16), tick=False):
        assert give_password(client).location == CODE


def test_one_client_is_locked_out_over_all_accounts_and_others_go_on(app: Flask, session: Session) -> None:
    make_staff(session)
    client = browser(app)
    now = datetime.now(UTC)
    give_password(client, "wrong")
    subjects = session.scalars(select(SignInFailureRow.subject).where(SignInFailureRow.kind == "client")).one()
    session.add_all([SignInFailureRow(kind="client", subject=subjects, failed_at=now) for _ in range(30)])
    session.commit()
    assert give_password(client).status_code == 429
    token = token_on(client.get(FORM))
    answer = client.post(
        FORM,
        data={"csrf": token, "address": ADDRESS, "password": PASSWORD},
        environ_overrides={"REMOTE_ADDR": "203.0.113.9"},
    )
    assert answer.status_code == 303


def test_five_wrong_codes_end_it_and_the_password_has_to_wait(app: Flask, session: Session) -> None:
    stina, client = make_staff(session), browser(app)
    give_password(client)
    assert [give_code(client, "000000").status_code for _ in range(5)] == [422] * 5
    assert give_code(client, code_of(session, stina)).status_code == 429
    assert client.get(CODE).location == FORM
    give_password(client)
    assert give_code(client, code_of(session, stina)).status_code == 429
    assert audited(session).count("sign_in_refused") == 5


def test_right_password_takes_back_what_was_counted(app: Flask, session: Session) -> None:
    make_staff(session)
    client = browser(app)
    for _ in range(4):
        give_password(client, "wrong")
    give_password(client)
    left = session.execute(select(SignInFailureRow.kind, func.count()).group_by(SignInFailureRow.kind)).all()
    assert {kind.value: count for kind, count in left} == {"client": 4, "account": 4}


def test_recovery_code_works_once_in_any_writing(app: Flask, session: Session) -> None:
    stina = make_staff(session)
    codes = make_recovery_codes(session, stina.id, now=datetime.now(UTC)).codes
    session.commit()
    for code, status in ((codes[0].lower().replace("-", " "), 303), (codes[0], 422), ("", 422), (codes[1], 303)):
        client = browser(app)
        give_password(client)
        answer = client.post(CODE, data={"csrf": token_on(client.get(CODE)), "kind": "recovery", "recovery": code})
        assert answer.status_code == status, code
    assert audited(session).count("recovery_code_used") == 2


def test_half_a_session_is_over_after_ten_minutes(app: Flask, session: Session) -> None:
    stina, client = make_staff(session), browser(app)
    give_password(client)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11), tick=False):
        assert client.get(CODE).location == FORM
        assert client.post(CODE, data={"csrf": "x", "code": code_of(session, stina)}).status_code == 303


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/admin",
        "//evil.example/admin",
        "/\\evil.example",
        "/admin/../../evil",
        "/admin//evil.example",
        "javascript:alert(1)",
        "/me",
        "/admin\r\nSet-Cookie: x=1",
        "/administrator",
        "/admin/sign-in",
        "/admin/kön",
    ],
)
def test_sign_in_never_leads_to_another_place(app: Flask, session: Session, onward: str) -> None:
    stina, client = make_staff(session), browser(app)
    assert give_password(client, onward=onward).location == CODE
    assert give_code(client, code_of(session, stina), next=onward).location == "/admin"


def test_sign_in_leads_back_to_where_one_was_going(app: Flask, session: Session) -> None:
    stina, client = make_staff(session), browser(app)
    asked = client.get("/admin/audit?action=signed_in").location
    assert asked == "/admin/sign-in?next=/admin/audit%3Faction%3Dsigned_in"
    onward = "/admin/audit?action=signed_in"
    assert give_password(client, onward=onward).location == f"{CODE}?next=/admin/audit%3Faction%3Dsigned_in"
    assert give_code(client, code_of(session, stina), next=onward).location == onward


def test_signing_out_ends_the_session_itself(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    cookie = stina.client.get_cookie("admin", path="/admin")
    assert cookie is not None
    assert stina.post("/admin/sign-out").location == FORM
    again = browser(app)
    again.set_cookie("admin", cookie.value, path="/admin")
    assert again.get("/admin").location == FORM
    assert audited(session)[-1] == "signed_out"


def test_whoever_is_disabled_is_out_with_the_next_page(app: Flask, session: Session) -> None:
    make_staff(session, address="other@example.se")
    stina = signed_in(app, session)
    assert stina.get("/admin").status_code == 200
    disable_staff(session, stina.staff.id, by=None, now=datetime.now(UTC))
    session.commit()
    assert stina.get("/admin").location == FORM


@pytest.mark.parametrize(("idle", "lasts"), [(timedelta(minutes=59), True), (timedelta(minutes=61), False)])
def test_idle_session_ends(app: Flask, session: Session, idle: timedelta, lasts: bool) -> None:
    stina = signed_in(app, session, at=datetime.now(UTC) - idle)
    assert (stina.get("/admin").status_code == 200) is lasts


def test_busy_session_ends_after_a_working_day(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    now = datetime.now(UTC)
    session.execute(update(StaffSessionRow).values(started_at=now - timedelta(hours=12, minutes=1)))
    session.commit()
    assert stina.get("/admin").location == FORM


def test_language_of_the_account_is_spoken_everywhere(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    assert Page(stina.get("/admin", headers={"Accept-Language": "en"})).language == "sv"
    assert stina.post("/admin/account/language", {"language": "en", "back": "/admin/staff"}).location == "/admin/staff"
    assert Page(stina.get("/admin")).language == "en"
    assert stina.post("/admin/account/language", {"language": "xx"}).status_code == 400


def test_one_can_end_ones_own_sessions_and_nobody_elses(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    elsewhere: StaffBrowser = signed_in_as(app, session, stina.staff)
    other = signed_in(app, session, Role.VIEWER, "other@example.se")
    ids = {row.staff_id: row.id for row in session.scalars(select(StaffSessionRow).order_by(StaffSessionRow.id))}
    session.commit()
    assert stina.post(f"/admin/account/sessions/{ids[other.staff.id]}/end").status_code == 404
    assert other.get("/admin").status_code == 200
    assert stina.post(f"/admin/account/sessions/{ids[stina.staff.id]}/end").location == "/admin/account?done=ended"
    assert elsewhere.get("/admin").location == FORM
    assert stina.get("/admin").status_code == 200
