"""Rights in a browser: correct, change address, ask, block and erase."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.capability import Capability
from preferences.domain.eligibility import RecipientStatus
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import RecipientView
from tests.factories import link, make_recipient
from tests.support.full_person import make_full_person
from tests.support.rights import link_in, send_all
from tests.support.step_up import newest_mail

from .conftest import Live

scripting = pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
OLD, NEW = "anna@example.se", "anna@ny.example"


def _enter(live: Live, page: Page, anna: RecipientView, locale: str = "sv") -> None:
    """Open own data with the link in the mail."""
    token = link(anna, capability=Capability.PREFERENCES)
    page.goto(f"{live.url}/p/{token}?lang={locale}")
    page.locator(f"form[action^='/p/{token}/step-up'] button").click()
    page.goto(f"{live.url}{newest_mail(live.app).path}?lang={locale}")
    page.locator("main form button").first.click()


@scripting
def test_a_person_corrects_asks_and_takes_back(
    live: Live, session: Session, open_page: Callable[..., Page], javascript: bool
) -> None:
    page = open_page("/", width=320, javascript=javascript)
    _enter(live, page, make_full_person(session))
    page.get_by_role("link", name="Rätta dina uppgifter").click()
    page.get_by_label("Telefon").fill("070-123 45 67")
    page.get_by_label("Företag", exact=True).fill("Nya Rör AB")
    page.get_by_role("button", name="Spara").click()
    notices = page.get_by_role("status")
    expect(notices.first).to_contain_text("070-123 45 67")
    expect(notices.last).to_contain_text("Du får vårt skriftliga svar senast")
    expect(page.locator("main")).to_contain_text("Nya Rör AB")
    page.get_by_role("button", name="Ta tillbaka").first.click()
    expect(page.get_by_role("status")).to_contain_text("Du tog tillbaka ditt ärende")
    page.get_by_role("button", name="Skicka").click()
    expect(page).to_have_title("Fel: Det du har bett om – Exempelbolaget AB")
    page.get_by_role("link", name="Välj vad det gäller.").click()
    page.get_by_label("Jag invänder mot hur mina uppgifter används").check()
    page.get_by_label("Med egna ord").fill("Sluta analysera mina köp.")
    page.get_by_role("button", name="Skicka").click()
    expect(page.get_by_role("status")).to_contain_text("Vi har tagit emot ditt ärende")


@scripting
def test_a_person_changes_address_from_both_mailboxes(
    live: Live, session: Session, open_page: Callable[..., Page], javascript: bool
) -> None:
    page = open_page("/", width=320, javascript=javascript)
    _enter(live, page, make_recipient(session))
    page.get_by_role("link", name="Byt adress").click()
    page.get_by_label("Ny e-postadress").fill(NEW)
    page.get_by_role("button", name="Skriv till båda brevlådorna").click()
    expect(page.get_by_role("heading", level=2).first).to_have_text(f"På gång: {NEW}")
    sent = send_all(live.app)
    for address in (OLD, NEW):
        page.goto(live.url + link_in(sent[address], "/c/address/"))
        expect(page.locator("body")).not_to_contain_text(NEW)
        page.get_by_role("button", name="Ja, jag bekräftar").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Adressen är bytt")
    page.goto(live.url + "/me")
    expect(page.get_by_role("heading", level=1)).to_have_text("Det vi vet om dig är stängt")
    assert session.scalars(select(RecipientRow.address)).one() == NEW


@scripting
def test_a_person_blocks_and_then_erases_everything(
    live: Live, session: Session, open_page: Callable[..., Page], javascript: bool
) -> None:
    page = open_page("/", width=320, javascript=javascript)
    _enter(live, page, make_recipient(session))
    page.get_by_role("link", name="Spärra dina uppgifter").click()
    page.get_by_role("button", name="Spärra dina uppgifter").click()
    expect(page.get_by_role("status")).to_contain_text("Dina uppgifter är spärrade.")
    page.goto(live.url + "/me/erase")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Radera mina uppgifter").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dina uppgifter är raderade")
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("Referens: R-")
    page.go_back()
    assert page.context.cookies() == []
    assert send_all(live.app)[OLD].parsed["Subject"] == "Dina uppgifter är raderade"
    assert session.scalars(select(RecipientRow.status)).one() is RecipientStatus.ERASED
