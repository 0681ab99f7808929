"""Every page in Swedish and English, at 320 and 1280 px, light and dark: axe finds nothing and nothing overflows.

The pictures lie in `screenshots/` afterwards, to be looked at by people.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from sqlalchemy.orm import Session

from .screens import SCREENS

MOST_BYTES = 50_000
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
AXE_ON = {("sv", 320, "light"), ("en", 1280, "dark")}
"""Axe takes seconds a page: each language, width and scheme is seen once, the pictures show all eight."""


@pytest.mark.slow
@pytest.mark.parametrize("name", SCREENS)
def test_page_is_accessible_and_fits_everywhere(
    name: str, session: Session, open_page: Callable[..., Page], root: Path
) -> None:
    path = SCREENS[name](session)
    folder = root / "screenshots"
    folder.mkdir(exist_ok=True)
    for locale in ("sv", "en"):
        for width in (320, 1280):
            for scheme in ("light", "dark"):
                page = open_page(path, width=width, scheme=scheme, locale=locale)
                where = f"{name}-{locale}-{width}-{scheme}"
                page.screenshot(path=folder / f"{where}.png", full_page=True, timeout=60_000)
                assert page.locator("html").get_attribute("lang") == locale, where
                overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert overflow <= 0, f"{where}: {overflow} px wider than the window (WCAG 1.4.10)"
                if (locale, width, scheme) in AXE_ON:
                    found = Axe().run(page, options={"runOnly": RULES})
                    assert found.violations_count == 0, f"{where}: {found.generate_report()}"
                page.context.close()


@pytest.mark.parametrize("name", ["preferences", "unsubscribe", "landing"])
def test_page_with_everything_it_loads_stays_small_and_first_party(
    name: str, session: Session, open_page: Callable[..., Page]
) -> None:
    page = open_page("/cookies")
    sizes: list[int] = []
    hosts: set[str] = set()

    def count(response: object) -> None:
        sizes.append(len(response.body()))  # type: ignore[attr-defined]
        hosts.add(response.url.split("/")[2])  # type: ignore[attr-defined]

    page.context.clear_cookies()
    page.on("response", count)
    page.goto(page.url.replace("/cookies", SCREENS[name](session)))
    page.wait_for_load_state("networkidle")
    assert sum(sizes) < MOST_BYTES
    assert len(hosts) == 1
    assert page.context.cookies() == []
