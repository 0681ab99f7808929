"""Passkeys in a real browser, with Chromium's own virtual authenticator: the script, its questions, every page on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import CDPSession
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.roles import Role
from preferences.models.passkey import PasskeyRow
from preferences.services.staff.invitations import make_invitation
from preferences.services.staff.staff import NewStaff, create_staff
from preferences.web.plumbing import utc_now
from tests.support.staff import PASSWORD

from .conftest import Live
from .looking import Looker

pytestmark = pytest.mark.slow
SIGN_IN = "form[action*='/sign-in/passkey'] button"


@pytest.fixture
def localhost(live: Live, looker: Looker) -> Iterator[str]:
    """The service under the one plain address for which browsers make passkeys."""
    before = live.app.extensions["preferences.settings"]
    looker.url = live.url.replace("127.0.0.1", "localhost")
    live.app.extensions["preferences.settings"] = replace(before, base_url=looker.url)
    yield looker.url
    live.app.extensions["preferences.settings"] = before


def plug_in(looker: Looker) -> tuple[CDPSession, str]:
    """A telephone that answers at once, and verifies whoever holds it."""
    control = looker.page.context.new_cdp_session(looker.page)
    control.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    found = control.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return control, found["authenticatorId"]


def test_from_the_invitation_to_signing_in_with_a_passkey_alone(
    session: Session, looker: Looker, localhost: str
) -> None:
    page = looker.page
    control, telephone = plug_in(looker)
    new = NewStaff(address="eva.ek@example.se", name="Eva Ek", role=Role.MARKETER, locale=looker.locale)
    secret = make_invitation(session, create_staff(session, new, by=None, now=utc_now()), by=None, now=utc_now())
    session.commit()
    looker.go(f"/admin/invitation/{secret}")
    page.locator("#field-password").fill(PASSWORD)
    page.locator("#field-again").fill(PASSWORD)
    page.locator("main form button").click()
    page.locator("form[data-passkey] button").wait_for()
    looker.look("admin-enrol-passkey")
    page.locator("form[data-passkey] button").click()
    page.wait_for_url("**/recovery-codes*")
    page.locator("main form button").click()
    looker.go("/admin/account")
    looker.look("admin-account-passkey")
    page.locator("a[href='/admin/account/passkeys/new']").click()
    page.locator("form[data-passkey] button").click()
    page.locator("[data-problem=there]").wait_for()
    looker.look("admin-passkey-there")
    page.goto(f"{localhost}/admin/account/passkeys/{session.scalars(select(PasskeyRow.id)).one()}")
    session.rollback()
    looker.look("admin-passkey")
    page.locator("form.leave button").click()
    page.locator(SIGN_IN).click()
    page.wait_for_url("**/admin")
    page.goto(f"{localhost}/admin/confirm?next=/admin/account")
    looker.look("admin-confirm-passkey")
    page.locator("form[data-passkey] button").click()
    page.wait_for_url("**/admin/account")
    page.locator("form.leave button").click()
    page.locator("#field-address").fill("eva.ek@example.se")
    page.locator("#field-password").fill(PASSWORD)
    page.locator("main form button").first.click()
    looker.look("admin-code-passkey")
    page.locator("form[data-passkey] button").click()
    page.wait_for_url("**/admin")
    page.locator("form.leave button").click()
    control.send("WebAuthn.setUserVerified", {"authenticatorId": telephone, "isUserVerified": False})
    page.locator(SIGN_IN).click()
    page.locator("[data-problem=failed]").wait_for()
    looker.look("admin-sign-in-passkey-failed")
