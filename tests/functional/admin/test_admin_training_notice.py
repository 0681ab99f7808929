"""The notice before a training from the admin pages: looked at, sent once, followed to each mail."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.eligibility import RecipientStatus
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Role
from preferences.domain.suppression import SuppressionReason
from preferences.models.recipient import RecipientRow
from preferences.models.transaction import reading
from preferences.services.choices.suppression import suppress
from preferences.services.photos.trainings import find_training
from tests.factories import make_recipient, make_recipients
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.trainings import bodies, make_training, sent_mail, tell


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """A marketer."""
    return signed_in(app, session, Role.MARKETER)


@pytest.mark.parametrize("sent", [True, False])
def test_whoever_is_taken_off_and_put_back_is_told_once(
    app: Flask, session: Session, stina: StaffBrowser, sent: bool
) -> None:
    anna = make_recipient(session)
    number, other = make_training(session, anna), make_training(session, title="En annan")
    tell(session, number)
    if sent:
        assert len(sent_mail(app)) == 1
    person = {"person": format_recipient_id(anna.id)}
    stina.post(f"/admin/trainings/{number}/participants/remove", person)
    stina.post(f"/admin/trainings/{number}/participants", person)
    assert tell(session, number) == 0
    assert len(sent_mail(app)) == (0 if sent else 1)
    stina.post(f"/admin/trainings/{other}/participants", person)
    assert tell(session, other) == 1


def test_whoever_was_off_the_list_when_mail_was_made_is_told_later(
    app: Flask, session: Session, stina: StaffBrowser
) -> None:
    anna = make_recipient(session)
    number = make_training(session, anna)
    tell(session, number)
    person = {"person": format_recipient_id(anna.id)}
    stina.post(f"/admin/trainings/{number}/participants/remove", person)
    assert sent_mail(app) == []
    stina.post(f"/admin/trainings/{number}/participants", person)
    assert tell(session, number) == 1


def test_the_notice_is_looked_at_sent_and_followed(app: Flask, session: Session, stina: StaffBrowser) -> None:
    now = datetime.now(UTC)
    anna, bounced = make_recipient(session, name="Anna Ek"), make_recipient(session, "studs@example.se")
    blocked, stopped = make_recipient(session, "b@example.se"), make_recipient(session, "s@example.se")
    number = make_training(session, anna, bounced, blocked, stopped)
    for person, reason in ((bounced, SuppressionReason.HARD_BOUNCE), (stopped, SuppressionReason.MANUAL)):
        assert person.address_index is not None
        suppress(session, address_index=person.address_index, reason=reason, source="test", now=now)
    session.execute(update(RecipientRow).where(RecipientRow.id == blocked.id).values(status=RecipientStatus.RESTRICTED))
    session.commit()
    review = Page(stina.get(f"/admin/trainings/{number}/notice"))
    for words in (
        "Skicka till 1 person",
        "Adressen studsar: 1",
        "Uppgifterna är spärrade: 1",
        "Bilder från Säkerhet i vardagen",
    ):
        assert words in review.text
    assert sent_mail(app) == []
    answer = stina.post(f"/admin/trainings/{number}/notice")
    assert answer.location == f"/admin/trainings/{number}?done=told"
    waiting = Page(stina.get(answer.location))
    assert "Informerade: 1 av 4" in waiting.text
    assert "På väg" in waiting.text
    assert len(sent_mail(app)) == 1
    assert "Skickad " in Page(stina.get(f"/admin/trainings/{number}")).text
    again = stina.post(f"/admin/trainings/{number}/notice")
    assert again.location.endswith("?done=nobody")
    assert sent_mail(app) == []
    assert audited(session).count("photo_notice_sent") == 1


def test_the_lines_and_the_service_agree_on_who_is_told(session: Session, stina: StaffBrowser) -> None:
    """What the page counts as not told yet is what the next sending tells."""
    people = make_recipients(session, 3)
    number = make_training(session, make_recipient(session))
    stina.post(
        f"/admin/trainings/{number}/participants", {"who": "\n".join(format_recipient_id(one) for one in people)}
    )
    assert "Skicka till 4 personer" in stina.get(f"/admin/trainings/{number}/notice").text
    assert tell(session, number) == 4


def test_a_mail_that_was_let_go_is_told_with_its_reason(app: Flask, session: Session, stina: StaffBrowser) -> None:
    anna = make_recipient(session)
    number = make_training(session, anna)
    tell(session, number)
    assert anna.address_index is not None
    suppress(
        session,
        address_index=anna.address_index,
        reason=SuppressionReason.HARD_BOUNCE,
        source="test",
        now=datetime.now(UTC),
    )
    session.commit()
    sent_mail(app)
    assert "Kunde inte skickas" in Page(stina.get(f"/admin/trainings/{number}")).text


def test_after_the_training_nobody_is_told(session: Session, stina: StaffBrowser) -> None:
    number = make_training(session, make_recipient(session), days=-2)
    answer = stina.post(f"/admin/trainings/{number}/notice")
    assert answer.location.endswith("?done=over")
    assert "för sent" in stina.get(answer.location).text


def test_the_notice_speaks_a_language_of_the_training(app: Flask, session: Session, stina: StaffBrowser) -> None:
    """The person's own where it is held in that, else the training's first; none chosen: each their own."""
    people = [make_recipient(session, f"{one}@example.se", locale=one) for one in ("sv", "en")]
    for chosen, subjects in (([], {"sv": "Bilder", "en": "Photos"}), (["en"], {"sv": "Photos", "en": "Photos"})):
        number = make_training(session, *people)
        path, day = f"/admin/trainings/{number}/edit", "2199-03-04"
        was = {f"was_{name}": value for name, value in training_words(session, number).items()}
        assert stina.post(path, {"title": "T", "held_on": day, "languages": chosen, **was}).status_code == 303
        tell(session, number)
        found = {str(one["To"]).strip("<>")[:2]: str(one["Subject"]) for one in sent_mail(app)}
        assert {one: found[one].split()[0] for one in found} == subjects
    page = Page(stina.get(f"/admin/trainings/{number}"))
    assert "engelska" in page.text.lower()
    was = {f"was_{name}": value for name, value in training_words(session, number).items()}
    forged = {"title": "T", "held_on": day, "languages": ["xx", "en"], **was}
    assert stina.post(path, forged).status_code == 303
    with reading() as own:
        assert find_training(own, number).languages == ("en",)
    both = {**forged, "languages": ["sv", "en"], "was_languages": "en"}
    assert stina.post(path, {**forged, "first_language": "sv", "languages": []}).status_code == 422
    assert stina.post(path, {**both, "first_language": "sv"}).status_code == 303
    assert '<option value="sv" selected' in stina.get(path).text
    listed = app.test_cli_runner().invoke(args=["trainings", "list"]).stdout
    assert [", in sv and en  (2 of 2 told)" in one for one in listed.splitlines()] == [True, False]
    change = [
        "trainings",
        "change",
        str(number),
        "--language",
        "en",
        "--language",
        "sv",
        "--on",
        "2199-07-07",
        "--json",
    ]
    assert json.loads(app.test_cli_runner().invoke(args=change).stdout) == {"id": number, "told_otherwise": 2}
    with reading() as own:
        assert find_training(own, number).languages == ("en", "sv")
    ran = app.test_cli_runner().invoke(args=["trainings", "add", "T", "--on", "2199-01-01", "--language", "xx"])
    assert (ran.exit_code, "not among PREFERENCES_LOCALES" in ran.stderr) == (1, True)


def test_who_was_told_of_another_day_is_told_of_the_right_one_when_somebody_asks_for_it(
    app: Flask, session: Session, stina: StaffBrowser
) -> None:
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    number = make_training(session, anna, bo)
    tell(session, number)
    assert len(sent_mail(app)) == 2
    page = f"/admin/trainings/{number}"
    words = training_words(session, number)
    was = {f"was_{name}": value for name, value in words.items()}
    assert stina.post(f"{page}/edit", {**words, "title": "Nytt namn", **was}).status_code == 303
    assert "ändrades" not in stina.get(page).text, "a new name is no other day or place"
    moved = {**words, "title": "Nytt namn", "held_on": "2199-05-06"}
    assert stina.post(f"{page}/edit", {**moved, **was, "was_title": "Nytt namn"}).status_code == 303
    assert sent_mail(app) == [], "nobody is told by itself"
    session.execute(update(RecipientRow).where(RecipientRow.id == bo.id).values(status=RecipientStatus.RESTRICTED))
    session.commit()
    assert "1 person fick veta det innan dagen eller platsen ändrades" in Page(stina.get(page)).text
    assert "1 känner till den gamla dagen" in stina.get("/admin").text, "however far ahead"
    assert stina.post(f"{page}/notice/correct").status_code == 303
    [mail] = sent_mail(app)
    assert "anna@example.se" in str(mail["To"])
    for body in bodies(mail):
        assert "Dagen eller platsen har ändrats" in body
    assert "2199" in bodies(mail)[0]
    assert "ändrades" not in stina.get(page).text
    assert "Nytt namn" not in stina.get("/admin").text
    assert "nobody" in stina.post(f"{page}/notice/correct").location
    assert audited(session).count("photo_notice_sent") == 1
    assert signed_in(app, session, Role.VIEWER, "v@example.se").post(f"{page}/notice/correct").status_code == 403


def training_words(session: Session, number: int) -> dict[str, str]:
    """A training as its form says it."""
    found = find_training(session, number)
    session.rollback()
    day, languages = found.held_on.isoformat(), ",".join(found.languages)
    return {"title": found.title, "place": found.place, "held_on": day, "languages": languages}
