"""Every admin page of a busy organisation, on a telephone and a desk; with `make e2e` in both languages and themes, with axe.

Pages are found by themselves: whoever adds one adds at most a value to tests/support/every_admin_page.py.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from sqlalchemy.orm import Session

from preferences.services.staff.sessions import begin_session
from preferences.services.staff.staff import change_language
from preferences.web.admin.cookie import COOKIE
from tests.support.every_admin_page import admin_pages, fill
from tests.support.staff import make_staff

from .conftest import Live
from .looking import AXE, FOCUSED, OVERFLOW, PICTURES, STRUCTURE

SCHEMES = {"sv": "light", "en": "dark"}
WIDTHS = (320, 1280)
RAW = """() => [...document.querySelectorAll('main :not(code, textarea, .woven)')].flatMap(one => [...one.childNodes])
    .filter(one => one.nodeType === 3 && !one.parentElement.closest('code, textarea, pre') && (
        /\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:/.test(one.data) || /\\bNone\\b|%\\(\\w+\\)s/.test(one.data)))
    .map(one => 'not in words: ' + one.data.trim())"""
SKIPS = """() => {
    const first = [...document.querySelectorAll('a[href], button, input:not([type=hidden])')].find(one => one.tabIndex >= 0);
    first.focus();
    const box = first.getBoundingClientRect(), there = document.querySelector(first.hash || '#nowhere');
    return first.matches('.skip') && box.top >= 0 && box.height >= 24 && there?.matches('main') ? [] : ['no skip link'];
}"""


@pytest.mark.slow
@pytest.mark.timeout(900 if PICTURES else 240)
@pytest.mark.parametrize("locale", SCHEMES if PICTURES else ["sv"])
def test_every_admin_page_can_be_read_and_reached(locale: str, live: Live, session: Session, chromium: Browser) -> None:
    me = make_staff(session)
    pages = admin_pages(live.app, fill(session, me))
    change_language(session, me.id, locale)
    secret = begin_session(session, me.id, browser="Firefox, Linux", now=datetime.now(UTC)).secret
    session.commit()
    context = chromium.new_context(color_scheme="dark" if SCHEMES[locale] == "dark" else "light")
    context.add_cookies([{"name": COOKIE, "value": secret, "url": f"{live.url}/admin"}])
    page = context.new_page()
    findings = [f"{name}: {one}" for name, path in pages.items() for one in _wrong(page, live.url + path, locale)]
    context.close()
    assert findings == []


def _wrong(page: Page, url: str, locale: str) -> list[str]:
    """What is wrong with one page."""
    answer = page.goto(url)
    if answer is None or answer.status != 200:
        return [str(answer and answer.status)]
    if not answer.headers["content-type"].startswith("text/html"):
        return []
    found: list[str] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if (overflow := page.evaluate(OVERFLOW)) > 0:
            found.append(f"{overflow} px wider than {width} px (WCAG 1.4.10)")
        if PICTURES and width == (1280 if locale == "sv" else 320):
            page.evaluate(Axe().axe_script)
            found += page.evaluate(AXE)
    page.keyboard.press("Tab")
    found += [*page.evaluate(STRUCTURE), *page.evaluate(RAW), *page.evaluate(SKIPS)]
    if page.locator("[inert], fieldset:disabled").count() == 0:  # a preview cannot be entered on purpose
        found += page.evaluate(FOCUSED)
    if (
        not ("/recipients/" in url and url.endswith("/preview"))
        and page.locator("html").get_attribute("lang") != locale
    ):
        found.append("another language")
    return found
