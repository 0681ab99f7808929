"""The admin pages in Swedish and English, in one walk each: see looking.py for what is asked of them."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from preferences.domain.roles import Role
from preferences.services.staff.invitations import make_invitation
from preferences.services.staff.staff import NewStaff, change_language, create_staff
from preferences.web.plumbing import utc_now
from tests.support.busy_day import busy_day
from tests.support.staff import PASSWORD, code_of, code_shown, make_staff

from .admin_screens import enter_admin
from .looking import Looker

pytestmark = pytest.mark.slow


def test_first_sign_in_from_the_invitation_to_the_recovery_codes(session: Session, looker: Looker) -> None:
    page = looker.page
    new = NewStaff(address="eva.ek@example.se", name="Eva Ek", role=Role.MARKETER, locale=looker.locale)
    eva = create_staff(session, new, by=None, now=utc_now())
    secret = make_invitation(session, eva, by=None, now=utc_now())
    session.commit()
    looker.go(f"/admin/invitation/{secret}")
    page.locator("#field-password").fill("kort")
    page.locator("#field-again").fill("kort")
    page.locator("main form button").click()
    looker.look("admin-invitation-wrong")
    page.locator("#field-password").fill(PASSWORD)
    page.locator("#field-again").fill(PASSWORD)
    page.locator("main form button").click()
    looker.look("admin-enrol")
    page.locator("#field-code").fill("000000")
    page.locator("main form button").click()
    looker.look("admin-enrol-wrong")
    page.locator("#field-code").fill(code_shown(page.locator(".secret").text_content() or ""))
    page.locator("main form button").click()
    looker.look("admin-recovery-codes")
    page.locator("main form button").click()
    looker.look("admin-today-empty")
    looker.go(f"/admin/invitation/{secret}")
    looker.look("admin-invitation-over")


def test_signing_in_wrong_and_right(session: Session, looker: Looker) -> None:
    page, stina = looker.page, make_staff(session)
    change_language(session, stina.id, looker.locale)
    session.commit()
    looker.go("/admin")
    looker.look("admin-sign-in")
    page.locator("#field-address").fill("stina@example.se")
    page.locator("#field-password").fill("fel lösenord")
    page.locator("main form button").click()
    looker.look("admin-sign-in-wrong")
    page.locator("#field-password").fill(PASSWORD)
    page.locator("main form button").click()
    page.locator("#field-code").fill("000000")
    page.locator("main form button").first.click()
    looker.look("admin-code-wrong")
    page.locator("#field-code").fill(code_of(session, stina))
    page.locator("main form button").first.click()
    assert page.locator("h1").text_content() in {"Idag", "Today"}


def test_pages_of_every_day(session: Session, looker: Looker) -> None:
    page, me = looker.page, enter_admin(session, looker)
    busy_day(session)
    make_staff(session, Role.PRIVACY_OFFICER, "petra.olofsson-bergstrom@example.se", name="Petra Olofsson Bergström")
    for name, path in {
        "today": "/admin",
        "staff": "/admin/staff",
        "one-of-staff": f"/admin/staff/{me.id + 1}",
        "invite": "/admin/staff/invite",
        "account": "/admin/account",
        "password": "/admin/account/password",
        "confirm": "/admin/confirm",
        "audit": "/admin/audit",
        "audit-nothing": "/admin/audit?action=data_exported",
        "missing": "/admin/nothing",
    }.items():
        looker.go(path)
        looker.look(f"admin-{name}")
    looker.go("/admin/staff/invite")
    page.locator("#field-name").fill("Åsa")
    page.locator("#field-address").fill("stina@example.se")
    page.locator("main form.card button").click()
    looker.look("admin-invite-wrong")


def test_what_a_role_does_not_open(session: Session, looker: Looker) -> None:
    enter_admin(session, looker, Role.VIEWER)
    looker.go("/admin/staff")
    looker.look("admin-forbidden")
