"""A cancelled training: who is told, what is not sent any more, what stays, and the way back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import PreferencesError
from preferences.domain.photo import CancellationFor
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Role
from preferences.models.outbox import OutboxJobRow
from preferences.models.recipient import RecipientRow
from preferences.models.transaction import transaction
from preferences.queries.photos.trainings import participants
from preferences.services.photos.cancelling import cancel_training, tell_it_is_cancelled
from preferences.services.photos.trainings import TrainingCancelled, add_participants, notify_participants
from tests.factories import act, make_recipient
from tests.support.client import StrictClient
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.step_up import step_up
from tests.support.trainings import bodies, make_training, may, notice_path, sent_mail, tell


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """A marketer."""
    return signed_in(app, session, Role.MARKETER)


def subjects(app: Flask) -> dict[str, str]:
    """What is sent now: subject by the name in the address."""
    return {str(one["To"]).strip("<>").split("@")[0]: str(one["Subject"]) for one in sent_mail(app)}


def test_who_was_told_is_told_that_it_is_cancelled_and_then_that_it_takes_place(
    app: Flask, session: Session, stina: StaffBrowser
) -> None:
    anna = make_recipient(session, locale="sv")
    number = make_training(session, anna)
    tell(session, number)
    assert len(sent_mail(app)) == 1
    new = make_recipient(session, "new@example.se")
    base = f"/admin/trainings/{number}"
    stina.post(f"{base}/participants", {"person": format_recipient_id(new.id)})
    asks = Page(stina.get(f"{base}/cancel"))
    assert "1 person har fått informationen och får ett mejl" in asks.text
    assert "Mejla också 1 person som inte har fått informationen" in asks.text
    assert sent_mail(app) == [], "looking changes nothing"
    assert stina.post(f"{base}/cancel").location == f"{base}?done=cancelled_told"
    [mail] = sent_mail(app)
    assert (str(mail["To"]), mail["Subject"].split(":")[0]) == ("anna@example.se", "Inställd")
    assert (mail["Auto-Submitted"], mail["List-Unsubscribe"]) == ("auto-generated", None)
    for body in bodies(mail):
        assert "Säkerhet i vardagen" in body
        assert "Den här utbildningen är inställd" in body
        assert "https://preferences.example/p/" in body
    page = Page(stina.get(base)).text
    assert "Informerade: 1 av 1" in page
    assert "1 person har inte fått någon information och får inget mejl" in page
    assert stina.post(f"{base}/cancel").location.endswith("?done=cancelled_before")
    assert stina.post(f"{base}/cancel/tell").location.endswith("?done=nobody")
    assert sent_mail(app) == []
    assert "1 person har fått veta att den är inställd" in Page(stina.get(f"{base}/take-place")).text
    assert stina.post(f"{base}/take-place").location == f"{base}?done=resumed_told"
    [again] = sent_mail(app)
    assert (str(again["To"]), again["Subject"].split(":")[0]) == ("anna@example.se", "Blir av ändå")
    for body in bodies(again):
        assert "Vi skrev att den här utbildningen är inställd. Den blir av ändå" in body
    assert stina.post(f"{base}/take-place").location == f"{base}?done=resumed"
    assert sent_mail(app) == []
    assert tell(session, number) == 1, "who was never told is told of the photos now"
    expected = ["training_cancelled", "cancellation_sent", "training_resumed", "photo_notice_sent"]
    assert [one for one in audited(session) if one in expected] == expected


def test_everybody_is_told_where_that_was_chosen_and_nobody_where_no_notice_was_sent_and_it_was_not(
    app: Flask, session: Session, stina: StaffBrowser
) -> None:
    people = [
        make_recipient(session, "sv@example.se", locale="sv"),
        make_recipient(session, "en@example.se", locale="en"),
    ]
    quiet, loud = make_training(session, *people), make_training(session, *people)
    assert 'name="untold" value="yes" checked' in stina.get(f"/admin/trainings/{quiet}/cancel").text
    assert stina.post(f"/admin/trainings/{quiet}/cancel").location.endswith("?done=cancelled")
    assert sent_mail(app) == []
    stina.post(f"/admin/trainings/{loud}/cancel", {"untold": "yes"})
    assert {one: text.split(":")[0] for one, text in subjects(app).items()} == {"sv": "Inställd", "en": "Cancelled"}
    stina.post(f"/admin/trainings/{loud}/take-place")
    found = {one: text.split(":")[0] for one, text in subjects(app).items()}
    assert found == {"sv": "Blir av ändå", "en": "Takes place after all"}
    assert tell(session, loud) == 0, "that was the notice"


def test_a_notice_that_was_not_sent_yet_is_not_sent_any_more(app: Flask, session: Session, stina: StaffBrowser) -> None:
    number = make_training(session, make_recipient(session))
    tell(session, number)
    assert "1 utskick av informationen väntar" in Page(stina.get(f"/admin/trainings/{number}/cancel")).text
    stina.post(f"/admin/trainings/{number}/cancel")
    assert sent_mail(app) == [], "neither the notice, nor that what nobody has heard of is cancelled"
    assert session.scalars(select(OutboxJobRow.outcome)).all() == ["dropped: training_cancelled"]
    session.rollback()
    stina.post(f"/admin/trainings/{number}/take-place")
    assert sent_mail(app) == []
    assert tell(session, number) == 1
    assert subjects(app)["anna"].startswith("Bilder")


def test_a_correction_kept_back_leaves_what_people_know(app: Flask, session: Session, stina: StaffBrowser) -> None:
    """Cancelled again before the news that it is on was sent: who knows it as cancelled gets no mail until it is on."""
    number = make_training(session, make_recipient(session))
    base = f"/admin/trainings/{number}"
    tell(session, number)
    sent_mail(app)
    stina.post(f"{base}/cancel")
    sent_mail(app)
    stina.post(f"{base}/take-place")
    stina.post(f"{base}/cancel")
    assert sent_mail(app) == []
    stina.post(f"{base}/take-place")
    assert subjects(app)["anna"].startswith("Blir av ändå")


def test_a_mail_about_the_cancellation_is_not_sent_once_it_takes_place(
    app: Flask, session: Session, stina: StaffBrowser
) -> None:
    number = make_training(session, make_recipient(session))
    tell(session, number)
    sent_mail(app)
    stina.post(f"/admin/trainings/{number}/cancel")
    assert stina.post(f"/admin/trainings/{number}/take-place").location.endswith("?done=resumed")
    assert sent_mail(app) == []


def test_a_cancelled_training_takes_nobody_and_tells_of_no_photos(
    app: Flask, session: Session, stina: StaffBrowser
) -> None:
    make_recipient(session, "new@example.se")
    number = make_training(session, make_recipient(session))
    base = f"/admin/trainings/{number}"
    stina.post(f"{base}/cancel")
    answer = stina.post(f"{base}/participants", {"who": "new@example.se"})
    assert answer.status_code == 409
    assert "ingen lades till" in Page(answer).text
    assert "new@example.se" in answer.text, "what was written is still there"
    ran = app.test_cli_runner().invoke(args=["trainings", "participants", str(number), "--add", "new@example.se"])
    assert (ran.exit_code, "is cancelled" in ran.stderr) == (1, True)
    for call in (
        lambda: add_participants(session, number, ["new@example.se"], now=datetime.now(UTC)),
        lambda: notify_participants(session, number, now=datetime.now(UTC)),
    ):
        with pytest.raises(TrainingCancelled):
            call()
        session.rollback()
    assert len(participants(session, number)) == 1
    session.rollback()
    assert stina.post(f"{base}/notice").location.endswith("?done=is_cancelled")
    assert stina.post(f"{base}/notice/correct").location.endswith("?done=is_cancelled")
    assert sent_mail(app) == []


def test_answers_about_photos_stay_and_every_list_says_that_it_is_cancelled(
    app: Flask, session: Session, stina: StaffBrowser, client: StrictClient
) -> None:
    anna = make_recipient(session, locale="sv")
    number = make_training(session, anna)
    path = notice_path(app, session, number)
    act(session, anna, "photo_image", Act.OBJECTED, training_id=number)
    before = may(session, number)
    stina.post(f"/admin/trainings/{number}/cancel")
    assert may(session, number) == before == ("allowed", "objected", "no_basis")
    for page in ("/admin/trainings", f"/admin/trainings/{number}", f"/admin/recipients/{format_recipient_id(anna.id)}"):
        assert "inställd" in Page(stina.get(page)).text, page
    assert "inga bilder tas där" in Page(stina.get(f"/admin/trainings/{number}/photo-list")).text
    assert "inga bilder tas där" in client.get(path).text
    me = step_up(app, anna).client
    assert "(inställd)" in me.get("/me/photos").text
    assert "Inställd." in me.get("/me/data").text
    copy = me.get("/me/export.json").json
    assert copy is not None
    assert (copy["trainings"][0]["cancelled_at"] or "")[:2] == "20"
    assert (copy["trainings"][0]["cancellation_told_at"] or "")[:2] == "20"
    listed = app.test_cli_runner().invoke(args=["trainings", "list"]).stdout
    assert "CANCELLED" in listed
    assert "is cancelled" in app.test_cli_runner().invoke(args=["trainings", "photo-list", str(number)]).stderr


def test_today_asks_for_no_notice_of_it_but_shows_who_knows_wrongly(
    app: Flask, session: Session, stina: StaffBrowser
) -> None:
    number = make_training(session, make_recipient(session), make_recipient(session, "bo@example.se"), days=5)
    assert "Säkerhet i vardagen" in stina.get("/admin").text
    stina.post(f"/admin/trainings/{number}/cancel")
    assert "Säkerhet i vardagen" not in stina.get("/admin").text
    stina.post(f"/admin/trainings/{number}/take-place")
    with transaction() as own:
        cancel_training(own, number, CancellationFor.EVERYBODY, now=datetime.now(UTC))
        tell_it_is_cancelled(own, number, now=datetime.now(UTC), limit=1)
    assert "1 vet inte än att den är inställd" in Page(stina.get("/admin")).text, "somebody broke it off"
    assert "Informera 1 person om att den är inställd" in Page(stina.get(f"/admin/trainings/{number}")).text
    assert stina.post(f"/admin/trainings/{number}/cancel/tell").location.endswith("?done=mailed")
    assert len(sent_mail(app)) == 2
    assert "Säkerhet i vardagen" not in stina.get("/admin").text


def test_who_cannot_be_reached_is_told_neither_way(app: Flask, session: Session, stina: StaffBrowser) -> None:
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    number = make_training(session, anna, bo)
    tell(session, number)
    sent_mail(app)
    session.execute(update(RecipientRow).where(RecipientRow.id == bo.id).values(status=RecipientStatus.RESTRICTED))
    session.commit()
    stina.post(f"/admin/trainings/{number}/cancel")
    assert list(subjects(app)) == ["anna"]
    assert "Uppgifterna är spärrade: 1" in Page(stina.get(f"/admin/trainings/{number}")).text
    session.execute(update(RecipientRow).where(RecipientRow.id == bo.id).values(status=RecipientStatus.ACTIVE))
    session.commit()
    stina.post(f"/admin/trainings/{number}/cancel/tell")
    assert list(subjects(app)) == ["bo"]


def test_what_is_over_can_neither_be_cancelled_nor_taken_back(
    app: Flask, session: Session, stina: StaffBrowser
) -> None:
    over, ahead = make_training(session, days=-2), make_training(session, make_recipient(session), days=1)
    assert "är över" in Page(stina.get(f"/admin/trainings/{over}/cancel")).text
    assert stina.post(f"/admin/trainings/{over}/cancel").location.endswith("?done=over")
    stina.post(f"/admin/trainings/{ahead}/cancel")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=3), tick=False):
        later = signed_in(app, session, Role.MARKETER, "later@example.se")
        assert later.post(f"/admin/trainings/{ahead}/take-place").location.endswith("?done=over")
        assert sent_mail(app) == []
    viewer = signed_in(app, session, Role.VIEWER, "v@example.se")
    for path in ("cancel", "cancel/tell", "take-place", "take-place/tell"):
        assert viewer.post(f"/admin/trainings/{ahead}/{path}").status_code == 403


def test_the_command_cancels_tells_and_takes_back(app: Flask, session: Session) -> None:
    number = make_training(session, make_recipient(session), make_recipient(session, "bo@example.se"))

    def run(*more: str) -> dict[str, object]:
        ran = app.test_cli_runner().invoke(args=["trainings", "cancel", str(number), "--json", *more])
        assert ran.exit_code == 0, ran.stderr
        return dict(json.loads(ran.stdout))

    assert run() == {"enqueued": 2, "left": 0, "cancelled": True}
    assert run() == {"enqueued": 0, "left": 0, "cancelled": True}
    assert len(sent_mail(app)) == 2
    assert run("--undo") == {"enqueued": 2, "left": 0, "cancelled": False}
    assert run("--undo") == {"enqueued": 0, "left": 0, "cancelled": False}
    assert len(sent_mail(app)) == 2
    both = app.test_cli_runner().invoke(args=["trainings", "cancel", str(number), "--undo", "--only-told"])
    assert both.exit_code != 0
    none = app.test_cli_runner().invoke(args=["trainings", "cancel", str(number + 9)])
    assert (none.exit_code, "no training number" in none.stderr) == (1, True)
    assert issubclass(TrainingCancelled, PreferencesError)
