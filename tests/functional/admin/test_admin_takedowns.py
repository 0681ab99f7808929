"""Staff work on takedowns: planned, closed with answer and proof, nothing lost when somebody else was faster."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from preferences.domain.photo import TakedownState, TakedownWhat
from preferences.domain.roles import Role
from preferences.models.photo import TakedownRow
from preferences.services.photos.takedown import NewTakedown, close_takedown, request_takedown
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import make_recipient
from tests.support.page import Page
from tests.support.rights import send_all
from tests.support.staff import StaffBrowser, audited, make_staff, signed_in
from tests.support.trainings import make_training

URL = "https://social.example/p/77?a=1&b=<2>"


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """A marketer."""
    return signed_in(app, session, Role.MARKETER)


def ask(session: Session, address: str = "anna@example.se", *, url: str = URL, note: str = "Tredje bilden") -> str:
    """Somebody wants their picture from a training removed."""
    person = make_recipient(session, address)
    new = NewTakedown(url=url, what=TakedownWhat.IMAGE, training_id=make_training(session, person), note=note)
    reference = request_takedown(session, person, new, locale="sv", now=datetime.now(UTC))
    session.commit()
    assert isinstance(reference, str)
    return reference


def row(session: Session, reference: str) -> TakedownRow:
    session.rollback()
    found = session.scalars(select(TakedownRow).where(TakedownRow.reference == reference)).one()
    session.expunge_all()
    session.rollback()
    return found


def plan_form(stina: StaffBrowser, reference: str) -> dict[str, str]:
    page = Page(stina.get(f"/admin/takedowns/{reference}"))
    return next(form for form in page.forms() if form.path.endswith("/plan")).fields


def test_the_queue_shows_what_is_due_first_and_whose_it_is(session: Session, stina: StaffBrowser) -> None:
    assert "Inget behöver tas bort" in stina.get("/admin/takedowns").text
    first, second, third = ask(session), ask(session, "bo@example.se"), ask(session, "cia@example.se")
    day = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    stina.post(f"/admin/takedowns/{third}/plan", {"assigned_to": str(stina.staff.id), "due_on": day})
    page = Page(stina.get("/admin/takedowns"))
    assert sorted((first, second, third), key=page.position) == [third, first, second]
    assert "2 dagar försenad" in page.text
    assert "social.example" not in page.html
    mine = stina.get("/admin/takedowns?who=me").text
    assert third in mine
    assert first not in mine
    for hostile in ("?state=x&who=x", "?state=closed&before=x", "?who=%00", "?before=1"):
        assert stina.get(f"/admin/takedowns{hostile}").status_code == 200


def test_the_address_is_text_and_opens_without_telling_where_from(session: Session, stina: StaffBrowser) -> None:
    reference = ask(session, note="<script>alert(1)</script>")
    page = Page(stina.get(f"/admin/takedowns/{reference}"))
    assert page.find("a", href=URL).get("rel") == "noreferrer noopener nofollow"
    assert URL in page.text
    assert "<script>alert" not in page.html
    assert audited(session)[-1] == "takedown_seen"


def test_a_stored_address_that_is_no_web_address_is_never_a_link(session: Session, stina: StaffBrowser) -> None:
    reference = ask(session)
    session.scalars(select(TakedownRow)).one().url = "javascript:alert(1)"
    session.commit()
    page = Page(stina.get(f"/admin/takedowns/{reference}"))
    assert "javascript:alert(1)" in page.text
    assert page.all("a", href="javascript:alert(1)") == []


def test_it_is_planned_for_somebody_by_a_day(session: Session, stina: StaffBrowser) -> None:
    reference = ask(session)
    form = {**plan_form(stina, reference), "assigned_to": str(stina.staff.id), "due_on": "2031-03-12"}
    answer = stina.post(f"/admin/takedowns/{reference}/plan", form)
    assert answer.location == f"/admin/takedowns/{reference}?done=planned"
    found = row(session, reference)
    assert (found.assigned_to, found.due_on, found.state) == (
        stina.staff.id,
        date(2031, 3, 12),
        TakedownState.IN_PROGRESS,
    )
    assert "Stina Berg" in stina.get(answer.location).text
    assert audited(session)[-2:] == ["takedown_changed", "takedown_seen"]


def test_it_is_closed_with_answer_and_proof(app: Flask, session: Session, stina: StaffBrowser) -> None:
    reference = ask(session)
    send_all(app)
    form = {"outcome": "done", "answer": "Bilden är\r\nborta.", "proof": "Sidan svarar 404, sett i dag."}
    answer = stina.post(f"/admin/takedowns/{reference}/close", form)
    assert answer.location == f"/admin/takedowns/{reference}?done=closed"
    found = row(session, reference)
    assert (found.state, found.answer, found.proof) == (
        TakedownState.DONE,
        "Bilden är\nborta.",
        "Sidan svarar 404, sett i dag.",
    )
    mail = send_all(app)["anna@example.se"].part("plain")
    assert "borta." in mail
    assert "404" not in mail
    page = Page(stina.get(answer.location))
    assert "Sidan svarar 404" in page.text
    assert [one.path for one in page.forms() if "/takedowns/" in one.path] == []
    assert reference in stina.get("/admin/takedowns?state=closed").text
    stored = repr(session.execute(text("SELECT proof FROM takedowns")).all())
    session.rollback()
    assert "404" not in stored


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("close", {}),
        ("close", {"outcome": "done", "answer": "Borta."}),
        ("close", {"outcome": "done", "answer": "Borta.", "proof": "  \r\n"}),
        ("close", {"outcome": "done", "answer": "Borta.", "proof": "p" * 2001}),
        ("close", {"outcome": "refused", "answer": " "}),
        ("close", {"outcome": "refused", "answer": "x" * 2001}),
        ("close", {"outcome": "received", "answer": "Nej."}),
        ("close", {"outcome": "\x00", "answer": "Nej."}),
        ("plan", {"assigned_to": "999999"}),
        ("plan", {"assigned_to": "-1"}),
        ("plan", {"assigned_to": "x' OR 1=1"}),
        ("plan", {"assigned_to": "9" * 18}),
        ("plan", {"due_on": "i morgon"}),
        ("plan", {"due_on": "1031-03-12"}),
    ],
)
def test_what_cannot_be_taken_changes_nothing_and_keeps_every_word(
    session: Session, stina: StaffBrowser, action: str, form: dict[str, str]
) -> None:
    reference = ask(session)
    answer = stina.post(f"/admin/takedowns/{reference}/{action}", form)
    assert answer.status_code == 422
    page = Page(answer)
    assert page.title.startswith("Fel:")
    for name in ("answer", "proof"):
        assert form.get(name, "").strip() in answer.text
    found = row(session, reference)
    assert (found.state, found.assigned_to, found.due_on) == (TakedownState.RECEIVED, None, None)


def test_a_viewer_is_given_no_case(session: Session, stina: StaffBrowser) -> None:
    reference = ask(session)
    viewer = make_staff(session, Role.VIEWER, "v@example.se")
    answer = stina.post(f"/admin/takedowns/{reference}/plan", {"assigned_to": str(viewer.id)})
    assert answer.status_code == 422


def test_two_people_planning_and_closing_lose_no_work(session: Session, stina: StaffBrowser) -> None:
    reference = ask(session)
    form = plan_form(stina, reference)
    stina.post(f"/admin/takedowns/{reference}/plan", {**form, "due_on": "2031-03-12"})
    slower = stina.post(f"/admin/takedowns/{reference}/plan", {**form, "due_on": "2032-01-01"})
    assert slower.status_code == 409
    assert "2032-01-01" in slower.text
    assert row(session, reference).due_on == date(2031, 3, 12)
    close_takedown(session, reference, TakedownState.REFUSED, "Nej.", now=datetime.now(UTC))
    session.commit()
    late = {"outcome": "done", "answer": "En lång text.", "proof": "Bevis."}
    closed = stina.post(f"/admin/takedowns/{reference}/close", late)
    assert closed.status_code == 409
    assert "En lång text." in closed.text
    assert row(session, reference).answer == "Nej."


def test_of_an_erased_person_only_the_work_is_left(session: Session, stina: StaffBrowser) -> None:
    reference = ask(session)
    number = row(session, reference).recipient_id
    erase_recipient(session, number, source="test", now=datetime.now(UTC))  # type: ignore[arg-type]
    session.commit()
    assert URL in Page(stina.get(f"/admin/takedowns/{reference}")).text
    stina.post(f"/admin/takedowns/{reference}/close", {"outcome": "done", "answer": "Borta.", "proof": "404"})
    found = row(session, reference)
    assert (found.state, found.url, found.note, found.answer, found.proof) == (
        TakedownState.DONE,
        *(None,) * 4,
    )
    assert stina.get(f"/admin/takedowns/{reference}").status_code == 200


def test_erasure_takes_the_proof_along(session: Session, stina: StaffBrowser) -> None:
    reference = ask(session)
    stina.post(f"/admin/takedowns/{reference}/close", {"outcome": "done", "answer": "Borta.", "proof": "404"})
    erase_recipient(session, row(session, reference).recipient_id, source="test", now=datetime.now(UTC))  # type: ignore[arg-type]
    session.commit()
    assert row(session, reference).proof is None


def test_what_is_not_there_is_not_found(stina: StaffBrowser) -> None:
    for reference in ("T-ABCDEFGH", "x", "%00", "1", "T-" + "Å" * 8):
        assert stina.get(f"/admin/takedowns/{reference}").status_code == 404
        for action in ("plan", "close"):
            form = {"outcome": "refused", "answer": "x"}
            assert stina.post(f"/admin/takedowns/{reference}/{action}", form).status_code == 404
