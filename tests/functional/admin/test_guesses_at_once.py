"""Guesses, codes and links in parallel: no limit is passed by asking fast, and what works once works once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.staff import SessionStage
from preferences.models.staff import RecoveryCodeRow, SignInFailureRow, StaffRow, StaffSessionRow
from preferences.models.transaction import transaction
from preferences.services.staff.invitations import make_invitation
from preferences.services.staff.sign_in import make_recovery_codes
from tests.support.at_once import times
from tests.support.client import StrictClient
from tests.support.staff import PASSWORD, audited, browser, code_of, make_staff, signed_in, signed_in_as, token_on

FORM, CODE = "/admin/sign-in", "/admin/sign-in/code"
LIMIT = 5
MANY = 12


def half_signed_in(app: Flask) -> tuple[StrictClient, str]:
    """A browser that has given the password, and the token of its next form."""
    client = browser(app)
    sent = {"csrf": token_on(client.get(FORM)), "address": "stina@example.se", "password": PASSWORD}
    assert client.post(FORM, data=sent).status_code == 303
    return client, token_on(client.get(CODE))


def test_no_more_passwords_are_tried_than_the_limit_however_many_at_once(app: Flask, session: Session) -> None:
    make_staff(session)
    clients = [browser(app) for _ in range(MANY)]
    tokens = [token_on(one.get(FORM)) for one in clients]

    def guess(number: int) -> int:
        sent = {"csrf": tokens[number], "address": "stina@example.se", "password": f"wrong {number}"}
        return clients[number].post(FORM, data=sent).status_code

    found = times(app, MANY, guess)
    assert sorted(found) == [422] * LIMIT + [429] * (MANY - LIMIT)
    assert audited(session).count("sign_in_refused") == LIMIT


@pytest.mark.parametrize("kind", ["code", "recovery"])
def test_no_more_codes_are_tried_than_the_limit_however_many_at_once(app: Flask, session: Session, kind: str) -> None:
    """Each from a half session of its own, as whoever knows the password can make."""
    stina = make_staff(session)
    with transaction() as writing:
        make_recovery_codes(writing, stina.id, now=datetime.now(UTC))
    halves = [half_signed_in(app) for _ in range(MANY)]

    def guess(number: int) -> int:
        client, token = halves[number]
        return client.post(CODE, data={"csrf": token, "kind": kind, kind: f"00000{number}"}).status_code

    found = times(app, MANY, guess)
    assert sorted(found) == [422] * LIMIT + [429] * (MANY - LIMIT)
    assert session.scalar(select(func.count()).select_from(SignInFailureRow)) == LIMIT


def test_no_more_passwords_are_tried_in_an_open_session_than_the_limit(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    browsers = [signed_in_as(app, session, stina.staff) for _ in range(MANY)]
    tokens = [one.csrf for one in browsers]

    def guess(number: int) -> int:
        sent = {"csrf": tokens[number], "password": f"wrong {number}"}
        return browsers[number].client.post("/admin/confirm", data=sent).status_code

    found = times(app, MANY, guess)
    assert sorted(found) == [422] * LIMIT + [429] * (MANY - LIMIT)


@pytest.mark.parametrize("kind", ["code", "recovery"])
def test_one_code_opens_one_session_however_many_give_it_at_once(app: Flask, session: Session, kind: str) -> None:
    stina = make_staff(session)
    with transaction() as writing:
        codes = make_recovery_codes(writing, stina.id, now=datetime.now(UTC))
    code = code_of(session, stina) if kind == "code" else codes.codes[0]
    halves = [half_signed_in(app) for _ in range(4)]

    def give(number: int) -> int:
        client, token = halves[number]
        return client.post(CODE, data={"csrf": token, "kind": kind, kind: code}).status_code

    assert sorted(times(app, 4, give)) == [303, 422, 422, 422]
    opened = select(func.count()).where(StaffSessionRow.stage == SessionStage.OPEN, StaffSessionRow.ended_at.is_(None))
    assert session.scalar(opened) == 1
    assert audited(session).count("signed_in") == 1


def test_a_half_session_takes_one_recovery_code_only(app: Flask, session: Session) -> None:
    """Two different codes sent at once from one browser: the second is not used up for nothing."""
    stina = make_staff(session)
    with transaction() as writing:
        codes = make_recovery_codes(writing, stina.id, now=datetime.now(UTC))
    client, token = half_signed_in(app)
    cookie = client.get_cookie("admin", path="/admin")
    assert cookie is not None
    others = []
    for _ in range(2):
        other = browser(app)
        other.set_cookie("admin", cookie.value, path="/admin")
        others.append(other)

    def give(number: int) -> int:
        sent = {"csrf": token, "kind": "recovery", "recovery": codes.codes[number]}
        return others[number].post(CODE, data=sent).status_code

    times(app, 2, give)
    used = select(func.count()).where(RecoveryCodeRow.used_at.is_not(None))
    assert session.scalar(used) == 1
    session.rollback()
    assert audited(session).count("recovery_code_used") == 1


def test_an_invitation_takes_one_password(app: Flask, session: Session) -> None:
    stina = make_staff(session)
    with transaction() as writing:
        secret = make_invitation(writing, stina, by=None, now=datetime.now(UTC))
    path = f"/admin/invitation/{secret}"
    clients = [browser(app) for _ in range(4)]

    def choose(number: int) -> int:
        chosen = f"lagom långt lösenord nummer {number}"
        return clients[number].post(path, data={"password": chosen, "again": chosen}).status_code

    found = sorted(times(app, 4, choose))
    assert found[0] == 303
    assert all(one in {404, 409, 410} for one in found[1:]), found
    assert audited(session).count("password_set") == 1


def test_two_administrators_cannot_demote_each_other_at_once(app: Flask, session: Session) -> None:
    stina, bo = signed_in(app, session), signed_in(app, session, address="bo@example.se")
    tokens = [stina.csrf, bo.csrf]

    def demote(number: int) -> str:
        mine, other = ((stina, bo), (bo, stina))[number]
        sent = {"csrf": tokens[number]}
        return mine.client.post(f"/admin/staff/{other.staff.id}/disable", data=sent).location or ""

    times(app, 2, demote)
    left = session.scalar(select(func.count()).where(StaffRow.disabled_at.is_(None)))
    assert left == 1
