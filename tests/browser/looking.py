"""Looks at a page as people do: on a phone and a desk, light and dark, zoomed, spaced out, by keyboard, and with axe.

One load serves every check; a page at 320 px is the same page at 1280 px and 400 % zoom (WCAG 1.4.10).
After `make e2e` pictures lie in `screenshots/`, to be looked at by people.
"""

from __future__ import annotations

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
WINDOWS = {"sv": ((320, "light"), (1280, "light")), "en": ((1280, "dark"), (320, "dark"))}
"""Two windows a language; axe looks at the first, so that it sees both sizes and both schemes once."""

PICTURES = "PREFERENCES_TEST_PICTURES" in os.environ
"""Set by `make e2e`: all four windows are photographed. No test looks at a picture, and one costs as much as a check."""

AXE = f"""() => axe.run(document, {{runOnly: {RULES}, resultTypes: ['violations']}}).then(found => found.violations.map(
    one => one.id + ': ' + one.help + ' ' + one.nodes.map(node => node.html.slice(0, 160)).join(' | ')))"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SPACED = """() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }'
        + ' p { margin-bottom: 2em !important }');
    document.adoptedStyleSheets = [sheet];
    const cut = [...document.querySelectorAll('main *, header *, footer *')].filter(one =>
        !one.closest('.hidden, .trap, .wide-table') && getComputedStyle(one).overflow !== 'visible'
        && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
        && !one.matches('input, textarea, select'));
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    document.adoptedStyleSheets = [];
    return cut.map(one => 'cut: ' + one.outerHTML.slice(0, 160)).concat(wide > 0 ? ['wider by ' + wide + ' px'] : []);
}"""
FOCUSED = """() => {
    const wrong = [];
    const ring = style => style.outlineStyle !== 'none' || style.boxShadow !== 'none';
    for (const at of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')) {
        if (at.tabIndex < 0 || !at.checkVisibility() || at.matches(':disabled')) continue;
        at.focus();
        const label = at.matches('input[type=radio], input[type=checkbox]') ? at.closest('label') || at.labels[0] || at : at;
        const box = label.getBoundingClientRect();
        const says = why => wrong.push(why + ': ' + at.outerHTML.slice(0, 160));
        if (document.activeElement !== at) says('cannot be focused');
        else if (!ring(getComputedStyle(at)) && !ring(getComputedStyle(label))) says('focus is not visible (2.4.7)');
        if (box.bottom < 0 || box.top > innerHeight) says('focus is obscured (2.4.11)');
        if (!at.matches('p a, li a, dd a, span a') && Math.min(box.width, box.height) < 24) says('too small (2.5.8)');
    }
    return wrong;
}"""
STRUCTURE = """() => {
    const wrong = [], summary = [...document.querySelectorAll('[role=alert] a[href^="#"]')];
    if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
    for (const one of summary) if (!document.querySelector(one.hash)) wrong.push('leads nowhere: ' + one.outerHTML);
    if (document.querySelector('.field.wrong') && !summary.length) wrong.push('a wrong field without a summary');
    if (summary.length && !/^(Fel|Error): /.test(document.title)) wrong.push('the title does not say it: ' + document.title);
    return wrong;
}"""


class Looker:
    """One window in one language, and everything that is asked of each page in it."""

    def __init__(self, page: Page, url: str, locale: str, folder: Path) -> None:
        self.page, self.url, self.locale, self.folder = page, url, locale, folder
        self.findings: list[str] = []

    def go(self, path: str) -> None:
        """Open a path in this language."""
        self.page.set_viewport_size({"width": WINDOWS[self.locale][0][0], "height": 800})
        self.page.goto(f"{self.url}{path}{'&' if '?' in path else '?'}lang={self.locale}")

    def look(self, name: str) -> None:
        """Check the page that is open now. What is found is told at the end, of all pages at once."""
        found: list[str] = []
        for number, (width, scheme) in enumerate(WINDOWS[self.locale]):
            self._window(width, scheme)
            if PICTURES:
                path = self.folder / f"{name}-{self.locale}-{width}-{scheme}.png"
                self.page.screenshot(path=path, full_page=True, animations="disabled")
            if number == 0:
                self.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
                self.page.evaluate(Axe().axe_script)
                found += self.page.evaluate(AXE)
                found += self.page.evaluate(STRUCTURE)
            if (overflow := self.page.evaluate(OVERFLOW)) > 0:
                found.append(f"{overflow} px wider than {width} px (WCAG 1.4.10)")
            if width == 320:
                found += self.page.evaluate(SPACED)
                self.page.keyboard.press("Tab")
                found += self.page.evaluate(FOCUSED)
        if self.page.locator("html").get_attribute("lang") != self.locale:
            found.append("another language")
        self.findings += [f"{name}: {one}" for one in found]

    def _window(self, width: int, scheme: str) -> None:
        self.page.set_viewport_size({"width": width, "height": 640 if width < 600 else 900})
        self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
