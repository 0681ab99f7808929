"""Single sign-on: there and back, who gets in as what, proving it once more, and signing out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.roles import Role
from preferences.models.staff import StaffRow, StaffSessionRow
from preferences.queries.staff.staff import StaffState, all_staff
from preferences.services.staff.staff import NewStaff, create_staff
from preferences.web.admin.cookie import COOKIE
from tests.support.identity_provider import CLIENT_ID, FakeProvider
from tests.support.page import Form, Page
from tests.support.sign_on import START, Configure, entries, finish, go_round, why
from tests.support.staff import audited, browser, make_staff, signed_in, signed_in_as, token_on


def test_somebody_invited_signs_in_with_the_company_account_and_never_chooses_a_password(
    app: Flask, session: Session, fake: FakeProvider
) -> None:
    invited = NewStaff(address="stina@example.se", name="Stina", role=Role.MARKETER, locale="sv")
    create_staff(session, invited, by=None, now=datetime.now(UTC))
    session.commit()
    client = browser(app)
    page = Page(client.get("/admin/sign-in?next=/admin/account"))
    [button] = page.all("a", href=f"{START}?next=/admin/account")
    assert "Logga in med Kundbolaget" in page.text
    answer = client.get(button.get("href", ""))
    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer.location or "").query).items()}
    assert answer.status_code == 303
    assert asked["redirect_uri"] == f"https://preferences.example{START}/return"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    [cookie] = answer.headers.getlist("Set-Cookie")
    for part in ("HttpOnly", "Secure", "SameSite=Lax", f"Path={START}", "Max-Age=600"):
        assert part in cookie
    back = fake.welcome(answer.location)
    returned = client.get(back)
    assert returned.status_code == 200
    assert "Set-Cookie" not in returned.headers
    assert audited(session) == ["staff_created"], "coming back changes nothing (GET)"
    done = Form(Page(returned).find("form", id="finish")).submit(client)
    assert (done.status_code, done.location) == (303, "/admin/account")
    assert any("SameSite=Strict" in one and one.startswith(f"{COOKIE}=") for one in done.headers.getlist("Set-Cookie"))
    assert "Stina" in Page(client.get("/admin/account")).text
    assert audited(session) == ["staff_created", "identity_linked", "signed_in"]
    assert entries(session, "signed_in") == [{"with": "single_sign_on"}]
    session.expire_all()
    [stina] = all_staff(session)
    assert (stina.state, stina.has_password, stina.has_identity) == (StaffState.ACTIVE, False, True)
    session.rollback()
    assert client.get(START).location == "/admin", "whoever is signed in is not sent away"
    assert go_round(browser(app), fake).location == "/admin"
    assert audited(session)[3:] == ["signed_in"]


def test_groups_give_the_role_at_every_sign_in_and_add_people_of_our_domains(
    app: Flask, session: Session, fake: FakeProvider, configure: Configure
) -> None:
    configure(oidc_roles=("desk=marketer", "office=privacy_officer", "it=administrator"))
    fake.person |= {"groups": ["desk", "office", "canteen"]}
    assert why(go_round(browser(app), fake), session) == "not_invited"
    configure(oidc_new_staff_domains=("example.se",))
    assert go_round(browser(app), fake).status_code == 303

    def role() -> Role:
        session.expire_all()
        [found] = [one.role for one in all_staff(session) if one.address == "stina@example.se"]
        session.rollback()
        return found

    assert role() is Role.PRIVACY_OFFICER, "of two roles the one that may most"
    fake.person |= {"groups": ["desk"]}
    assert go_round(browser(app), fake).status_code == 303
    assert role() is Role.MARKETER
    assert entries(session, "staff_role_changed") == [
        {"from": "privacy_officer", "to": "marketer", "because": "single_sign_on"}
    ]
    fake.person |= {"groups": ["canteen"]}
    assert why(go_round(browser(app), fake), session) == "no_role"
    assert role() is Role.MARKETER
    fake.person |= {"groups": ["it"]}
    assert go_round(browser(app), fake).status_code == 303
    fake.person |= {"groups": ["desk"]}
    assert go_round(browser(app), fake).status_code == 303
    assert role() is Role.ADMINISTRATOR, "the last administrator stays one"
    assert entries(session, "signed_in")[-1] == {"with": "single_sign_on", "kept_role": "administrator"}
    fake.person |= {"sub": "2", "email": "someone@elsewhere.example"}
    assert why(go_round(browser(app), fake), session) == "not_invited"


def test_proving_it_once_more_goes_over_the_provider_and_only_for_the_same_person(
    app: Flask, session: Session, fake: FakeProvider
) -> None:
    stina = make_staff(session)
    assert go_round(browser(app), fake).status_code == 303
    session.execute(update(StaffRow).values(password_hash=None))
    session.commit()
    long_ago = datetime.now(UTC) - timedelta(minutes=20)
    here = signed_in_as(app, session, stina, at=long_ago)
    assert here.get("/admin/staff/invite").location == "/admin/confirm?next=/admin/staff/invite"
    page = Page(here.get("/admin/confirm?next=/admin/staff/invite"))
    again = page.find("a", href=f"{START}/again?next=/admin/staff/invite").get("href", "")
    fake.person |= {"auth_time": int((long_ago - timedelta(hours=1)).timestamp())}
    assert why(go_round(here.client, fake, again), session) == "not_again"
    fake.person |= {"auth_time": int(datetime.now(UTC).timestamp()), "sub": "somebody-else"}
    assert why(go_round(here.client, fake, again), session) == "somebody_else"
    assert here.get("/admin/staff/invite").status_code == 303
    fake.person |= {"sub": "248289761001"}
    done = go_round(here.client, fake, again)
    assert (done.status_code, done.location) == (303, "/admin/staff/invite")
    assert not any(one.startswith(f"{COOKIE}=") for one in done.headers.getlist("Set-Cookie"))
    assert here.get("/admin/staff/invite").status_code == 200
    assert entries(session, "confirmed_again") == [{"with": "single_sign_on"}]
    back = fake.welcome(here.get(again).location)
    session.execute(update(StaffSessionRow).values(ended_at=datetime.now(UTC)))
    session.commit()
    assert finish(here.client, back).status_code == 403, "the session was ended meanwhile"


def test_sign_out_ends_our_session_and_offers_to_end_the_providers(
    app: Flask, session: Session, fake: FakeProvider
) -> None:
    make_staff(session)
    client = browser(app)
    go_round(client, fake)
    left = client.post("/admin/sign-out", data={"csrf": token_on(client.get("/admin/account"))})
    assert (left.status_code, left.location) == (303, "/admin/signed-out")
    page = Page(client.get("/admin/signed-out"))
    [way_out] = [a.get("href", "") for a in page.all("a") if "/logout?" in a.get("href", "")]
    asked = parse_qs(urlsplit(way_out).query)
    assert asked == {
        "client_id": [CLIENT_ID],
        "post_logout_redirect_uri": ["https://preferences.example/admin/sign-in"],
    }
    assert (client.get("/admin").location or "").startswith("/admin/sign-in")


def test_administrator_disconnects_an_account_for_somebody_who_has_a_new_one(
    app: Flask, session: Session, fake: FakeProvider
) -> None:
    boss = signed_in(app, session, address="boss@example.se")
    stina = make_staff(session)
    client = browser(app)
    go_round(client, fake)
    fake.person |= {"sub": "new-account"}
    assert go_round(browser(app), fake).status_code == 403
    page = boss.get(f"/admin/staff/{stina.id}")
    assert f"/admin/staff/{stina.id}/identity" in page.text
    assert boss.post(f"/admin/staff/{stina.id}/identity").status_code == 303
    assert (client.get("/admin").location or "").startswith("/admin/sign-in")
    assert go_round(browser(app), fake).status_code == 303
    assert "identity_unlinked" in audited(session)
