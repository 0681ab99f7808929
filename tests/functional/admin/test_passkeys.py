"""Passkeys of staff: added, named, removed, and signed in with; and what every attack on them gets."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.domain.passkeys import MOST_ANSWER, MOST_PASSKEYS
from preferences.domain.roles import Role
from preferences.models.passkey import AnsweredChallengeRow, PasskeyRow
from preferences.models.staff import SignInFailureRow, StaffRow, StaffSessionRow
from preferences.services.staff.challenges import forget_challenges
from preferences.services.staff.invitations import make_invitation
from preferences.services.staff.sign_in import make_recovery_codes
from preferences.services.staff.staff import disable_staff, reset_second_factor
from tests.support.authenticator import PRESENT, VERIFIED, Authenticator, to_bytes, to_text
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

from .test_staff_sign_in import CODE, FORM, give_password

ALONE = "/admin/sign-in/passkey"
SECOND = "/admin/sign-in/code/passkey"
ENROL = "/admin/enrol/passkey"
CONFIRM = "/admin/confirm/passkey"
NEW = "/admin/account/passkeys/new"
OPTIONS = "/admin/account/passkeys/options"


def options(client: StrictClient | StaffBrowser, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found: dict[str, Any] = json.loads(answer.text)
    return found


def add(stina: StaffBrowser, key: Authenticator, name: str = "Telefon") -> TestResponse:
    return stina.post(NEW, {"name": name, "answer": key.make(options(stina, OPTIONS))})


def with_passkey(app: Flask, session: Session, **more: Any) -> tuple[StaffBrowser, Authenticator]:
    """Somebody with an app and a passkey."""
    stina, key = signed_in(app, session), Authenticator(**more)
    assert add(stina, key).location == "/admin/account?done=passkey"
    return stina, key


def answer_alone(client: StrictClient, answer: str, **more: Any) -> TestResponse:
    return client.post(ALONE, data={"csrf": token_on(client.get(FORM)), "answer": answer, **more})


def sign_in_alone(app: Flask, key: Authenticator, **more: Any) -> TestResponse:
    client = browser(app)
    client.get(FORM)
    return answer_alone(client, key.use(options(client, ALONE)), **more)


def half_way(app: Flask) -> StrictClient:
    client = browser(app)
    assert give_password(client).location == CODE
    return client


def answer_second(client: StrictClient, answer: str) -> TestResponse:
    return client.post(SECOND, data={"csrf": token_on(client.get(CODE)), "answer": answer})


def is_in(client: StrictClient) -> bool:
    return client.get("/admin").status_code == 200


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


ATTACKS: dict[str, dict[str, Any]] = {
    "wrong origin": {"origin": "https://preferences.example.evil.example"},
    "plain http": {"origin": "http://preferences.example"},
    "wrong relying party": {"rp_id": "evil.example"},
    "in a frame": {"more_client_data": {"crossOrigin": True}},
    "nobody present": {"flags": VERIFIED},
    "kind": {"more_client_data": {"type": "payment.get"}},
    "no challenge of ours": {"more_client_data": {"challenge": to_text(b"x" * 40)}},
    "no challenge": {"more_client_data": {"challenge": ""}},
    "challenge of another kind": {"more_client_data": {"challenge": 7}},
}


def test_false_answers_open_nothing_and_add_nothing(app: Flask, session: Session) -> None:
    stina, key = with_passkey(app, session)
    for name, wrong in ATTACKS.items():
        answer = add(stina, Authenticator(**wrong))
        assert answer.status_code == 422, name
        client = browser(app)
        client.get(FORM)
        data = {"answer": replace(key, **wrong).use(options(client, ALONE)), "csrf": token_on(client.get(FORM))}
        spare = {"REMOTE_ADDR": f"203.0.113.{len(name)}"}
        session.rollback()
        answer = client.post(ALONE, data=data, environ_overrides=spare)
        assert answer.status_code in {422, 429}, name
        assert not is_in(client), name
    assert session.scalar(select(func.count()).select_from(PasskeyRow)) == 1
    assert "signed_in" not in audited(session)


def test_forged_signature_wrong_handle_and_unlocked_key_open_nothing(app: Flask, session: Session) -> None:
    _, key = with_passkey(app, session)
    forged = replace(key, key=Authenticator().key)
    for wrong in (forged, replace(key, handle=b"x" * 16), replace(key, handle=None), replace(key, flags=PRESENT)):
        assert sign_in_alone(app, wrong).status_code == 422
    assert audited(session).count("sign_in_refused") == 4
    assert sign_in_alone(app, Authenticator(handle=b"y" * 16)).status_code == 422, "one that nobody has added"
    assert sign_in_alone(app, replace(key, count=9)).location == "/admin"


def test_another_persons_passkey_is_no_second_factor(app: Flask, session: Session) -> None:
    with_passkey(app, session)
    mats, other = signed_in(app, session, Role.ADMINISTRATOR, "mats@example.se"), Authenticator()
    add(mats, other, "Mats")
    client = half_way(app)
    assert answer_second(client, other.use(options(client, SECOND))).status_code == 422
    assert not is_in(client)


def test_challenge_works_once_for_one_browser_one_thing_and_five_minutes(app: Flask, session: Session) -> None:
    stina, key = with_passkey(app, session)
    client = browser(app)
    client.get(FORM)
    answer = key.use(options(client, ALONE))
    thief = browser(app)
    thief.get(FORM)
    assert answer_alone(thief, answer).status_code == 422, "bound to the browser"
    assert answer_alone(client, answer).location == "/admin"
    thief.set_cookie("admin", "z" * 43, path="/admin")
    wanted = options(thief, ALONE)
    once = key.use(wanted)
    assert answer_alone(thief, replace(key, key=Authenticator().key).use(wanted)).status_code == 422
    assert answer_alone(thief, once).status_code == 422, "spent by the wrong answer before it"
    late = key.use(options(thief, ALONE))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5, seconds=2), tick=False):
        assert answer_alone(thief, late).status_code == 422
    session.execute(delete(SignInFailureRow))
    session.commit()
    client = half_way(app)
    for path, made_for in ((SECOND, ALONE), (ALONE, SECOND)):
        used = key.use(options(client, made_for))
        answer_ = client.post(path, data={"csrf": token_on(client.get(CODE)), "answer": used})
        assert answer_.status_code == 422, "an answer is good for what it was asked for"
    assert stina.post(NEW, {"name": "x", "answer": Authenticator().make(options(stina, OPTIONS))}).status_code == 303
    assert forget_challenges(session, now=datetime.now(UTC)) == 0
    assert forget_challenges(session, now=datetime.now(UTC) + timedelta(minutes=11)) > 3
    assert session.scalar(select(func.count()).select_from(AnsweredChallengeRow)) == 0


def test_copied_passkey_is_refused_and_audited(app: Flask, session: Session) -> None:
    _, key = with_passkey(app, session)
    copy = replace(key)
    assert sign_in_alone(app, key).location == "/admin"
    assert sign_in_alone(app, key).location == "/admin"
    assert sign_in_alone(app, copy).status_code == 422
    forged = replace(key, count=0, key=Authenticator().key)
    assert sign_in_alone(app, forged).status_code == 422
    assert audited(session).count("passkey_copied") == 1, "a forged count is no copy"
    assert sign_in_alone(app, key).location == "/admin"
    synced = Authenticator(is_counting=False)
    add(signed_in(app, session, Role.VIEWER, "mats@example.se"), synced)
    assert [sign_in_alone(app, synced).location for _ in range(2)] == ["/admin"] * 2, "synced ones do not count"


def test_five_wrong_passkeys_lock_the_person_and_thirty_the_client(app: Flask, session: Session) -> None:
    stina, key = with_passkey(app, session)
    forged = replace(key, key=Authenticator().key)
    assert [sign_in_alone(app, forged).status_code for _ in range(6)] == [422] * 5 + [429]
    assert sign_in_alone(app, key).status_code == 429, "nor is the right one looked at"
    client = half_way(app)
    assert answer_second(client, key.use(options(client, SECOND))).status_code == 429
    assert client.get(CODE).location == FORM
    assert [sign_in_alone(app, Authenticator()).status_code for _ in range(26)][-1] == 429
    assert audited(session).count("sign_in_locked") == 3
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16), tick=False):
        assert sign_in_alone(app, key).location == "/admin"
    assert stina.staff.passkeys == 0, "the view of before it was added"


def test_same_passkey_twice_and_an_eleventh_are_refused(app: Flask, session: Session) -> None:
    stina, key = with_passkey(app, session)
    mats = signed_in(app, session, Role.VIEWER, "mats@example.se")
    for somebody in (stina, mats):
        assert add(somebody, key).status_code == 422
    for _ in range(MOST_PASSKEYS - 1):
        assert add(stina, Authenticator()).status_code == 303
    assert add(stina, Authenticator()).status_code == 422
    assert add(mats, Authenticator(), "").status_code == 422
    assert session.scalar(select(func.count()).select_from(PasskeyRow)) == MOST_PASSKEYS


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "null",
        "[]",
        "{",
        "1" * 5000,
        "[" * MOST_ANSWER,
        '{"id":"é","rawId":"é","type":"public-key","response":{}}',
        '{"id":"\\ud800","rawId":"\\ud800","type":"public-key","response":{"clientDataJSON":"\\ud800",'
        '"authenticatorData":"AA","signature":"AA","attestationObject":"gg"}}',
        '{"id":1,"rawId":[],"type":{},"response":"x"}',
        '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"","signature":""}}',
        '{"a":"' + "x" * 200_000 + '"}',
        "\x00\x01",
    ],
    ids=range(12),
)
def test_hostile_answers_are_none(app: Flask, session: Session, answer: str) -> None:
    stina = signed_in(app, session)
    assert stina.post(NEW, {"name": "x", "answer": answer}).status_code == 422
    assert stina.post(CONFIRM, {"answer": answer}).status_code == 422
    client = browser(app)
    client.get(FORM)
    assert answer_alone(client, answer).status_code == 422


def test_cut_and_bent_answers_are_none(app: Flask, session: Session) -> None:
    """Each part of a right answer cut short or bent in turn."""
    stina = signed_in(app, session)
    for part in ("clientDataJSON", "attestationObject"):
        for bend in (lambda text: text[:-5], lambda text: "_" + text[1:], lambda text: text[: len(text) // 2]):
            answer = json.loads(Authenticator().make(options(stina, OPTIONS)))
            answer["response"][part] = bend(answer["response"][part])
            assert stina.post(NEW, {"name": "x", "answer": json.dumps(answer)}).status_code == 422


def test_passkey_forms_need_their_token_and_options_a_browser_of_ours(app: Flask, session: Session) -> None:
    _, key = with_passkey(app, session)
    client = browser(app)
    assert client.get(ALONE).status_code == 400, "no cookie, nothing to bind a challenge to"
    client.get(FORM)
    answer = key.use(options(client, ALONE))
    assert client.post(ALONE, data={"answer": answer}).status_code == 400
    data = {"answer": answer, "csrf": token_on(client.get(FORM))}
    assert client.post(ALONE, data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser(app).get(SECOND).location.startswith(FORM)
    before = session.scalar(select(func.count()).select_from(AnsweredChallengeRow))
    session.rollback()
    for _ in range(3):
        options(client, ALONE)
    assert session.scalar(select(func.count()).select_from(AnsweredChallengeRow)) == before, "asking stores nothing"


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
