"""Staff, invitations, one's own account, and proving it once more."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.domain.errors import Conflict
from preferences.domain.roles import Role
from preferences.models.outbox import OutboxJobRow
from preferences.models.staff import RecoveryCodeRow, StaffInvitationRow, StaffRow
from preferences.models.transaction import transaction
from preferences.queries.staff.staff import staff_by_id
from preferences.services.staff.staff import disable_staff
from tests.support.client import StrictClient
from tests.support.page import Page
from tests.support.staff import (
    PASSWORD,
    StaffBrowser,
    audited,
    browser,
    code_shown,
    make_staff,
    seen_on,
    signed_in,
    signed_in_as,
    token_on,
)
from tests.support.step_up import newest_mail

NEW = {"name": "Eva Ek", "address": "eva.ek@example.se", "role": "marketer", "language": "sv"}
OTHER_PASSWORD = "tolv blå båtar i hamnen"


def invited(app: Flask, session: Session) -> tuple[StaffBrowser, str]:
    """Somebody was invited on the page. Returns who invited, and the path in the mail."""
    stina = signed_in(app, session)
    assert stina.post("/admin/staff/invite", NEW).location.endswith("?done=invited")
    body = newest_mail(app).message.get_body(("plain",))
    assert body is not None
    found = re.search(r"https?://[^/]+(/admin/invitation/\S+)", body.get_content())
    assert found is not None
    return stina, found[1]


def choose(client: StrictClient, path: str, password: str = OTHER_PASSWORD, again: str = "") -> TestResponse:
    return client.post(path, data={"password": password, "again": again or password})


def test_invited_person_chooses_a_password_enrols_an_app_and_is_in(app: Flask, session: Session) -> None:
    _, path = invited(app, session)
    client = browser(app)
    assert "eva.ek@example.se" in Page(client.get(path)).text
    assert choose(client, path).location == "/admin/enrol"
    page = client.get("/admin/enrol")
    assert "style=" not in page.text
    secret = re.search(r'class="secret">([^<]+)<', page.text)
    assert secret is not None
    wrong = client.post("/admin/enrol", data={"csrf": token_on(page), "code": "000000"})
    assert wrong.status_code == 422
    answer = client.post("/admin/enrol", data={"csrf": token_on(page), "code": code_shown(secret[1])})
    assert answer.location == "/admin/recovery-codes"
    codes = client.get("/admin/recovery-codes")
    assert len(re.findall(r"<code>([0-9A-Z-]{19})</code>", codes.text)) == 10
    assert client.get("/admin/recovery-codes").text == codes.text, "shown until they are noted"
    assert client.post("/admin/recovery-codes", data={"csrf": token_on(codes)}).location == "/admin"
    assert client.get("/admin/recovery-codes").location == "/admin"
    assert "Eva Ek" in Page(client.get("/admin")).text
    stored = session.scalars(select(RecoveryCodeRow.digest)).all()
    assert len(stored) == 10
    assert not any(code.encode() in digest for code in re.findall(r"[0-9A-Z-]{19}", codes.text) for digest in stored)


def test_invitation_works_once_for_a_week_and_the_newest_only(app: Flask, session: Session) -> None:
    stina, path = invited(app, session)
    stina.post(f"/admin/staff/{stina.staff.id + 1}/invite")
    assert choose(browser(app), path).status_code == 404, "replaced"
    body = newest_mail(app).message.get_body(("plain",))
    assert body is not None
    found = re.search(r"(/admin/invitation/\S+)", body.get_content())
    assert found is not None
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8)):
        assert browser(app).get(found[1]).status_code == 404
    assert browser(app).get(found[1]).status_code == 200
    assert choose(browser(app), found[1]).status_code == 303
    assert choose(browser(app), found[1]).status_code == 404
    assert "invitation" not in str(session.scalars(select(OutboxJobRow.outcome)).all())


@pytest.mark.parametrize("token", ["x", "x" * 43, "x" * 5000, "å", "%00", "..%2f..", "' OR 1=1 --"])
def test_forged_invitations_lead_nowhere(app: Flask, token: str) -> None:
    client = browser(app)
    assert client.get(f"/admin/invitation/{token}").status_code == 404
    assert choose(client, f"/admin/invitation/{token}").status_code == 404


@pytest.mark.parametrize(
    ("password", "again", "says"),
    [
        ("kort", "", "minst 12"),
        ("x" * 300, "", "för långt"),
        ("aaaaaaaaaaaaaaaa", "", "lätt att gissa"),
        ("password123456", "", "lätt att gissa"),
        ("eva.ek är bäst idag", "", "ditt namn"),
        ("exempelbolaget 2026!", "", "ditt namn"),
        (OTHER_PASSWORD, "något annat än det", "inte lika"),
    ],
)
def test_bad_password_is_refused_with_the_reason(
    app: Flask, session: Session, password: str, again: str, says: str
) -> None:
    _, path = invited(app, session)
    answer = choose(browser(app), path, password, again)
    assert answer.status_code == 422
    assert says in Page(answer).text
    assert session.scalars(select(StaffInvitationRow.used_at)).all() == [None]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"address": "not an address"}, "e-postadress"),
        ({"address": "STINA@example.se"}, "har redan"),
        ({"name": ""}, "1 till 100"),
        ({"name": "x" * 101}, "1 till 100"),
        ({"role": "king"}, "något av dessa"),
        ({"language": "xx"}, "något av dessa"),
    ],
)
def test_bad_invitation_is_refused_and_keeps_what_was_typed(
    app: Flask, session: Session, changed: dict[str, str], says: str
) -> None:
    answer = signed_in(app, session).post("/admin/staff/invite", {**NEW, **changed})
    assert answer.status_code == 422
    page = Page(answer)
    assert says in page.text
    assert page.find("input", id="field-address").get("value") == changed.get("address", NEW["address"])
    assert len(session.scalars(select(StaffRow.id)).all()) == 1


def test_role_counts_from_the_next_page_on(app: Flask, session: Session) -> None:
    stina, mats = signed_in(app, session), signed_in(app, session, Role.ADMINISTRATOR, "mats@example.se")
    assert mats.get("/admin/staff").status_code == 200
    his = f"/admin/staff/{mats.staff.id}"
    role = {"role": "viewer", "seen": seen_on(Page(stina.get(his)))}
    assert stina.post(f"{his}/role", role).location.endswith("done=role")
    assert mats.get("/admin/staff").status_code == 403
    assert "staff_role_changed" in audited(session)


def test_there_is_always_an_administrator(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    own = f"/admin/staff/{stina.staff.id}"
    role = {"role": "viewer", "seen": seen_on(Page(stina.get(own)))}
    for path, data in ((f"{own}/disable", {}), (f"{own}/role", role)):
        answer = stina.post(path, data)
        assert answer.location == f"{own}?done=last"
    assert "sista administratören" in Page(stina.get(f"{own}?done=last")).text
    found = staff_by_id(session, stina.staff.id)
    assert found is not None
    assert (found.role, found.disabled_at) == (Role.ADMINISTRATOR, None)


def test_two_administrators_who_disable_each_other_at_once_leave_one(app: Flask, session: Session) -> None:
    both = [make_staff(session, address=f"{name}@example.se").id for name in ("stina", "mats")]
    start, refused = threading.Barrier(2), []

    def disable(which: int) -> None:
        with app.app_context():
            start.wait()
            try:
                with transaction() as own:
                    disable_staff(own, which, by=None, now=datetime.now(UTC))
            except Conflict:
                refused.append(which)

    threads = [threading.Thread(target=disable, args=(one,)) for one in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert [row is None for row in session.scalars(select(StaffRow.disabled_at).order_by(StaffRow.id))].count(True) == 1


def test_disabled_person_is_out_and_can_be_let_in_again(app: Flask, session: Session) -> None:
    stina, mats = signed_in(app, session), signed_in(app, session, Role.MARKETER, "mats@example.se")
    theirs = f"/admin/staff/{mats.staff.id}"
    stina.post(f"{theirs}/disable")
    assert mats.get("/admin").status_code == 303
    assert stina.post(f"{theirs}/invite").location == f"{theirs}?done=last"
    stina.post(f"{theirs}/enable")
    assert mats.get("/admin").status_code == 303, "the old session stays ended"
    assert signed_in_as(app, session, mats.staff).get("/admin").status_code == 200


def test_resetting_the_second_factor_signs_out_and_enrols_anew(app: Flask, session: Session) -> None:
    stina, mats = signed_in(app, session), signed_in(app, session, Role.MARKETER, "mats@example.se")
    stina.post(f"/admin/staff/{mats.staff.id}/second-factor")
    assert mats.get("/admin").status_code == 303
    client = browser(app)
    token = token_on(client.get("/admin/sign-in"))
    answer = client.post("/admin/sign-in", data={"csrf": token, "address": "mats@example.se", "password": PASSWORD})
    assert answer.location == "/admin/enrol"


def test_others_sessions_can_be_ended(app: Flask, session: Session) -> None:
    stina, mats = signed_in(app, session), signed_in(app, session, Role.MARKETER, "mats@example.se")
    stina.post(f"/admin/staff/{mats.staff.id}/sessions")
    assert mats.get("/admin").status_code == 303
    assert stina.get("/admin").status_code == 200


def test_stale_session_proves_it_once_more_and_goes_on(app: Flask, session: Session) -> None:
    stina = signed_in(app, session, at=datetime.now(UTC) - timedelta(minutes=20))
    asked = stina.get("/admin/staff/invite")
    assert asked.location == "/admin/confirm?next=/admin/staff/invite"
    onward = {"next": "/admin/staff/invite"}
    assert stina.post("/admin/confirm", {"password": "wrong", **onward}).status_code == 422
    assert stina.get("/admin/staff/invite").status_code == 303
    assert stina.post("/admin/confirm", {"password": PASSWORD, **onward}).location == "/admin/staff/invite"
    assert stina.get("/admin/staff/invite").status_code == 200
    assert stina.post("/admin/confirm", {"password": PASSWORD, "next": "//evil.example"}).location == "/admin"


def test_stale_form_changes_nothing_and_leads_back(app: Flask, session: Session) -> None:
    make_staff(session, Role.ADMINISTRATOR, "other@example.se")
    stina = signed_in(app, session, at=datetime.now(UTC) - timedelta(minutes=20))
    back = f"/admin/staff/{stina.staff.id}"
    assert stina.post(f"{back}/disable", {"back": back}).location == f"/admin/confirm?next={back}"
    assert session.scalars(select(StaffRow.disabled_at)).all() == [None, None]


def test_proving_it_cannot_be_guessed_at_will(app: Flask, session: Session) -> None:
    stina = signed_in(app, session, at=datetime.now(UTC) - timedelta(minutes=20))
    statuses = [stina.post("/admin/confirm", {"password": f"wrong {number}"}).status_code for number in range(6)]
    assert statuses == [422] * 5 + [429]
    assert stina.post("/admin/confirm", {"password": PASSWORD}).status_code == 429


def test_new_password_signs_out_everywhere_else(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    elsewhere = signed_in_as(app, session, stina.staff)
    wrong = stina.post("/admin/account/password", {"password": OTHER_PASSWORD, "again": "x"})
    assert wrong.status_code == 422
    answer = stina.post("/admin/account/password", {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD})
    assert answer.location == "/admin/account?done=password"
    assert stina.get("/admin").status_code == 200
    assert elsewhere.get("/admin").status_code == 303
    session.rollback()
    stale = datetime.now(UTC) - timedelta(hours=1)
    session.execute(update(StaffRow).values(signed_in_at=stale))
    session.commit()
    assert stina.post("/admin/confirm", {"password": PASSWORD}).status_code == 422
    assert stina.post("/admin/confirm", {"password": OTHER_PASSWORD}).status_code == 303


def test_another_app_replaces_the_first_only_when_it_works(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    elsewhere = signed_in_as(app, session, stina.staff)
    before = session.scalars(select(StaffRow.totp_secret)).one()
    session.rollback()
    assert stina.post("/admin/account/app").location == "/admin/account/app"
    page = stina.get("/admin/account/app").text
    secret = re.search(r'class="secret">([^<]+)<', page)
    assert secret is not None
    assert stina.post("/admin/account/app/code", {"code": "000000"}).status_code == 422
    assert session.scalars(select(StaffRow.totp_secret)).one() == before
    session.rollback()
    answer = stina.post("/admin/account/app/code", {"code": code_shown(secret[1])})
    assert answer.location == "/admin/recovery-codes?next=/admin/account"
    assert session.scalars(select(StaffRow.totp_secret)).one() == secret[1].replace(" ", "")
    session.rollback()
    assert elsewhere.get("/admin").status_code == 303


def test_new_recovery_codes_replace_the_old(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    stina.post("/admin/account/recovery-codes")
    first = stina.get("/admin/recovery-codes").text
    stina.post("/admin/account/recovery-codes")
    second = stina.get("/admin/recovery-codes").text
    assert first != second
    assert len(session.scalars(select(RecoveryCodeRow.id)).all()) == 10


def test_pages_name_nobody_that_is_not_there(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    for path in ("/admin/staff/999999", "/admin/staff/0", "/admin/staff/99999999999999999999", "/admin/staff/x"):
        assert stina.get(path).status_code == 404, path
