"""Single sign-on in a real browser, between two sites: which cookies are sent where, the script, and every page on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page
from sqlalchemy.orm import Session

from tests.support.identity_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider, providing
from tests.support.staff import make_staff

from .conftest import Live
from .looking import Looker

pytestmark = pytest.mark.slow
START = "/admin/single-sign-on"


@pytest.fixture
def fake(live: Live) -> Iterator[FakeProvider]:
    """A provider on another site than the service, which is at `localhost` here."""
    before = live.app.extensions["preferences.settings"]
    with providing() as provider:
        live.app.extensions["preferences.settings"] = replace(
            before,
            base_url=live.url.replace("127.0.0.1", "localhost"),
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT_ID,
            oidc_client_secret=CLIENT_SECRET,
            oidc_label="Kundbolaget",
            oidc_private_hosts=("127.0.0.1",),
        )
        yield provider
    live.app.extensions["preferences.settings"] = before


def test_there_and_back_out_again_and_refused(session: Session, looker: Looker, live: Live, fake: FakeProvider) -> None:
    make_staff(session)
    looker.url = live.url.replace("127.0.0.1", "localhost")
    page = looker.page
    looker.go("/admin/sign-in?next=/admin/account")
    looker.look("admin-sign-in-provider")
    page.click(f"a[href^='{START}']")
    page.wait_for_url("**/admin/account")
    page.go_back()
    assert "code=" not in page.url, "the code is not in the browser's history"
    looker.go("/admin/account")
    looker.look("admin-account-provider")
    looker.go("/admin/confirm")
    looker.look("admin-confirm-provider")
    page.click("form.leave button")
    page.wait_for_url("**/admin/signed-out")
    looker.go("/admin/signed-out")
    looker.look("admin-signed-out")
    fake.person |= {"sub": "somebody-else"}
    looker.go("/admin/sign-in")
    page.click(f"a[href^='{START}']")
    page.get_by_role("heading", level=1).get_by_text(
        "inloggad" if looker.locale == "sv" else "not signed in"
    ).wait_for()
    looker.look("admin-sign-on-refused")


def test_without_scripts_the_button_is_pressed_by_hand(
    session: Session, live: Live, fake: FakeProvider, open_page: Callable[..., Page]
) -> None:
    make_staff(session)
    page = open_page("/admin/sign-in", javascript=False)
    page.goto(f"{live.url.replace('127.0.0.1', 'localhost')}/admin/sign-in")
    page.click(f"a[href^='{START}']")
    page.screenshot(path="screenshots/admin-sign-on-return.png")
    page.click("#finish button")
    page.wait_for_url("**/admin")
