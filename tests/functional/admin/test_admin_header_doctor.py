"""The header doctor in the admin pages: findings in words, a link tried, nothing stored."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from preferences.domain.request_shapes import Shape
from preferences.domain.roles import Role
from tests.factories import link, make_recipient, purpose
from tests.support.page import Page
from tests.support.raw_mail import raw_mail
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.visits import entries

PAGE = "/admin/header-doctor"
BASE = "https://preferences.example"


@pytest.fixture
def viewer(app: Flask, session: Session) -> StaffBrowser:
    """Somebody who may only look."""
    return signed_in(app, session, Role.VIEWER)


def test_a_sound_message_is_called_sound(viewer: StaffBrowser) -> None:
    page = Page(viewer.post(PAGE, {"message": raw_mail().decode()}))
    assert "Avanmälan med ett klick fungerar för meddelandet." in page.text
    assert page.find("a", href=PAGE).text == "Mejldoktorn"


def test_what_is_wrong_is_said_in_words_and_nothing_is_stored_or_logged(session: Session, viewer: StaffBrowser) -> None:
    before = audited(session)
    with capture_logs() as logs:
        page = Page(viewer.post(PAGE, {"message": "From: secret.name@example.se\r\nSubject: Hej\r\n\r\nHej <script>"}))
    assert "Avanmälan med ett klick fungerar inte för meddelandet: 3 fel." in page.text
    assert "List-Unsubscribe" in page.text
    assert "<script>" not in page.html
    assert "secret.name" not in str(logs)
    assert audited(session) == before


def test_a_file_is_read_byte_for_byte(viewer: StaffBrowser) -> None:
    file = (io.BytesIO(raw_mail()), "brev.eml")
    answer = viewer.post(PAGE, {"file": file, "message": ""}, content_type="multipart/form-data")
    assert "fungerar för meddelandet" in Page(answer).text


def test_a_link_of_ours_is_tried_with_everything_and_stops_nobody(session: Session, viewer: StaffBrowser) -> None:
    anna = make_recipient(session)
    token = link(anna, purpose(session, "marketing"))
    session.commit()
    before = len(entries(session))
    page = Page(viewer.post(PAGE, {"url": f"{BASE}/u/{token}"}))
    assert "Länken fungerar." in page.text
    assert len(page.all("tr")) == len(Shape) + 1
    assert len(entries(session)) == before


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/u/x",
        "javascript:alert(1)",
        "/u/x",
        f"{BASE}/admin",
        f"{BASE}/u/å",
        "http://169.254.169.254/",
    ],
)
def test_no_strangers_address_is_called(viewer: StaffBrowser, url: str) -> None:
    answer = viewer.post(PAGE, {"url": url})
    assert answer.status_code == 422
    assert "#field-url" in answer.text


def test_a_forged_link_is_called_what_it_is(viewer: StaffBrowser) -> None:
    page = Page(viewer.post(PAGE, {"url": f"{BASE}/u/{'A' * 28}.{'b' * 22}"}))
    assert "inte" in page.text
    assert page.all("div", **{"class": "notice bad"})


@pytest.mark.parametrize("message", ["", " \r\n\r\n", "\r\n\r\n\t"])
def test_nothing_to_examine_is_said(viewer: StaffBrowser, message: str) -> None:
    answer = viewer.post(PAGE, {"message": message})
    assert answer.status_code == 422
    assert "#field-message" in answer.text


@pytest.mark.parametrize("raw", [b"\x00" * 5000, b"\xff\xfe" * 900, b"A: " + b"b" * 400_000, "å: ö\r\n\r\n".encode()])
def test_hostile_bytes_are_judged_like_others(viewer: StaffBrowser, raw: bytes) -> None:
    file = (io.BytesIO(raw), "../../x.eml")
    answer = viewer.post(PAGE, {"file": file}, content_type="multipart/form-data")
    assert answer.status_code in {200, 422}


def test_what_is_too_large_is_refused(viewer: StaffBrowser) -> None:
    body = b"--x\r\nContent-Disposition: form-data; name=file; filename=x.eml\r\n\r\n" + b"x" * (11 * 1024 * 1024)
    answer = viewer.client.post(PAGE, data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 413
