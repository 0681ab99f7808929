"""Attacks that mix ways to sign in, race, or bend addresses; and refusals that are nobody's secret."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.errors import Conflict
from preferences.domain.roles import Role
from preferences.domain.single_sign_on import Vouched
from preferences.models.audit import AuditRow
from preferences.models.outbox import OutboxJobRow
from preferences.models.staff import StaffRow
from preferences.models.transaction import transaction
from preferences.services.staff.account_mail import prepare_account_mail
from preferences.services.staff.invitations import make_invitation
from preferences.services.staff.sessions import Begun
from preferences.services.staff.sign_in import make_recovery_codes
from preferences.services.staff.single_sign_on import sign_in_with_identity
from preferences.services.staff.staff import NewStaff, change_role, create_staff
from preferences.web.admin.guard import safe_next
from preferences.web.admin.staff import round_cookie
from tests.support.identity_provider import FakeProvider
from tests.support.page import Page
from tests.support.passkeys import CODE, half_way
from tests.support.sign_on import START, Configure, entries, finish, go_round
from tests.support.staff import browser, make_staff, signed_in, signed_in_as, token_on

NEW_PASSWORD = "sju blåa åsar bakom skogen"


def test_two_first_sign_ins_of_somebody_new_at_once_are_one_person_who_gets_in_twice(
    app: Flask, session: Session, fake: FakeProvider, configure: Configure
) -> None:
    rules = configure(oidc_roles=("desk=marketer",), oidc_new_staff_domains=("example.se",)).sign_on
    assert rules is not None
    vouched = Vouched(
        issuer=rules.issuer,
        subject="7",
        address="stina@example.se",
        is_verified=True,
        name="Stina",
        groups=frozenset({"desk"}),
        methods=frozenset(),
        context="",
        proved_at=None,
    )
    new = NewStaff(address="stina@example.se", name="Stina", role=Role.MARKETER, locale="sv")
    came: list[object] = []

    def second() -> None:
        with app.app_context():
            with transaction() as own:
                came.append(sign_in_with_identity(own, vouched, rules, browser="?", locale="sv", now=datetime.now(UTC)))
            try:
                with transaction() as own:
                    create_staff(own, new, by=None, now=datetime.now(UTC))
            except Conflict as refused:
                came.append(refused)

    thread = threading.Thread(target=second)
    with app.app_context(), transaction() as first:
        came.append(sign_in_with_identity(first, vouched, rules, browser="?", locale="sv", now=datetime.now(UTC)))
        thread.start()
        time.sleep(0.2)
    thread.join()
    assert [type(one) for one in came] == [Begun, Begun, Conflict]
    assert session.scalar(select(func.count()).select_from(StaffRow)) == 1
    assert len(entries(session, "identity_linked")) == 1
    assert len(entries(session, "signed_in")) == 2


def test_no_at_the_provider_stands_in_the_audit_of_whoever_was_asked_to_prove_it_once_more(
    app: Flask, session: Session, fake: FakeProvider
) -> None:
    stina = make_staff(session)
    here = signed_in_as(app, session, stina)
    state = parse_qs(urlsplit(here.get(f"{START}/again").location or "").query)["state"][0]
    back = f"{START}/return?state={state}&error=access_denied"
    asked = here.client.get(back)
    assert (asked.status_code, Page(asked).title.split(" – ")[0]) == (200, "Nästan klart")
    assert entries(session, "single_sign_on_refused") == [], "a GET changes nothing"
    refused = finish(here.client, back)
    assert "blev svaret nej" in Page(refused).text
    assert here.get(back).status_code == 403, "the browser has forgotten the round"
    session.commit()
    [row] = session.scalars(select(AuditRow).where(AuditRow.action == "single_sign_on_refused"))
    assert (row.staff_id, dict(row.data or {})["why"]) == (stina.id, "denied"), "once"
    session.commit()
    fake.instead["/token"] = (400, b"{}")
    go_round(here.client, fake, f"{START}/again")
    session.commit()
    whose = session.scalars(select(AuditRow.staff_id).where(AuditRow.action == "single_sign_on_refused"))
    assert list(whose) == [stina.id, stina.id]


def test_whoever_has_a_password_is_told_of_the_first_single_sign_on_and_of_a_recovery_code_that_was_used(
    app: Flask, session: Session, fake: FakeProvider
) -> None:
    stina = make_staff(session)
    for _ in range(2):
        assert go_round(browser(app), fake).status_code == 303
    [code, *_] = make_recovery_codes(session, stina.id, now=datetime.now(UTC)).codes
    session.commit()
    client = half_way(app)
    data = {"csrf": token_on(client.get(CODE)), "kind": "recovery", "recovery": code}
    assert client.post(CODE, data=data).status_code == 303
    payloads = [dict(one) for one in session.scalars(select(OutboxJobRow.payload).order_by(OutboxJobRow.id))]
    assert [one["change"] for one in payloads] == ["identity_linked", "recovery_code_used"]
    mails = [prepare_account_mail(session, one, base_url="https://x.example") for one in payloads]
    assert {one.address for one in mails} == {"stina@example.se"}


def test_page_that_holds_the_providers_answer_has_no_link_that_loses_it(
    app: Flask, session: Session, fake: FakeProvider
) -> None:
    make_staff(session)
    client = browser(app)
    page = Page(client.get(fake.welcome(client.get(START).location)))
    assert [link.get("href", "") for link in page.all("a")] == ["#content"]


def test_addresses_that_are_none_lead_home_and_break_no_page(app: Flask, session: Session, fake: FakeProvider) -> None:
    client = browser(app)
    for odd in (
        "//[",
        "http://[",
        "//]",
        "https://[::1",
        "/admin\x00",
        "/admin\r\nSet-Cookie: a=b",
        "//evil.example/admin",
    ):
        assert safe_next(odd) == "/admin", odd
        assert client.get("/admin/sign-in", query_string={"next": odd}).status_code == 200, odd
    make_staff(session)
    long = "/admin/recipients?q=" + "x" * 3_000
    assert go_round(client, fake, f"{START}?next={long}").location == "/admin"
    kept = client.get_cookie(round_cookie.COOKIE, path=START)
    assert kept is None or len(kept.value) < round_cookie.MOST_CHARACTERS


def test_sign_in_that_was_begun_before_the_role_changed_begins_again(
    app: Flask, session: Session, configure: Configure
) -> None:
    """With passwords left to administrators, a password given as one opens nothing for whoever is none any more."""
    configure(oidc_passwords="administrators")
    stina = make_staff(session)
    make_staff(session, address="boss@example.se")
    client = half_way(app)
    change_role(session, stina.id, Role.VIEWER, by=None, now=datetime.now(UTC))
    session.commit()
    for path in ("/admin/sign-in/code", "/admin/enrol", "/admin"):
        assert (client.get(path).location or "").startswith("/admin/sign-in"), path


def test_new_password_ends_links_to_choose_one(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    secret = make_invitation(session, stina.staff, by=None, now=datetime.now(UTC))
    session.commit()
    thief = browser(app)
    assert thief.get(f"/admin/invitation/{secret}").status_code == 200
    done = stina.post("/admin/account/password", {"password": NEW_PASSWORD, "again": NEW_PASSWORD})
    assert done.location == "/admin/account?done=password"
    assert thief.get(f"/admin/invitation/{secret}").status_code == 404
    taken = thief.post(f"/admin/invitation/{secret}", data={"password": NEW_PASSWORD, "again": NEW_PASSWORD})
    assert taken.status_code == 404
