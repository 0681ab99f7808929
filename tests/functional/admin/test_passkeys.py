"""Passkeys of staff: added, named, removed, and signed in with."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from preferences.domain.roles import Role
from preferences.models.passkey import PasskeyRow
from preferences.models.staff import StaffRow, StaffSessionRow
from preferences.services.staff.invitations import make_invitation
from preferences.services.staff.sign_in import make_recovery_codes
from preferences.services.staff.staff import disable_staff, reset_second_factor
from tests.support.authenticator import PRESENT, VERIFIED, Authenticator, to_bytes
from tests.support.client import StrictClient
from tests.support.page import Page
from tests.support.passkeys import (
    ALONE,
    CODE,
    CONFIRM,
    ENROL,
    FORM,
    NEW,
    OPTIONS,
    SECOND,
    add,
    answer_alone,
    answer_second,
    half_way,
    is_in,
    options,
    sign_in_alone,
    with_passkey,
)
from tests.support.staff import (
    PASSWORD,
    audited,
    browser,
    code_of,
    code_shown,
    make_staff,
    signed_in,
    signed_in_as,
    token_on,
)
from tests.support.step_up import newest_mail


def test_passkey_is_added_named_and_removed(app: Flask, session: Session) -> None:
    stina, elsewhere = (first := signed_in(app, session)), signed_in_as(app, session, first.staff)
    wanted = options(stina, OPTIONS)
    assert (wanted["rp"]["id"], wanted["attestation"]) == ("preferences.example", "none")
    handle = to_bytes(wanted["user"]["id"])
    assert len(handle) == 16, "opaque: neither number nor address"
    assert b"stina" not in handle
    key = Authenticator()
    assert add(stina, key, "  Min   telefon ").location == "/admin/account?done=passkey"
    (row,) = session.scalars(select(PasskeyRow))
    assert (row.name, row.transports, row.sign_count) == ("Min telefon", "internal hybrid", 0)
    session.commit()
    again = options(stina, OPTIONS)
    assert [to_bytes(one["id"]) for one in again["excludeCredentials"]] == [key.credential_id]
    page = f"/admin/account/passkeys/{row.id}"
    assert "Min telefon" in Page(stina.get("/admin/account")).text
    assert stina.post(f"{page}/name", {"name": ""}).status_code == 422
    assert stina.post(f"{page}/name", {"name": "Säkerhetsnyckel"}).location == "/admin/account?done=passkey-named"
    assert "Säkerhetsnyckel" in Page(stina.get(page)).text
    assert elsewhere.get("/admin").status_code == 200
    assert stina.post(f"{page}/remove").location == "/admin/account?done=passkey-removed"
    assert elsewhere.get("/admin").location == FORM, "a device that was removed is signed out"
    assert stina.get(page).status_code == 404
    assert audited(session)[-3:] == ["passkey_added", "passkey_renamed", "passkey_removed"]


def test_last_second_factor_stays(app: Flask, session: Session) -> None:
    stina, _ = with_passkey(app, session)
    number = session.scalars(select(PasskeyRow.id)).one()
    session.commit()
    assert stina.get("/admin/account/app/remove").status_code == 200
    assert stina.post("/admin/account/app/remove").location == "/admin/account?done=app-removed"
    assert "enda" in Page(stina.get(f"/admin/account/passkeys/{number}")).text
    assert stina.post(f"/admin/account/passkeys/{number}/remove").location == "/admin/account?done=last"
    session.execute(update(PasskeyRow).values(staff_id=make_staff(session, address="other@example.se").id))
    session.execute(update(StaffRow).where(StaffRow.id == stina.staff.id).values(totp_secret="A" * 32))
    session.commit()
    assert stina.post("/admin/account/app/remove").location == "/admin/account?done=last"
    assert audited(session).count("app_removed") == 1


def test_nobody_touches_anothers_passkey(app: Flask, session: Session) -> None:
    with_passkey(app, session)
    mats = signed_in(app, session, Role.VIEWER, "mats@example.se")
    number = session.scalars(select(PasskeyRow.id)).one()
    session.commit()
    page = f"/admin/account/passkeys/{number}"
    assert mats.get(page).status_code == 404
    assert mats.post(f"{page}/name", {"name": "Min"}).status_code == 404
    assert mats.post(f"{page}/remove").status_code == 404
    assert session.scalars(select(PasskeyRow.name)).one() == "Telefon"


def test_passkeys_change_only_after_a_fresh_proof(app: Flask, session: Session) -> None:
    stina, key = with_passkey(app, session)
    session.execute(update(StaffSessionRow).values(fresh_at=datetime.now(UTC) - timedelta(minutes=16)))
    session.commit()
    for path in (NEW, OPTIONS, "/admin/account/passkeys/1", "/admin/account/app/remove"):
        assert stina.get(path).location.startswith("/admin/confirm")
    for path in (
        NEW,
        "/admin/account/passkeys/1/remove",
        "/admin/account/passkeys/1/name",
        "/admin/account/app/remove",
    ):
        assert stina.post(path).location.startswith("/admin/confirm")
    answer = stina.post(CONFIRM, {"answer": key.use(options(stina, CONFIRM)), "next": NEW})
    assert answer.location == NEW, "and the passkey is such a proof"
    assert stina.get(NEW).status_code == 200
    assert audited(session)[-1] == "confirmed_again"


def test_confirming_needs_the_person_and_ones_own_passkey(app: Flask, session: Session) -> None:
    stina, key = with_passkey(app, session)
    mats, other = signed_in(app, session, Role.VIEWER, "mats@example.se"), Authenticator()
    add(mats, other, "Mats")
    for wrong in (replace(key, flags=PRESENT), other):
        assert stina.post(CONFIRM, {"answer": wrong.use(options(stina, CONFIRM))}).status_code == 422
    for _ in range(3):
        assert stina.post(CONFIRM, {"answer": ""}).status_code == 422
    assert stina.post(CONFIRM, {"answer": key.use(options(stina, CONFIRM))}).status_code == 429


def test_passkey_after_the_password_and_alone(app: Flask, session: Session) -> None:
    stina, key = with_passkey(app, session)
    client = half_way(app)
    wanted = options(client, SECOND)
    assert [to_bytes(one["id"]) for one in wanted["allowCredentials"]] == [key.credential_id]
    assert wanted["allowCredentials"][0]["transports"] == ["internal", "hybrid"]
    key.flags = PRESENT
    assert answer_second(client, key.use(wanted)).location == "/admin", "after the password, having it is enough"
    assert is_in(client)
    key.flags = PRESENT | VERIFIED
    client = browser(app)
    client.get(FORM)
    wanted = options(client, ALONE)
    assert (wanted["allowCredentials"], wanted["userVerification"]) == ([], "required")
    planted = client.get_cookie("admin", path="/admin")
    answer = answer_alone(client, key.use(wanted), next="/admin/audit")
    assert answer.location == "/admin/audit"
    assert is_in(client)
    fresh = client.get_cookie("admin", path="/admin")
    assert planted is not None
    assert fresh is not None
    assert fresh.value != planted.value, "a new secret with every step"
    assert sign_in_alone(app, key, next="https://evil.example/").location == "/admin"
    assert half_way(app).post(CODE, data={"csrf": "x"}).status_code == 400
    client = half_way(app)
    page = client.get(CODE)
    assert client.post(CODE, data={"csrf": token_on(page), "code": code_of(session, stina.staff)}).status_code == 303
    assert session.scalars(select(PasskeyRow.sign_count)).one() == 3


def test_recovery_code_opens_for_whoever_has_a_passkey_alone(app: Flask, session: Session) -> None:
    stina, _ = with_passkey(app, session)
    stina.post("/admin/account/app/remove")
    code = make_recovery_codes(session, stina.staff.id, now=datetime.now(UTC)).codes[0]
    session.commit()
    client = half_way(app)
    page = client.get(CODE)
    assert 'name="code"' not in page.text, "no app, no field for its code"
    answer = client.post(CODE, data={"csrf": token_on(page), "kind": "recovery", "recovery": code})
    assert answer.location == "/admin"


def test_first_second_factor_can_be_a_passkey(app: Flask, session: Session) -> None:
    eva = make_staff(session)
    reset_second_factor(session, eva.id, by=None, now=datetime.now(UTC))
    secret = make_invitation(session, eva, by=None, now=datetime.now(UTC))
    session.commit()
    client, key = browser(app), Authenticator()
    answer = client.post(f"/admin/invitation/{secret}", data={"password": PASSWORD, "again": PASSWORD})
    assert answer.location == "/admin/enrol"
    token = token_on(client.get("/admin/enrol"))
    assert client.post(ENROL, data={"csrf": token, "answer": "{}"}).status_code == 422
    answer = client.post(ENROL, data={"csrf": token, "answer": key.make(options(client, ENROL))})
    assert answer.location == "/admin/recovery-codes"
    assert client.get("/admin/recovery-codes").text.count("<li><code>") == 10
    assert sign_in_alone(app, key).location == "/admin"
    assert audited(session)[-4:] == ["passkey_added", "recovery_codes_made", "signed_in", "signed_in"]
    stolen = half_way(app)
    answer = stolen.post(ENROL, data={"csrf": token_on(stolen.get(CODE)), "answer": "{}"})
    assert answer.location == CODE, "whoever knows the password only cannot enrol one beside it"
    assert session.scalar(select(func.count()).select_from(PasskeyRow)) == 1


def test_whoever_is_disabled_or_reset_has_no_passkey(app: Flask, session: Session) -> None:
    stina, key = with_passkey(app, session)
    make_staff(session, address="other@example.se")
    disable_staff(session, stina.staff.id, by=None, now=datetime.now(UTC))
    session.commit()
    assert sign_in_alone(app, key).status_code == 422
    mats, other = signed_in(app, session, Role.VIEWER, "mats@example.se"), Authenticator()
    add(mats, other)
    listed = app.test_cli_runner().invoke(args=["staff", "list"]).stdout
    assert "app, 1 passkey" in listed
    assert app.test_cli_runner().invoke(args=["staff", "reset-second-factor", "mats@example.se"]).exit_code == 0
    assert sign_in_alone(app, other).status_code == 422
    listed = json.loads(app.test_cli_runner().invoke(args=["staff", "list", "--json"]).stdout)
    assert [(one["has_app"], one["passkeys"]) for one in listed if one["address"] == "mats@example.se"] == [(False, 0)]


def test_browsers_may_use_passkeys_on_the_admin_pages_alone(app: Flask, client: StrictClient) -> None:
    own, others = client.get(FORM).headers, client.get("/healthz").headers
    assert "publickey-credentials-get=(self)" in own["Permissions-Policy"]
    assert "publickey-credentials-create=(self)" in own["Permissions-Policy"]
    assert "publickey-credentials-get=()" in others["Permissions-Policy"]
    assert own["Content-Security-Policy"] == others["Content-Security-Policy"]
    page = client.get(FORM).text
    assert page.count("<script") == 1
    assert 'src="/static/js/passkeys.js?v=' in page


def test_without_javascript_no_button_is_shown_that_does_nothing(app: Flask, session: Session) -> None:
    """The script shows the forms; until then the pages say what works instead."""
    stina, _ = with_passkey(app, session)
    half = half_way(app)
    for page, instead in ((half.get(CODE), "Använd en kod"), (stina.get(NEW), "Autentiseringsappen gör samma nytta")):
        (form,) = re.findall(r"<form[^>]*data-passkey[^>]*>", page.text)
        assert form.endswith(" hidden>")
        assert instead in Page(page).text


def test_owner_is_told_by_mail_what_has_changed(app: Flask, session: Session) -> None:
    """If it was somebody else, the person it concerns learns of it."""
    stina, _ = with_passkey(app, session)
    number = session.scalars(select(PasskeyRow.id)).one()
    session.commit()

    def told() -> str:
        body = newest_mail(app).message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    first = told()
    assert "En passnyckel lades till" in first
    assert "https://preferences.example/admin/account" in first
    password = {"password": "tolv blå båtar i hamnen", "again": "tolv blå båtar i hamnen"}
    assert stina.post("/admin/account/password", password).status_code == 303
    assert "nytt lösenord" in told()
    assert stina.post("/admin/account/app/remove").status_code == 303
    assert "Autentiseringsappen togs bort" in told()
    stina.post("/admin/account/app")
    secret = re.search(r'class="secret">([^<]+)', stina.get("/admin/account/app").text)
    assert secret is not None
    assert stina.post("/admin/account/app/code", {"code": code_shown(secret[1])}).status_code == 303
    assert "En autentiseringsapp lades till" in told()
    assert stina.post(f"/admin/account/passkeys/{number}/remove").location == "/admin/account?done=passkey-removed"
    assert "passnyckel togs bort" in told()
    reset_second_factor(session, stina.staff.id, by=None, now=datetime.now(UTC))
    session.commit()
    assert "återställt din andra faktor" in told()
