"""From a mail to own data and out again, in a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from preferences.domain.capability import Capability
from tests.factories import link, make_recipient
from tests.support.full_person import make_full_person
from tests.support.step_up import newest_mail

from .conftest import Live

scripting = pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
BUTTON = "Se och ändra allt vi vet om dig"


def _sign_in(live: Live, session: Session, page: Page) -> None:
    page.get_by_role("button", name=BUTTON).click()
    page.get_by_label("Kod, sex siffror").fill(newest_mail(live.app).code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Det vi vet om dig")


@scripting
def test_a_person_proves_the_mailbox_looks_takes_a_copy_and_leaves(
    live: Live, session: Session, open_page: Callable[..., Page], javascript: bool
) -> None:
    anna = make_full_person(session)
    token = link(anna, capability=Capability.PREFERENCES)
    page = open_page(f"/p/{token}", width=320, javascript=javascript)
    expect(page.locator("body")).not_to_contain_text("Akesson@")
    _sign_in(live, session, page)
    expect(page.locator("main")).to_contain_text("Anna.Akesson@example.se")
    page.get_by_role("link", name="Historik").click()
    page.locator("main section summary").first.click()
    expect(page.get_by_text("Vi frågar ibland vad du tycker")).to_be_visible()
    page.get_by_role("link", name="Det vi vet om dig").click()
    page.get_by_role("link", name="Ta en kopia").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Hämta filen").click()
    assert '"format": "own-data/1"' in Path(download.value.path()).read_text()
    page.get_by_role("button", name="Logga ut").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Det vi vet om dig är stängt")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Det vi vet om dig är stängt")
    assert page.context.cookies() == []


def test_the_link_in_the_mail_opens_it_with_one_press(
    live: Live, session: Session, open_page: Callable[..., Page]
) -> None:
    token = link(make_recipient(session), capability=Capability.PREFERENCES)
    page = open_page(f"/p/{token}", width=320)
    page.get_by_role("button", name=BUTTON).click()
    mail = newest_mail(live.app)
    page.goto(live.url + mail.path)
    assert page.context.cookies() == []
    page.get_by_role("button", name="Fortsätt").click()
    expect(page.locator("main")).to_contain_text("anna@example.se")
    [cookie] = page.context.cookies()
    assert (cookie["path"], cookie["httpOnly"], cookie["sameSite"]) == ("/me", True, "Strict")


def test_a_stranger_with_a_forwarded_mail_sees_nothing(
    live: Live, session: Session, open_page: Callable[..., Page]
) -> None:
    token = link(make_full_person(session), capability=Capability.PREFERENCES)
    page = open_page(f"/p/{token}", width=320)
    page.get_by_role("button", name=BUTTON).click()
    for guess in ("123456", "000000"):
        page.get_by_label("Kod, sex siffror").fill(guess)
        page.get_by_role("button", name="Öppna det vi vet om dig").click()
        expect(page).to_have_title("Fel: Titta i din inkorg – Exempelbolaget AB")
        expect(page.get_by_role("alert")).to_contain_text("Det är inte koden i vårt nyaste mejl.")
    page.goto(live.url + "/me/export.json")
    expect(page.get_by_role("heading", level=1)).to_have_text("Det vi vet om dig är stängt")
    expect(page.locator("body")).not_to_contain_text("Akesson@")


def test_signing_out_in_one_tab_closes_the_other(live: Live, session: Session, open_page: Callable[..., Page]) -> None:
    token = link(make_recipient(session), capability=Capability.PREFERENCES)
    page = open_page(f"/p/{token}")
    _sign_in(live, session, page)
    other = page.context.new_page()
    other.goto(live.url + "/me/why")
    page.get_by_role("button", name="Logga ut").click()
    other.get_by_label("Länk från mejlet").fill(f"https://preferences.example/u/{token}")
    other.get_by_role("button", name="Visa varför").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Det vi vet om dig är stängt")
    expect(other.get_by_role("alert")).to_contain_text("sparades inte")
