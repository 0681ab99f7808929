"""What no page can hold, typed beside a mistake: the page comes back whole, with everything else that was typed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.photo import TakedownWhat
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.rights import RightsKind
from preferences.models.transaction import transaction
from preferences.services.photos.takedown import NewTakedown, request_takedown
from preferences.services.rights.rights import Taken, take_request
from tests.factories import make_recipient
from tests.support.page import Page
from tests.support.staff import StaffBrowser, signed_in
from tests.support.webhooks import make_endpoint

BAD = "Ett ord\x00\ufffe till"
KEPT = "Ett ord till"


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """An administrator."""
    return signed_in(app, session)


def shown_again(stina: StaffBrowser, path: str, field: str, **form: str) -> str:
    answer = stina.post(path, {field: BAD, **form})
    assert answer.status_code in {409, 422}, answer.status_code
    page = Page(answer)  # parsed strictly: a character that no page may hold would stop it
    area = page.all("textarea", name=field)
    return (area[0].text or "").strip() if area else page.find("input", name=field).get("value", "")


def test_a_request(session: Session, stina: StaffBrowser) -> None:
    with transaction() as writing:
        anna = make_recipient(writing)
        details = {"text": "Namnet är fel"}
        taken = take_request(writing, anna.id, RightsKind.CORRECT, details=details, locale="sv", now=datetime.now(UTC))
    assert isinstance(taken, Taken)
    base = f"/admin/requests/{taken.reference}"
    assert shown_again(stina, f"{base}/answer", "answer") == KEPT
    assert shown_again(stina, f"{base}/extend", "reason", until="") == KEPT
    assert shown_again(stina, f"{base}/wanted", "new-established_on") == KEPT
    act = f"/admin/recipients/{format_recipient_id(anna.id)}/act"
    assert shown_again(stina, act, "reason", said="no") == KEPT


def test_a_takedown_and_a_replay(session: Session, stina: StaffBrowser) -> None:
    with transaction() as writing:
        anna = make_recipient(writing)
        new = NewTakedown(url="https://example.org/a", what=TakedownWhat.IMAGE)
        reference = request_takedown(writing, anna, new, locale="sv", now=datetime.now(UTC))
    assert shown_again(stina, f"/admin/takedowns/{reference}/close", "answer", outcome="done") == KEPT
    endpoint, _ = make_endpoint(session, "https://mailer.example/in")
    path = f"/admin/mailers/newsletter/endpoints/{endpoint.id}/replay"
    assert shown_again(stina, path, "event", what="one") == KEPT
