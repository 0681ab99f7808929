"""What attacks with passkeys get: false, stolen, late, copied, cut and hostile answers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from preferences.domain.passkeys import MOST_ANSWER, MOST_PASSKEYS
from preferences.domain.roles import Role
from preferences.models.passkey import AnsweredChallengeRow, PasskeyRow
from preferences.models.staff import SignInFailureRow
from preferences.services.staff.challenges import forget_challenges
from tests.support.authenticator import PRESENT, VERIFIED, Authenticator, to_text
from tests.support.passkeys import (
    ALONE,
    CODE,
    CONFIRM,
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
    audited,
    browser,
    signed_in,
    token_on,
)

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
