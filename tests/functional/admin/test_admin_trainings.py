"""The marketing team plans trainings: who takes part, who has been told, and nothing half done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Role
from preferences.models.photo import ParticipantRow
from preferences.queries.photos.trainings import participants, training_by_id
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import make_recipient, make_recipients
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.trainings import make_training

HOSTILE = ("<script>alert(1)</script>", "{{ 7*7 }}", "=1+1", "\u202eelatem", "Å" * 200)


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """A marketer."""
    return signed_in(app, session, Role.MARKETER)


def on_list(session: Session, number: int) -> list[str]:
    found = [one.address or "" for one in participants(session, number)]
    session.rollback()
    return found


def day(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def test_trainings_to_come_stand_first_and_the_next_one_on_top(session: Session, stina: StaffBrowser) -> None:
    assert "Ingen utbildning är planerad" in stina.get("/admin/trainings").text
    for title, days in (("Gamla", -40), ("Sist", 50), ("Nyss", -3), ("Nästa", 4)):
        make_training(session, title=title, days=days)
    page = Page(stina.get("/admin/trainings"))
    assert sorted(("Nästa", "Sist", "Nyss", "Gamla"), key=page.position) == ["Nästa", "Sist", "Nyss", "Gamla"]
    for hostile in ("?before=x", "?before=0", "?before=999999", "?before=%00", "?done=<b>"):
        assert stina.get(f"/admin/trainings{hostile}").status_code == 200


def test_past_trainings_are_paged_without_gaps(session: Session, stina: StaffBrowser) -> None:
    for number in range(53):
        make_training(session, title=f"Nr-{number:02}-", days=-1 - number // 3)
    seen, path = "", "/admin/trainings"
    for _ in range(2):
        page = Page(stina.get(path))
        seen += page.text
        path = page.find("a", rel="next").get("href", "") if page.all("a", rel="next") else ""
    assert path == ""
    assert [seen.count(f"Nr-{number:02}-") for number in range(53)] == [1] * 53


def test_a_training_is_added_and_changed(session: Session, stina: StaffBrowser) -> None:
    made = stina.post("/admin/trainings/new", {"title": " Öppet  hus ", "place": "Visby", "held_on": day(9)})
    number = int(made.location.partition("?")[0].rpartition("/")[2])
    assert made.status_code == 303
    assert "Nu ska de som deltar" in stina.get(made.location).text
    fields = Page(stina.get(f"/admin/trainings/{number}/edit")).forms()[-1].fields
    changed = stina.post(f"/admin/trainings/{number}/edit", {**fields, "place": "", "title": "Öppet hus 2"})
    assert changed.status_code == 303
    found = training_by_id(session, number)
    session.rollback()
    assert found is not None
    assert (found.title, found.place, found.held_on.isoformat()) == ("Öppet hus 2", "", day(9))
    assert audited(session)[-3:] == ["training_added", "recipients_searched", "training_changed"]


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "title"),
        ({"title": "   ", "held_on": "2031-01-01"}, "title"),
        ({"title": "x" * 201, "held_on": "2031-01-01"}, "title"),
        ({"title": "A", "place": "y" * 201, "held_on": "2031-01-01"}, "place"),
        ({"title": "A", "held_on": "i morgon"}, "held_on"),
        ({"title": "A", "held_on": "1431-01-01"}, "held_on"),
        ({"title": "A", "held_on": "2031-02-30"}, "held_on"),
    ],
)
def test_what_cannot_be_taken_is_told_at_its_field_and_keeps_every_word(
    stina: StaffBrowser, form: dict[str, str], field: str
) -> None:
    answer = stina.post("/admin/trainings/new", form)
    assert answer.status_code == 422
    page = Page(answer)
    assert page.title.startswith("Fel:")
    assert field in {one.get("name") for one in page.all("input") if one.get("aria-invalid") == "true"} or not form
    for name, value in form.items():
        assert page.find("input", name=name).get("value") == value.strip()


@pytest.mark.parametrize("title", HOSTILE)
def test_a_hostile_title_is_text(session: Session, stina: StaffBrowser, title: str) -> None:
    made = stina.post("/admin/trainings/new", {"title": title, "held_on": day(3)})
    assert made.status_code == 303
    assert "<script>alert" not in stina.get("/admin/trainings").text
    assert stina.get(made.location).status_code == 200


def test_two_people_changing_a_training_lose_no_work(session: Session, stina: StaffBrowser) -> None:
    number = make_training(session, title="Före")
    fields = Page(stina.get(f"/admin/trainings/{number}/edit")).forms()[-1].fields
    assert stina.post(f"/admin/trainings/{number}/edit", {**fields, "title": "Hennes"}).status_code == 303
    slower = stina.post(f"/admin/trainings/{number}/edit", {**fields, "title": "Mitt långa ord"})
    assert slower.status_code == 409
    page = Page(slower)
    assert "Mitt långa ord" in page.html
    assert "Hennes" in page.text
    again = {**page.forms()[-1].fields, "title": "Mitt långa ord"}
    assert stina.post(f"/admin/trainings/{number}/edit", again).status_code == 303


def test_people_are_pasted_by_address_id_and_other_systems_id(session: Session, stina: StaffBrowser) -> None:
    make_recipient(session, "anna@example.se")
    bo = make_recipient(session, "bo@example.se")
    make_recipient(session, "cia@example.se", external_id="Kund 77")
    make_recipient(session, "åsa@exempel.se")
    number = make_training(session)
    text = f"ANNA@example.se, Åsa Ö <åsa@exempel.se>;{format_recipient_id(bo.id)}\r\n\tKund 77\r\n\r\nanna@example.se"
    answer = stina.post(f"/admin/trainings/{number}/participants", {"who": text})
    assert answer.location == f"/admin/trainings/{number}?done=added"
    assert on_list(session, number) == ["anna@example.se", "bo@example.se", "cia@example.se", "åsa@exempel.se"]
    again = stina.post(f"/admin/trainings/{number}/participants", {"who": text})
    assert again.location.endswith("?done=already")
    assert audited(session).count("participants_changed") == 1


def test_one_unknown_name_adds_nobody_and_is_listed(session: Session, stina: StaffBrowser) -> None:
    make_recipient(session)
    gone = make_recipient(session, "gone@example.se")
    erase_recipient(session, gone.id, source="test", now=datetime.now(UTC))
    number = make_training(session)
    text = f"anna@example.se\nnobody@x.example\n{format_recipient_id(gone.id)}\n<i>=1+1\n{'x' * 5000}\x00"
    answer = stina.post(f"/admin/trainings/{number}/participants", {"who": text})
    page = Page(answer)
    assert answer.status_code == 422
    assert "4 av dem känner vi inte till" in page.text
    for name in ("nobody@x.example", format_recipient_id(gone.id), "<i>=1+1"):
        assert name in page.text
    assert on_list(session, number) == []
    assert "participants_changed" not in audited(session)


@pytest.mark.parametrize("who", ["", " \n,;\t\r\n ", "\n".join(f"p{one}@example.se" for one in range(2001))])
def test_nobody_and_too_many_change_nothing(session: Session, stina: StaffBrowser, who: str) -> None:
    number = make_training(session)
    assert stina.post(f"/admin/trainings/{number}/participants", {"who": who}).status_code == 422
    assert on_list(session, number) == []


def test_people_are_looked_for_exactly_and_picked(session: Session, stina: StaffBrowser) -> None:
    anna = make_recipient(session, name="Anna Ek")
    bo = make_recipient(session, "bo@example.se")
    number = make_training(session, bo)
    path = f"/admin/trainings/{number}/participants"
    page = Page(stina.post(f"{path}/find", {"text": "anna@example.se"}))
    assert "Anna Ek" in page.text
    assert page.find("input", name="person").get("value") == format_recipient_id(anna.id)
    domain = Page(stina.post(f"{path}/find", {"text": "example.se"}))
    assert len(domain.all("input", name="person")) == 2
    assert "på listan" in domain.text
    for nothing in ("", "anna", "@", "%", "nobody@x.example", "anna@example.s", "\u202e", "x" * 4000):
        assert Page(stina.post(f"{path}/find", {"text": nothing})).all("input", name="person") == []
    stina.post(path, {"person": format_recipient_id(anna.id)})
    assert on_list(session, number) == ["anna@example.se", "bo@example.se"]


def test_somebody_is_taken_off_and_put_back(session: Session, stina: StaffBrowser) -> None:
    anna = make_recipient(session)
    number = make_training(session, anna)
    person = {"person": format_recipient_id(anna.id)}
    answer = stina.post(f"/admin/trainings/{number}/participants/remove", person)
    assert on_list(session, number) == []
    back = next(form for form in Page(stina.get(answer.location)).forms() if form.path.endswith("/participants"))
    back.submit(stina.client)
    assert on_list(session, number) == ["anna@example.se"]
    for forged in ("", "x", "0000000000000", format_recipient_id(make_recipient(session, "b@example.se").id)):
        gone = stina.post(f"/admin/trainings/{number}/participants/remove", {"person": forged})
        assert gone.location.endswith("?done=gone")
    assert on_list(session, number) == ["anna@example.se"]


def test_a_viewer_sees_addresses_masked_and_changes_nothing(app: Flask, session: Session) -> None:
    number = make_training(session, make_recipient(session, name="Anna Ek"))
    viewer = signed_in(app, session, Role.VIEWER)
    page = viewer.get(f"/admin/trainings/{number}").text
    assert "anna@example.se" not in page
    assert "Anna Ek" not in page
    for path in ("participants", "participants/remove", "participants/find", "notice", "edit"):
        assert viewer.post(f"/admin/trainings/{number}/{path}", {"who": "anna@example.se"}).status_code == 403


def test_what_is_not_there_is_not_found(stina: StaffBrowser) -> None:
    for number in ("77", "0", "9" * 30, "-1", "x"):
        for below in ("", "/edit", "/participants", "/notice"):
            assert stina.get(f"/admin/trainings/{number}{below}").status_code == 404
        for below in ("/edit", "/participants", "/participants/find", "/participants/remove", "/notice"):
            assert stina.post(f"/admin/trainings/{number}{below}", {"who": "a@b.example"}).status_code == 404


def test_many_participants_are_paged(session: Session, stina: StaffBrowser) -> None:
    now = datetime.now(UTC)
    number = make_training(session)
    people = make_recipients(session, 203)
    session.add_all(ParticipantRow(training_id=number, recipient_id=one, added_at=now) for one in people)
    session.commit()
    first = Page(stina.get(f"/admin/trainings/{number}"))
    second = Page(stina.get(first.find("a", rel="next").get("href", "")))
    found = [page.html.count('name="person"') for page in (first, second)]
    assert found == [200, 3]
    assert "203 deltar" in first.text
