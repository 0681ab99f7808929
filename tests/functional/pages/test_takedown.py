"""`/me/takedowns`: something published shall go; asked for, told of, followed to its answer."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.events import EventType
from preferences.domain.photo import MOST_OPEN_TAKEDOWNS, TakedownState
from preferences.models.outbox import ChangeEventRow
from preferences.models.photo import TakedownRow
from preferences.models.recipient import RecipientRow
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import make_recipient, purpose
from tests.support.page import Page, follow
from tests.support.step_up import SteppedUp, open_own_data, step_up
from tests.support.trainings import bodies, make_training, sent_mail
from tests.support.visits import entries

URL = "https://social.example/p/77?a=1&b=<2>"


@pytest.fixture
def me(app: Flask, session: Session) -> SteppedUp:
    """Anna, who reads Swedish, with own data open."""
    return step_up(app, make_recipient(session, locale="sv"))


def form_of(me: SteppedUp) -> dict[str, str]:
    """The hidden fields of the form: what the page showed."""
    fields = Page(me.client.get("/me/takedowns")).forms()[0].fields
    return {name: value for name, value in fields.items() if not name.startswith("object-")}


def ask(me: SteppedUp, **fields: str) -> Page:
    sent = {**form_of(me), "url": URL, "what": "image", "training": "0", "note": "", **fields}
    return follow(me.client, me.client.post("/me/takedowns", data=sent))


def rows(session: Session) -> list[TakedownRow]:
    found = list(session.scalars(select(TakedownRow).order_by(TakedownRow.id)))
    session.expunge_all()
    session.rollback()
    return found


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["takedowns", *arguments])


def test_it_gets_a_reference_a_receipt_and_an_event(app: Flask, session: Session, me: SteppedUp) -> None:
    training = make_training(session, me.recipient)
    page = ask(me, what="both", training=str(training), note="Tredje bilden,\r\ntill vänster")
    (row,) = rows(session)
    assert page.response.request.path == f"/me/takedowns/{row.reference}"
    assert (row.url, row.note, row.training_id, row.state) == (
        URL,
        "Tredje bilden,\ntill vänster",
        training,
        TakedownState.RECEIVED,
    )
    for words in (row.reference, "Säkerhet i vardagen, Göteborg", "Ditt namn och din bild", "Mottaget"):
        assert words in page.text
    event = session.scalars(select(ChangeEventRow)).one()
    assert (event.type, event.data) == (
        EventType.TAKEDOWN_REQUESTED,
        {"takedown": row.reference, "what": "both", "training_id": training},
    )
    session.rollback()
    (mail,) = sent_mail(app)
    assert mail["Subject"] == f"Vi har tagit emot ditt ärende {row.reference}"
    plain, html = bodies(mail)
    assert URL in plain
    assert "b=<2>" not in html


def test_what_is_stored_is_unreadable_without_the_key(session: Session, me: SteppedUp) -> None:
    ask(me, note="Hemligt")
    stored = repr(session.execute(text("SELECT url, note FROM takedowns")).all())
    session.rollback()
    assert "social.example" not in stored
    assert "Hemligt" not in stored


def test_asking_objects_to_nothing_unless_that_is_ticked(session: Session, me: SteppedUp) -> None:
    page = Page(me.client.get("/me/takedowns"))
    boxes = page.all("input", type="checkbox")
    assert [box.get("name") for box in boxes] == ["object-photo_name", "object-photo_image"]
    assert not any("checked" in box.attrib for box in boxes)
    ask(me)
    assert entries(session) == []


def test_a_ticked_objection_is_recorded_with_the_wording_shown(session: Session, me: SteppedUp) -> None:
    page = ask(me, **{"object-photo_image": "no"})
    (entry,) = entries(session)
    shown = purpose(session, "photo_image")
    assert (entry.purpose_id, entry.act, entry.training_id) == (shown.id, Act.OBJECTED, 0)
    assert (entry.notice_version_id, entry.locale) == (shown.notice_version_id, "sv")
    assert "Min bild: Du invände den" in page.text
    boxes = Page(me.client.get("/me/takedowns")).all("input", type="checkbox")
    assert [box.get("name") for box in boxes] == ["object-photo_name"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "ftp://a.example/x",
        "https://user:pass@a.example/",
        "https://a.example\\@b.example/",
        "https://localhost/x",
        "https://a.example/\u202egpj",
        "https://a.example/ två ord",
        "https://a.example/\x00",
        "https://" + "a" * 2000 + ".example/",
        "anna@example.se",
    ],
)
def test_what_is_no_address_of_a_page_is_refused_with_words(session: Session, me: SteppedUp, url: str) -> None:
    answer = me.client.post("/me/takedowns", data={**form_of(me), "url": url, "what": "image"})
    assert answer.status_code == 422
    page = Page(answer)
    assert page.title.startswith("Fel: ")
    assert page.find("a", href="#field-url") is not None
    assert page.find("input", id="field-url").get("aria-invalid") == "true"
    assert rows(session) == []


def test_every_mistake_is_told_at_once_and_what_was_typed_stays(session: Session, me: SteppedUp) -> None:
    sent = {**form_of(me), "url": "nej", "what": "soul", "training": "999", "note": "x" * 2001}
    answer = me.client.post("/me/takedowns", data=sent)
    page = Page(answer)
    for field in ("field-url", "field-what-name", "field-training", "field-note"):
        assert page.find("a", href=f"#{field}") is not None
    assert page.find("input", id="field-url").get("value") == "nej"
    assert rows(session) == []


def test_hostile_text_is_text(app: Flask, session: Session, me: SteppedUp) -> None:
    page = ask(me, note="<script>alert(1)</script>\x1b[31m{{ 7*7 }}")
    assert "<script>alert" not in page.html
    assert (rows(session)[0].note or "") == "<script>alert(1)</script>[31m{{ 7*7 }}"
    assert "\x1b" not in run(app, "list").output


def test_the_form_sent_twice_is_one_takedown(session: Session, me: SteppedUp) -> None:
    first, second = ask(me), ask(me)
    assert first.response.request.path == second.response.request.path
    ask(me, what="name")
    assert len(rows(session)) == 2


def test_two_tabs_at_once_make_one_takedown(app: Flask, session: Session, me: SteppedUp) -> None:
    sent = {**form_of(me), "url": URL, "what": "image", "training": "0", "note": ""}

    def send(_: int) -> int:
        return me.client.post("/me/takedowns", data=sent).status_code

    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(send, range(3))) == {303}
    assert len(rows(session)) == 1


def test_there_is_an_end_to_how_much_one_person_may_ask(session: Session, me: SteppedUp) -> None:
    for number in range(MOST_OPEN_TAKEDOWNS):
        ask(me, url=f"https://a.example/{number}")
    sent = {**form_of(me), "url": "https://a.example/more", "what": "image"}
    answer = me.client.post("/me/takedowns", data=sent)
    assert answer.status_code == 429
    assert "https://a.example/more" in answer.text
    assert len(rows(session)) == MOST_OPEN_TAKEDOWNS
    session.execute(update(TakedownRow).values(state=TakedownState.DONE, closed_at=datetime.now(UTC)))
    session.commit()
    assert me.client.post("/me/takedowns", data=sent).status_code == 429


def test_nobody_sees_anybody_elses(app: Flask, session: Session, me: SteppedUp) -> None:
    reference = ask(me).response.request.path.rpartition("/")[2]
    bo = open_own_data(app, session, "bo@example.se")
    assert bo.client.get(f"/me/takedowns/{reference}").status_code == 404
    assert reference not in bo.client.get("/me/takedowns").text
    training = make_training(session, me.recipient)
    sent = {**form_of(bo), "url": URL, "what": "image", "training": str(training)}
    assert bo.client.post("/me/takedowns", data=sent).status_code == 422


def test_without_the_sessions_token_nothing_is_taken(session: Session, me: SteppedUp) -> None:
    sent = {**form_of(me), "url": URL, "what": "image", "csrf": "x"}
    assert me.client.post("/me/takedowns", data=sent).status_code == 400
    assert rows(session) == []


def test_after_the_session_has_ended_nothing_is_taken(session: Session, me: SteppedUp) -> None:
    sent = {**form_of(me), "url": URL, "what": "image"}
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=31), tick=False):
        assert me.client.post("/me/takedowns", data=sent).location == "/me/closed?unsaved=1"
    assert rows(session) == []


def test_whoever_has_blocked_their_data_may_still_ask(session: Session, me: SteppedUp) -> None:
    shown = form_of(me)
    status = update(RecipientRow).where(RecipientRow.id == me.recipient.id).values(status=RecipientStatus.RESTRICTED)
    session.execute(status)
    session.commit()
    sent = {**shown, "url": URL, "what": "image", "object-photo_image": "no"}
    assert me.client.post("/me/takedowns", data=sent).status_code == 303
    assert len(rows(session)) == 1
    assert entries(session) == []


def test_staff_follow_it_to_its_end_and_the_person_is_told(app: Flask, session: Session, me: SteppedUp) -> None:
    path = ask(me).response.request.path
    reference = path.rpartition("/")[2]
    sent_mail(app)
    (waiting,) = json.loads(run(app, "list", "--json").stdout)
    assert (waiting["reference"], waiting["state"], waiting["url"]) == (reference, "received", URL)
    assert run(app, "start", reference.lower()).exit_code == 0
    assert "Vi arbetar med det" in Page(me.client.get(path)).text
    assert run(app, "done", reference, "--answer", "Bilden är <borta>.\nTack!").exit_code == 0
    page = Page(me.client.get(path))
    assert "Bilden är <borta>." in page.text
    (mail,) = sent_mail(app)
    assert mail["Subject"] == f"Klart: ditt ärende {reference}"
    plain, html = bodies(mail)
    assert "Bilden är <borta>.\nTack!" in plain
    assert "&lt;borta&gt;" in html
    assert json.loads(run(app, "list", "--json").stdout) == []
    assert len(json.loads(run(app, "list", "--all", "--json").stdout)) == 1
    for again in (["start", reference], ["done", reference, "--answer", "x"], ["refuse", reference, "--answer", "x"]):
        result = run(app, *again)
        assert (result.exit_code, "is closed" in result.output) == (1, True)


def test_a_refusal_says_why_and_where_to_complain(app: Flask, session: Session, me: SteppedUp) -> None:
    reference = ask(me).response.request.path.rpartition("/")[2]
    sent_mail(app)
    assert run(app, "refuse", reference, "--answer", " ").exit_code == 1
    assert run(app, "refuse", reference, "--answer", "Det är någon annan.").exit_code == 0
    (mail,) = sent_mail(app)
    plain, _ = bodies(mail)
    assert mail["Subject"] == f"Vårt svar på ditt ärende {reference}"
    assert "Det är någon annan." in plain
    assert "imy.se" in plain
    assert rows(session)[0].closed_at is not None


def test_of_somebody_erased_meanwhile_nothing_is_kept_once_it_is_done(
    app: Flask, session: Session, me: SteppedUp
) -> None:
    reference = ask(me, note="Anna").response.request.path.rpartition("/")[2]
    erase_recipient(session, me.recipient.id, source="test", now=datetime.now(UTC))
    session.commit()
    assert rows(session)[0].url == URL
    assert run(app, "done", reference, "--answer", "Borta.").exit_code == 0
    (row,) = rows(session)
    assert (row.state, row.url, row.note, row.answer) == (TakedownState.DONE, None, None, None)
    assert sent_mail(app) == []


def test_it_is_in_the_persons_own_copy(session: Session, me: SteppedUp) -> None:
    ask(me, note="Tredje bilden")
    copy = me.client.get("/me/export.json").json
    assert copy is not None
    assert (copy["takedowns"][0]["url"], copy["takedowns"][0]["note"]) == (URL, "Tredje bilden")
    assert "Tredje bilden" in me.client.get("/me/print").text
