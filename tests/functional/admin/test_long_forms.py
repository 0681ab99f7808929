"""Forms with far too much in them: what fits is answered with every word kept, what does not is refused in plain words."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.roles import Role
from preferences.services.photos.training_people import MOST_NAMES
from tests.support.page import Page
from tests.support.staff import StaffBrowser, signed_in
from tests.support.trainings import make_training

LONG = "ж" * 60_001
"""A letter more than a text may have: 360 kB as forms write it."""
PASTED = "\n".join(f"nobody.{number}.{'x' * 60}@company.example" for number in range(MOST_NAMES + 1))


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """An administrator."""
    return signed_in(app, session, Role.ADMINISTRATOR)


def test_long_texts_come_back_with_what_is_wrong_named(session: Session, stina: StaffBrowser) -> None:
    number = make_training(session)
    for path, field, more in (
        ("/admin/policy/new", "body-sv", {"do": "publish", "based_on": "0"}),
        ("/admin/purposes/events/text", "why-sv", {"based_on": "1", "do": "publish", "lawful_basis": "consent"}),
        ("/admin/purposes/new-purpose", "why-sv", {"do": "publish", "about": "mail", "lawful_basis": "consent"}),
        (f"/admin/trainings/{number}/participants", "who", {}),
        (f"/admin/trainings/{number}/check", "who", {}),
    ):
        text = PASTED if field == "who" else LONG
        answer = stina.post(path, {field: text, **more})
        assert answer.status_code == 422, path
        page = Page(answer)
        assert page.title.startswith("Fel:"), path
        kept = page.find("textarea", id=f"field-{field}").text or ""
        assert kept.strip() == text, path


@pytest.mark.parametrize("path", ["/admin/policy/new", "/admin/takedowns/T-ABCDEFGH/close", "/admin/header-doctor"])
def test_what_no_form_can_hold_is_refused_in_words(stina: StaffBrowser, path: str) -> None:
    answer = stina.post(path, {"body-sv": "x" * (20 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "Gå tillbaka i webbläsaren: det du skrev finns kvar" in Page(answer).text


@pytest.mark.parametrize("name", ["answer", "proof", "body-sv", "who"])
def test_a_file_in_the_place_of_a_text_is_no_text(session: Session, stina: StaffBrowser, name: str) -> None:
    number = make_training(session)
    for path in ("/admin/policy/new", f"/admin/trainings/{number}/participants", "/admin/purposes/events/text"):
        answer = stina.post(path, {"do": "publish", name: (io.BytesIO(b"\x89PNG\r\n\x00" * 99), "<b>.csv")})
        assert answer.status_code in {409, 422}, path
