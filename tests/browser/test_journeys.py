"""What people come to do, on a phone, with and without JavaScript, against a real server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import Capability
from preferences.models.ledger import ConfirmationRow, LedgerEntryRow
from preferences.queries.choices.choices import active_suppressions, choice_of
from preferences.queries.recipients.recipients import RecipientView
from tests.browser.screens import OLD
from tests.factories import act, link, make_recipient, purpose

scripting = pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
PHONE = 320


@pytest.fixture
def anna(session: Session) -> RecipientView:
    found = make_recipient(session, "anna.karlsson@example.se")
    act(session, found, "marketing")
    return found


def _preferences(recipient: RecipientView) -> str:
    return f"/p/{link(recipient, capability=Capability.PREFERENCES)}"


def _entries(session: Session) -> int:
    found = session.scalar(select(func.count()).select_from(LedgerEntryRow)) or 0
    session.rollback()
    return found


def _answer(page: Page, key: str, answer: str) -> None:
    page.locator(f"input[name='answer-{key}'][value='{answer}']").check()


@scripting
def test_everything_stops_with_two_taps_from_a_phone(
    session: Session, anna: RecipientView, open_page: Callable[..., Page], javascript: bool
) -> None:
    page = open_page(_preferences(anna), width=PHONE, javascript=javascript)
    button = page.get_by_role("button", name="Stoppa alla utskick")
    box = button.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 640, "seen without scrolling (D2)"
    assert box["height"] >= 44
    button.click()
    expect(page.locator("main")).to_contain_text("Vi skickar dig ingen mer information")
    session.rollback()
    assert [one.reason for one in active_suppressions(session, anna.address_index)] == ["global_stop"]


@scripting
def test_marketing_goes_and_events_stay(
    session: Session, anna: RecipientView, open_page: Callable[..., Page], javascript: bool
) -> None:
    page = open_page(_preferences(anna), width=PHONE, javascript=javascript)
    _answer(page, "marketing", "no")
    page.get_by_role("button", name="Spara mina val").click()
    expect(page.locator("main")).to_contain_text("Nyheter och erbjudanden")
    session.rollback()
    assert choice_of(session, anna.id, purpose(session, "marketing").id).act is Act.WITHDRAWN
    assert choice_of(session, anna.id, purpose(session, "events").id).act is None


def test_undo_restores_what_the_save_changed(
    session: Session, anna: RecipientView, open_page: Callable[..., Page]
) -> None:
    page = open_page(_preferences(anna), width=PHONE)
    _answer(page, "events", "no")
    page.get_by_role("button", name="Spara mina val").click()
    page.get_by_role("button", name="Ångra").click()
    expect(page.locator("main")).to_contain_text("Inbjudningar till evenemang")
    session.rollback()
    assert choice_of(session, anna.id, purpose(session, "events").id).act is Act.OBJECTION_LIFTED


def test_mail_pauses_with_the_keyboard_alone(
    session: Session, anna: RecipientView, open_page: Callable[..., Page]
) -> None:
    page = open_page(_preferences(anna))
    page.locator("input[name='length'][value='3']").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Pausa", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Pausat")
    session.rollback()
    assert choice_of(session, anna.id, purpose(session, "marketing").id).paused_until is not None


def test_a_stranger_with_a_forwarded_mail_can_only_reduce(
    session: Session, anna: RecipientView, open_page: Callable[..., Page]
) -> None:
    before = _entries(session)
    page = open_page(_preferences(anna), locale="en-GB")
    assert "anna.karlsson" not in page.content()
    _answer(page, "surveys", "yes")
    page.get_by_role("button", name="Save my choices").click()
    expect(page.locator("main")).to_contain_text("confirm")
    assert _entries(session) == before, "nothing is turned on before the mailbox says so (T11)"
    waiting = session.scalars(select(ConfirmationRow)).one()
    session.rollback()
    token = link(anna, capability=Capability.CONFIRM, reference=waiting.id)
    page.goto(page.url.split("/p/")[0] + f"/c/{token}")
    assert _entries(session) == before, "opening the link changes nothing (M4)"
    page.get_by_role("button", name="Yes, I confirm").click()
    expect(page.locator("main")).to_contain_text("Feedback surveys")
    session.rollback()
    assert choice_of(session, anna.id, purpose(session, "surveys").id).act is Act.GIVEN


@scripting
def test_the_link_in_a_mail_stops_its_purpose_with_one_button(
    session: Session, anna: RecipientView, open_page: Callable[..., Page], javascript: bool
) -> None:
    before = _entries(session)
    page = open_page(f"/u/{link(anna, purpose(session, 'marketing'))}", width=PHONE, javascript=javascript)
    session.rollback()
    page.wait_for_timeout(500)
    assert _entries(session) == before, "no script acts on load (T3)"
    page.get_by_role("button", name="Nyheter och erbjudanden").click()
    expect(page.locator("main")).to_contain_text("Stoppat")
    session.rollback()
    assert choice_of(session, anna.id, purpose(session, "marketing").id).act is Act.WITHDRAWN
    page.reload()
    page.go_back()
    assert _entries(session) == before + 1


def test_an_expired_link_still_stops_everything_and_offers_a_fresh_one(
    session: Session, anna: RecipientView, open_page: Callable[..., Page]
) -> None:
    page = open_page(f"/p/{link(anna, capability=Capability.PREFERENCES, issued_at=OLD)}", width=PHONE)
    expect(page.get_by_role("button", name="Skicka en ny länk")).to_be_visible()
    page.get_by_role("button", name="Stoppa alla utskick").click()
    session.rollback()
    assert active_suppressions(session, anna.address_index)


def test_language_is_switched_on_the_page_and_stays(anna: RecipientView, open_page: Callable[..., Page]) -> None:
    page = open_page(_preferences(anna))
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your choices")
    _answer(page, "events", "no")
    page.get_by_role("button", name="Save my choices").click()
    assert page.locator("html").get_attribute("lang") == "en"


def test_every_control_is_reached_and_seen_with_the_keyboard(
    anna: RecipientView, open_page: Callable[..., Page]
) -> None:
    page = open_page(_preferences(anna))
    seen: set[str] = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        described = page.evaluate(
            """() => {
                const at = document.activeElement;
                if (!at || at === document.body) return null;
                const target = at.matches('input[type=radio]') ? at.closest('label') || at : at;
                const box = target.getBoundingClientRect();
                const style = getComputedStyle(at), around = getComputedStyle(target);
                const ring = [style, around].some(s => s.outlineStyle !== 'none' || s.boxShadow !== 'none');
                return {
                    tag: at.tagName,
                    name: at.name || at.textContent.trim(),
                    ring: ring,
                    visible: box.top >= 0 && box.bottom <= innerHeight,
                    size: Math.min(box.width, box.height),
                };
            }"""
        )
        if described is None:
            break
        inside_a_date = described["name"] == "until" and "until" in seen
        """Day, month, year and calendar of a date field are the browser's own, and so is their mark of focus."""
        seen.add(described["name"])
        assert described["ring"] or inside_a_date, f"{described}: focus is not visible (WCAG 2.4.7)"
        assert described["visible"], f"{described}: focus is obscured (WCAG 2.4.11)"
        if described["tag"] != "A":
            assert described["size"] >= 24, f"{described}: too small a target (WCAG 2.5.8)"
    assert {"answer-marketing", "answer-photo_marketing", "length"} <= seen
