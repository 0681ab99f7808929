"""The photographer's list and the check before publishing: name and image apart, by the one decision, every look audited."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Role
from tests.factories import act, make_recipient
from tests.support.page import Page, words
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.trainings import make_training, tell


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """A marketer."""
    return signed_in(app, session, Role.MARKETER)


def rows(page: Page) -> list[str]:
    return [words(row) for row in page.all("tr")[1:]]


def test_the_list_keeps_name_and_image_apart(session: Session, stina: StaffBrowser) -> None:
    anna, bo = make_recipient(session, name="Anna Ek"), make_recipient(session, "bo@example.se", name="Bo Ö")
    number = make_training(session, anna, bo)
    tell(session, number)
    act(session, anna, "photo_image", Act.OBJECTED, training_id=number)
    act(session, bo, "photo_name", Act.OBJECTED)
    act(session, bo, "photo_marketing", Act.GIVEN)
    page = Page(stina.get(f"/admin/trainings/{number}/photo-list"))
    of_anna, of_bo = rows(page)
    assert of_anna.startswith("Anna Ek Ja NEJ sa nej")
    assert of_anna.endswith("NEJ har inte samtyckt")
    assert of_bo.startswith("Bo Ö NEJ sa nej")
    assert of_bo.endswith("Ja Ja")
    sections = [words(one) for one in page.all("section")]
    assert sections == ["Visa ingen bild av Anna Ek", "Skriv inte namnet på Bo Ö"]
    assert audited(session)[-1] == "photo_list_seen"


def test_an_empty_list_says_what_to_do_and_a_free_one_that_all_may_be_shown(
    session: Session, stina: StaffBrowser
) -> None:
    number = make_training(session)
    assert "Lägg först till personer" in stina.get(f"/admin/trainings/{number}/photo-list").text
    free = make_training(session, make_recipient(session, name="<b>Anna</b>"))
    page = Page(stina.get(f"/admin/trainings/{free}/photo-list"))
    assert "Ingen: alla på listan får visas." in page.text
    assert "<b>Anna</b> inte informerad" in page.text


def test_a_viewer_reads_the_list_masked(app: Flask, session: Session) -> None:
    number = make_training(session, make_recipient(session, name="Anna Ek", profile={"company_name": "Rör AB"}))
    viewer = signed_in(app, session, Role.VIEWER)
    text = viewer.get(f"/admin/trainings/{number}/photo-list").text
    for hidden in ("Anna Ek", "anna@example.se", "Rör AB"):
        assert hidden not in text
    assert "maskerade" in text


def test_names_and_addresses_are_checked_in_the_order_pasted(session: Session, stina: StaffBrowser) -> None:
    anna = make_recipient(session, name="Anna Ek")
    bo = make_recipient(session, "bo@example.se", name="Bo  Öberg")
    make_recipient(session, "cia@example.se", name="Cia Dahl")
    number = make_training(session, anna, bo)
    tell(session, number)
    act(session, bo, "photo_name", Act.OBJECTED, training_id=number)
    text = f"ANNA EK\r\nbo öberg\r\ncia@example.se\r\nCia Dahl\r\nNobody\r\n{format_recipient_id(anna.id)}"
    page = Page(stina.post(f"/admin/trainings/{number}/check", {"who": text}))
    found = rows(page)
    assert found[0] == "Anna Ek Ja Ja NEJ har inte samtyckt"
    assert found[1].startswith("Bo Öberg NEJ sa nej")
    assert found[2].startswith("cia@example.se inte med på utbildningen Ja Ja")
    assert found[3].startswith("Cia Dahl NEJ okänd: har aldrig informerats NEJ okänd")
    assert found[4].startswith("Nobody NEJ okänd")
    assert found[5] == found[0]
    assert "3 av dem får inte visas som det är." in page.text
    assert audited(session)[-1] == "photos_checked"


def test_all_free_is_said_and_not_told_is_not_all_free(session: Session, stina: StaffBrowser) -> None:
    number = make_training(session, make_recipient(session, name="Anna Ek"))
    assert "titta närmare på 1 av dem" in stina.post(f"/admin/trainings/{number}/check", {"who": "Anna Ek"}).text
    tell(session, number)
    assert "Alla får visas" in stina.post(f"/admin/trainings/{number}/check", {"who": "Anna Ek"}).text


def test_several_with_one_name_are_all_answered(session: Session, stina: StaffBrowser) -> None:
    one, other = make_recipient(session, name="Bo Ek"), make_recipient(session, "b2@example.se", name="bo ek")
    number = make_training(session, one, other)
    act(session, other, "photo_image", Act.OBJECTED, training_id=number)
    found = rows(Page(stina.post(f"/admin/trainings/{number}/check", {"who": "Bo Ek"})))
    assert len(found) == 2
    assert all("flera har det namnet" in row for row in found)


@pytest.mark.parametrize("who", ["", " \r\n,; ", "\n".join(str(one) for one in range(2001))])
def test_nobody_and_too_many_are_refused(session: Session, stina: StaffBrowser, who: str) -> None:
    number = make_training(session, make_recipient(session))
    answer = stina.post(f"/admin/trainings/{number}/check", {"who": who})
    assert answer.status_code == 422
    assert "photos_checked" not in audited(session)


@pytest.mark.parametrize(
    "who", ["<script>alert(1)</script>", "\x00\u202e", "%_%", "' OR 1=1 --", "Å" * 9000, "{{7*7}}"]
)
def test_hostile_names_are_unknown_text(session: Session, stina: StaffBrowser, who: str) -> None:
    number = make_training(session, make_recipient(session, name="Anna Ek"))
    answer = stina.post(f"/admin/trainings/{number}/check", {"who": f"{who}\nAnna Ek"})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "Anna Ek inte informerad Ja" in rows(Page(answer))[-1]


def test_what_is_not_there_is_not_found(stina: StaffBrowser) -> None:
    assert stina.get("/admin/trainings/77/photo-list").status_code == 404
    assert stina.get("/admin/trainings/77/check").status_code == 404
    assert stina.post("/admin/trainings/77/check", {"who": "Anna"}).status_code == 404
