"""Single sign-on: who is kept out, what forged and late answers get, and what the page and the log say of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.domain.roles import Role
from preferences.models.single_sign_on import FinishedRoundRow, StaffIdentityRow
from preferences.services.staff.limits import forget_failures
from preferences.services.staff.staff import disable_staff
from preferences.web.admin.staff import round_cookie
from tests.support.authenticator import Authenticator
from tests.support.client import StrictClient
from tests.support.identity_provider import CLIENT_SECRET, FakeProvider
from tests.support.logs import log_lines
from tests.support.page import Page
from tests.support.passkeys import add, sign_in_alone
from tests.support.sign_on import START, Configure, entries, go_round, why
from tests.support.staff import PASSWORD, browser, make_staff, signed_in, token_on


def test_without_its_settings_there_is_no_single_sign_on(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    assert START not in browser(app).get("/admin/sign-in").text
    for path in (START, f"{START}/return", f"{START}/again"):
        assert stina.get(path).status_code in {303, 404}, path
    assert browser(app).get(START).status_code == 404
    assert browser(app).post(f"{START}/return").status_code == 404


def test_answer_counts_once_in_the_browser_that_asked_for_ten_minutes(
    app: Flask, session: Session, fake: FakeProvider
) -> None:
    make_staff(session)
    client, now = browser(app), datetime.now(UTC)
    back = fake.welcome(client.get(START).location)
    fields = Page(client.get(back)).forms()[-1].fields
    kept = client.get_cookie(round_cookie.COOKIE, path=START)
    assert kept is not None

    def send(other: StrictClient, cookie: str | None = None, **changes: str) -> TestResponse:
        if cookie is not None:
            other.set_cookie(round_cookie.COOKIE, cookie, path=START)
        return other.post(f"{START}/return", data=fields | changes)

    assert send(browser(app)).status_code == 403, "another browser"
    assert send(browser(app), kept.value, state="s" * 43).status_code == 403, "another state"
    assert send(browser(app), kept.value, state="").status_code == 403, "no state"
    assert send(browser(app), kept.value, state="å" * 43).status_code == 403
    assert send(browser(app), kept.value[:-2] + "xx").status_code == 403, "a cookie we did not sign"
    assert send(browser(app), kept.value, iss="https://evil.example").status_code == 403, "mix-up"
    assert fake.asked.count("/token") == 0
    assert entries(session, "single_sign_on_refused") == []
    assert send(browser(app), kept.value).status_code == 303
    assert fake.asked.count("/token") == 1
    assert send(browser(app), kept.value).status_code == 403, "the same once more"
    assert send(client).status_code == 403
    assert fake.asked.count("/token") == 1
    assert client.get(f"{START}/return").status_code == 403
    assert forget_failures(session, now=now + timedelta(days=3)) == 1
    assert session.scalars(select(FinishedRoundRow)).all() == []


def test_errors_of_the_provider_are_pages_that_say_what_to_do(app: Flask, session: Session, fake: FakeProvider) -> None:
    with log_lines() as written:
        client = browser(app)
        state = parse_qs(urlsplit(client.get(START).location or "").query)["state"][0]
        known = {"access_denied": "blev svaret nej", "server_error": "fel", "<script>": "fel"}
        for error, word in known.items():
            answer = client.get(
                f"{START}/return", query_string={"error": error, "state": state, "error_description": "<b>"}
            )
            assert answer.status_code == 403
            assert word in Page(answer).text
            assert "<b>" not in answer.text
        assert client.get(f"{START}/return", query_string={"error": "access_denied", "state": "x"}).status_code == 403
        assert client.get(f"{START}/return", query_string={"state": state}).status_code == 403
        fake.instead["/token"] = (400, b'{"error": "invalid_grant"}')
        assert why(go_round(client, fake), session) == "code_refused"
        fake.instead["/token"] = (200, b"nonsense")
        assert why(go_round(client, fake), session) == "unusable"
        fake.fresh().person["exp"] = 1
        assert why(go_round(client, fake), session) == "clock"
        app.extensions.pop("preferences.identity_provider")
        fake.instead["/realms/staff/.well-known/openid-configuration"] = (503, b"")
        answer = client.get(START)
        assert answer.status_code == 403
        assert "Vi kan inte nå Kundbolaget" in Page(answer).text
    logged = written.getvalue()
    assert "single_sign_on_refused" in logged
    assert not any(secret in logged for secret in (state, "code-", "stina@", CLIENT_SECRET, "access_token"))


def test_address_lets_in_only_when_it_is_vouched_for_and_invited(
    app: Flask, session: Session, fake: FakeProvider
) -> None:
    stina = make_staff(session)
    for changes, reason in (
        ({"email_verified": False}, "unverified"),
        ({"email_verified": None}, "unverified"),
        ({"email": None}, "unverified"),
        ({"email": "no address"}, "unverified"),
        ({"email": "eva@example.se"}, "not_invited"),
    ):
        fake.fresh().person |= changes
        assert why(go_round(browser(app), fake), session) == reason
    fake.fresh()
    assert go_round(browser(app), fake).status_code == 303
    fake.person |= {"sub": "another-account"}
    assert why(go_round(browser(app), fake), session) == "somebody_else", "an address that was given to somebody new"
    fake.fresh().person |= {"email": "stina.new@example.se", "email_verified": False}
    assert go_round(browser(app), fake).status_code == 303, "the account counts, whatever its address has become"
    make_staff(session, address="eva@example.se", name="Eva Ek")
    disable_staff(session, stina.id, by=None, now=datetime.now(UTC))
    session.commit()
    assert why(go_round(browser(app), fake), session) == "disabled"
    assert session.scalar(select(StaffIdentityRow.staff_id)) == stina.id


def test_passwords_can_be_left_to_administrators_who_are_never_locked_out(
    app: Flask, session: Session, configure: Configure
) -> None:
    configure(oidc_passwords="administrators")
    make_staff(session, Role.ADMINISTRATOR)
    make_staff(session, Role.MARKETER, "eva@example.se", name="Eva Ek")

    def give(address: str, password: str = PASSWORD) -> TestResponse:
        client = browser(app)
        token = token_on(client.get("/admin/sign-in"))
        return client.post("/admin/sign-in", data={"csrf": token, "address": address, "password": password})

    assert give("stina@example.se").location == "/admin/sign-in/code"
    turned_away = give("eva@example.se")
    assert turned_away.status_code == 422
    assert "Du loggar in med Kundbolaget" in Page(turned_away).text
    assert entries(session, "sign_in_refused") == [{"why": "provider_only"}]
    assert "Du loggar in med Kundbolaget" not in give("eva@example.se", "something else").text
    for role, address, status in ((Role.VIEWER, "mats@example.se", 422), (Role.ADMINISTRATOR, "ada@example.se", 303)):
        key = Authenticator()
        add(signed_in(app, session, role, address), key)
        assert sign_in_alone(app, key).status_code == status, "a passkey, too"


def test_way_back_leads_nowhere_but_to_our_own_pages(app: Flask, session: Session, fake: FakeProvider) -> None:
    make_staff(session)
    for onward in ("https://evil.example", "//evil.example/admin", "/admin/../x", f"{START}/again", "/admin\\@evil"):
        assert go_round(browser(app), fake, f"{START}?next={onward}").location == "/admin"


def test_self_check_says_whether_the_provider_can_be_reached(
    app: Flask, session: Session, fake: FakeProvider, configure: Configure
) -> None:
    boss = signed_in(app, session)
    page = boss.get("/admin/settings").text
    assert f"{START}/return" in page
    assert CLIENT_SECRET not in page
    configure(oidc_label="Other")
    fake.discovery["issuer"] = "https://somebody.example"
    assert "kallar sig något annat" in boss.get("/admin/settings").text
    configure(oidc_label="Third")
    fake.instead["/realms/staff/.well-known/openid-configuration"] = (200, b"[")
    assert "discovery_malformed" in boss.get("/admin/settings").text
