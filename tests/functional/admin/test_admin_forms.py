"""Sign-up forms in the admin pages: the list, the HTML to paste, adding one, closing one."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.roles import Role
from preferences.models.transaction import reading
from preferences.services.purposes.purposes import archive_purpose
from preferences.services.sign_up.forms import all_forms
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in

NEW = "/admin/forms/new_form"
FORM = {"key": "autumn-fair", "heading-sv": "Höstmässan", "heading-en": "The autumn fair", "purposes": ["surveys"]}


@pytest.fixture
def marketer(app: Flask, session: Session) -> StaffBrowser:
    """Somebody who works with forms."""
    return signed_in(app, session, Role.MARKETER)


def keys() -> list[str]:
    with reading() as session:
        return [one.key for one in all_forms(session)]


def test_the_form_that_is_always_there_is_listed_with_its_address(marketer: StaffBrowser) -> None:
    page = Page(marketer.get("/admin/forms"))
    assert page.all("a", href="https://preferences.example/subscribe/news")
    assert "Produktnyheter" in page.text


def test_a_form_is_added_and_can_be_pasted_in_every_language(
    app: Flask, session: Session, marketer: StaffBrowser
) -> None:
    assert marketer.post(NEW, FORM).location == "/admin/forms/autumn-fair?done=added"
    assert "form_changed" in audited(session)
    page = Page(marketer.get("/admin/forms/autumn-fair?done=added"))
    pasted = {one.get("id"): one.text or "" for one in page.all("textarea")}
    assert 'action="https://preferences.example/subscribe/autumn-fair?lang=sv"' in pasted["embed-sv"]
    assert "<h2>The autumn fair</h2>" in pasted["embed-en"]
    assert "Your email address" in pasted["embed-en"]
    by_command = app.test_cli_runner().invoke(args=["forms", "embed", "autumn-fair", "--language", "sv"]).stdout
    assert pasted["embed-sv"].strip() == by_command.strip(), "the same as the command prints"
    assert Page(marketer.client.get("/subscribe/autumn-fair?lang=sv")).title.startswith("Höstmässan")


@pytest.mark.parametrize(
    ("change", "field", "status"),
    [
        ({"key": ""}, "key", 422),
        ({"key": "Höst"}, "key", 422),
        ({"key": "sent"}, "key", 422),
        ({"key": "x" * 65}, "key", 422),
        ({"heading-en": " "}, "heading-en", 422),
        ({"heading-sv": "x" * 201}, "heading-sv", 422),
        ({"purposes": []}, "purposes", 422),
        ({"purposes": ["events"]}, "purposes", 422),
        ({"purposes": ["nothing", "a\x00"]}, "purposes", 422),
        ({"purposes": ["surveys", "surveys"]}, "purposes", 422),
    ],
)
def test_a_form_that_cannot_be_is_refused_in_words(
    marketer: StaffBrowser, change: dict[str, object], field: str, status: int
) -> None:
    answer = marketer.post(NEW, {**FORM, **change})
    assert answer.status_code == status
    page = Page(answer)
    assert page.all("a", href=f"#field-{field}")
    assert any(one.get("id") == f"field-{field}" for one in page.root.iter())
    assert "The autumn fair" in page.html or field == "heading-en"
    assert keys() == ["news"]


def test_only_mail_that_rests_on_consent_is_offered(marketer: StaffBrowser) -> None:
    boxes = {one.get("value") for one in Page(marketer.get(NEW)).all("input", type="checkbox")}
    assert boxes == {"marketing", "product_news", "service_news", "surveys"}


def test_a_key_is_used_once(marketer: StaffBrowser) -> None:
    marketer.post(NEW, FORM)
    marketer.post("/admin/forms/autumn-fair/close", {"sure": "1"})
    answer = marketer.post(NEW, FORM)
    assert answer.status_code == 409
    assert "Höstmässan" in answer.text


def test_closing_is_looked_at_first_and_shuts_the_address(session: Session, marketer: StaffBrowser) -> None:
    marketer.post(NEW, FORM)
    path = "/admin/forms/autumn-fair/close"
    assert "Stäng formuläret ”Höstmässan”?" in marketer.get(path).text
    assert marketer.post(path).status_code == 400
    assert marketer.client.get("/subscribe/autumn-fair").status_code == 200
    assert marketer.post(path, {"sure": "1"}).location == "/admin/forms?closed=1&done=closed"
    assert marketer.client.get("/subscribe/autumn-fair").status_code == 404
    assert marketer.get("/admin/forms/autumn-fair").status_code == 404
    assert "Höstmässan" not in Page(marketer.get("/admin/forms")).text
    assert "Visa även 1 stängt" in Page(marketer.get("/admin/forms")).text
    assert "stängt den" in Page(marketer.get("/admin/forms?closed=1")).text
    assert audited(session).count("form_changed") == 2


def test_a_form_with_nothing_left_says_so(session: Session, now: datetime, marketer: StaffBrowser) -> None:
    archive_purpose(session, "marketing", now=now)
    session.commit()
    assert "inget som används" in Page(marketer.get("/admin/forms")).text
    page = Page(marketer.get("/admin/forms/news"))
    assert "är arkiverat eller vilar på något annat än samtycke" in page.text
    assert not page.all("textarea")


@pytest.mark.parametrize("key", ["nothing", "%C3%A5", "x" * 300, "a%00b", "new-form"])
def test_what_is_not_there_is_not_found(marketer: StaffBrowser, key: str) -> None:
    assert marketer.get(f"/admin/forms/{key}").status_code == 404
    assert marketer.get(f"/admin/forms/{key}/close").status_code == 404
    assert marketer.post(f"/admin/forms/{key}/close", {"sure": "1"}).status_code == 404


def test_a_viewer_copies_the_html_and_changes_nothing(app: Flask, session: Session) -> None:
    viewer = signed_in(app, session, Role.VIEWER)
    page = Page(viewer.get("/admin/forms/news"))
    assert page.all("textarea")
    assert "/close" not in page.html
    assert NEW not in viewer.get("/admin/forms").text
