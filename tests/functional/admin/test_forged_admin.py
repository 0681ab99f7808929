"""Forged numbers and names in every address and every field of the admin pages, by every method: a page, never an error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from preferences.extensions import limiter
from preferences.web.access import Access, declared_access
from tests.support.every_admin_page import admin_pages, fill
from tests.support.page import Form, Page
from tests.support.staff import StaffBrowser, signed_in

FORGED = (
    "0",
    "-1",
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    str(2**64),
    "9" * 400,
    "٣",
    "１２",
    "1e3",
    "1.0",
    "0x10",
    "+1",
    "01",
    "a\x00b",
    "\x00",
    "\ufffe",
    "\u202e",
    "😀" * 100,
    "x" * 3000,
    "'\"><script>alert(1)</script>",
    "..",
    "%00",
    "%2e%2e%2f",
    "a\r\nX-Injected: 1",
    "R-AAAAAAAA",
    "T-AAAAAAAA",
    "{{7*7}}",
)
_PART = r"<(?:\w+:)?(\w+)>"
ONCE = {
    "admin.sign_out",
    "admin.end_other_sessions",
    "admin.end_one_session",
    "admin.call_address",
    "admin.new_password",
}
"""They end the session with which this test goes on, change its password, or call another machine."""


def _rules(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if rule.endpoint.startswith("admin.") and declared_access(view) is Access.STAFF and rule.endpoint not in ONCE:
            yield rule


def _check(answer: TestResponse, what: str) -> None:
    assert answer.status_code < 500, f"{what}: {answer.status_code}"
    assert "X-Injected" not in answer.headers, what
    if answer.mimetype == "text/html" and answer.status_code != 303:
        assert "<script>alert" not in answer.text, what
    answer.get_data()  # a file is streamed: to its end
    answer.close()


def _forge(rule: Rule, known: Mapping[str, Any], name: str, forged: str) -> str:
    """The address with one part forged and the others right."""
    return re.sub(
        _PART, lambda found: quote(forged if found[1] == name else str(known.get(found[1], "1")), safe=""), rule.rule
    )


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """An administrator."""
    return signed_in(app, session)


@pytest.mark.slow
@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_no_forged_part_of_an_address_is_an_error(app: Flask, session: Session, stina: StaffBrowser) -> None:
    """Each part is forged while the others are right: what is behind a foreign object is asked for, too."""
    known, values, tried = fill(session, stina.staff), cycle(FORGED), 0
    for rule in _rules(app):
        names = re.findall(_PART, rule.rule)
        if not names:
            continue
        family = known.get(rule.rule.split("/")[2], {})
        for name in names:
            for forged in (next(values), next(values)):
                path = _forge(rule, family, name, forged)
                for method in sorted((rule.methods or set()) - {"OPTIONS"}):
                    limiter.reset()
                    if method == "POST":
                        answer = stina.post(path, {"sure": "1", "reason": "x", "do": "publish"})
                    else:
                        answer = stina.client.open(path, method=method)
                    _check(answer, f"{method} {path[:80]}")
                    tried += 1
    assert tried > 300


def _names(form: Form) -> set[str]:
    found = {one.get("name") for tag in ("input", "select", "textarea", "button") for one in form.element.iter(tag)}
    return {name for name in found if name} - {"csrf"}


@pytest.mark.slow
@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_no_forged_field_of_a_form_is_an_error(app: Flask, session: Session, stina: StaffBrowser) -> None:
    values, sent = cycle(FORGED), 0
    for path in admin_pages(app, fill(session, stina.staff)).values():
        page = stina.get(path)
        if page.status_code != 200:
            continue
        for element in Page(page).all("form"):
            form, method = Form(element), element.get("method", "get")
            action = element.get("action") or path
            if any(one in action for one in ("sign-out", "sessions", "call-address", "/password", "language")):
                continue
            for name in sorted(_names(form)):
                for forged in (next(values),):
                    limiter.reset()
                    fields = {**form.fields, name: forged}
                    fields.pop("csrf", None)
                    answer = stina.post(action, fields) if method == "post" else stina.get(action, query_string=fields)
                    _check(answer, f"{method} {action} {name}={forged!r:.40}")
                    sent += 1
    assert sent > 150


@pytest.mark.slow
@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_no_forged_parameter_of_a_page_is_an_error(app: Flask, session: Session, stina: StaffBrowser) -> None:
    """Those that pages read from their address, named in the code that reads them."""
    pages = admin_pages(app, fill(session, stina.staff))
    names = (
        "before",
        "after",
        "q",
        "page",
        "done",
        "outcome",
        "still",
        "under",
        "next",
        "purpose",
        "act",
        "person",
        "staff",
        "action",
        "from",
        "until",
        "since",
        "state",
        "kind",
        "channel",
        "month",
        "period",
        "reference",
        "entry",
        "lang",
    )
    values = cycle(FORGED)
    for path in pages.values():
        for _ in range(2):
            forged = {name: next(values) for name in names}
            _check(stina.get(path, query_string=forged), f"{path} {forged!r:.200}")
