"""Every field of every form a recipient meets, with what nobody should send: a clear page, nothing lost, nothing echoed raw."""

from __future__ import annotations

from itertools import cycle

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.domain.capability import Capability
from preferences.extensions import limiter
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import RecipientView
from tests.factories import link, make_recipient, purpose
from tests.support.full_person import make_full_person
from tests.support.page import Form, Page
from tests.support.step_up import SteppedUp, step_up
from tests.support.trainings import make_training

HOSTILE = [
    "",
    "x" * 70_000,
    "a\x00b@example.se",
    "'\"><script>alert(1)</script>",
    "\ufffe\uffff\x7f\u202e",
    "í\xa0\x80",
    "a@b.se\r\nBcc: x@example.org",
    "-1",
    "9" * 30,
    "٣",
    "../../etc/passwd",
    "😀" * 200,
    "javascript:alert(1)",
    "https://" + "a" * 3000,
    "https://[::1",
    "file:///etc/passwd",
    "0001-01-01",
    "2026-02-30",
    "999999999.sv",
    "yes.1.xx",
    "no.1.sv.x",
    "%00",
]
PER_FIELD = 2
OWN = ("correct", "address", "requests", "takedowns", "photos", "why", "restrict", "receipts/1")


@pytest.fixture
def own(app: Flask, session: Session) -> SteppedUp:
    """A browser with the own data of somebody about whom there is everything."""
    anna = make_full_person(session)
    make_training(session, anna)
    return step_up(app, anna)


def _pages(session: Session, anna: RecipientView) -> list[str]:
    marketing = purpose(session, "marketing")
    session.rollback()
    page = f"/p/{link(anna, capability=Capability.PREFERENCES)}"
    return ["/", "/subscribe", page, f"{page}/training", f"/u/{link(anna, marketing)}", *(f"/me/{one}" for one in OWN)]


def _names(form: Form) -> set[str]:
    found = {one.get("name") for tag in ("input", "select", "textarea", "button") for one in form.element.iter(tag)}
    return {name for name in found if name}


@pytest.mark.slow
@pytest.mark.parametrize("app", ["sqlite"], indirect=True)
def test_no_field_breaks_a_page_and_nothing_is_echoed_as_markup(own: SteppedUp, session: Session) -> None:
    """The client parses every page strictly; a character that no page may hold would stop it."""
    values, sent = cycle(HOSTILE), 0
    for path in _pages(session, own.recipient):
        for form in Page(own.client.get(path)).forms():
            if "sign-out" in form.path:
                continue
            for name in sorted(_names(form)):
                for value in (None, ["a", "b"], *(next(values) for _ in range(PER_FIELD))):
                    limiter.reset()
                    fields = {key: one for key, one in form.fields.items() if key != name}
                    answer = own.client.post(form.path, data=fields if value is None else {**fields, name: value})
                    _check(answer, f"{path} {name}={value!r:.40}")
                    sent += 1
    assert sent > 200
    assert session.scalar(select(func.count()).select_from(RecipientRow)) == 1
    session.rollback()


def _check(answer: TestResponse, what: str) -> None:
    assert answer.status_code < 500, what
    assert "<script>alert" not in answer.text, what
    assert answer.status_code in {303} or answer.mimetype == "text/html", what
    if answer.status_code in {400, 404, 413, 422}:
        assert Page(answer).title.startswith(("Fel: ", "Error: ")), f"{what}: {Page(answer).title}"


def test_a_spoilt_or_foreign_token_opens_nothing(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    marketing = purpose(session, "marketing")
    session.rollback()
    client = app.test_client(use_cookies=False)
    opens = {Capability.PREFERENCES: "p", Capability.UNSUBSCRIBE: "u", Capability.STEP_UP: "s", Capability.CONFIRM: "c"}
    for capability, own_kind in opens.items():
        token = str(link(anna, marketing, capability=capability))
        spoilt = (token[:-1], token + "A", token[1] + token[0] + token[2:], token.swapcase(), token[::-1], token[:20])
        tried = [(kind, one) for kind in opens.values() for one in spoilt]
        tried += [(kind, token) for kind in opens.values() if kind not in {own_kind, "u"}]
        for kind, one in tried:
            answer = client.get(f"/{kind}/{one}")
            assert answer.status_code in {200, 404, 410}, f"/{kind}/{capability}"
            assert "a•••@" not in answer.text, f"/{kind}/{capability}: even the masked address is the bearer's alone"
