"""`/me/photos` within its bounds: others' saves and trainings, forged forms, blocked and erased people, many trainings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import Capability
from preferences.domain.eligibility import RecipientStatus
from preferences.models.ledger import EvidenceRow
from preferences.models.photo import ParticipantRow
from preferences.models.recipient import RecipientRow
from preferences.models.training import TrainingRow
from preferences.services.ledger.verify import verify_ledger
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import act, link, make_recipient
from tests.support.page import Page, follow
from tests.support.photo_pages import own_photos as page
from tests.support.photo_pages import save_own_photos as save
from tests.support.step_up import SteppedUp, open_own_data, step_up
from tests.support.trainings import make_training, may
from tests.support.visits import entries


@pytest.fixture
def me(app: Flask, session: Session) -> SteppedUp:
    """Anna, who reads Swedish, with own data open."""
    return step_up(app, make_recipient(session, locale="sv"))


@pytest.fixture
def training(session: Session, me: SteppedUp) -> int:
    return make_training(session, me.recipient)


@pytest.fixture(autouse=True)
def ledger_stays_sound(session: Session) -> Iterator[None]:
    yield
    assert verify_ledger(session).is_sound


def test_somebody_elses_save_is_neither_shown_nor_undone(
    app: Flask, session: Session, me: SteppedUp, training: int
) -> None:
    told = save(me, {"photo_image": "no"})
    path = told.response.request.path
    undo = next(one for one in told.forms() if one.path == "/me/photos/undo").fields["undo"]
    bo = open_own_data(app, session, "bo@example.se")
    assert bo.client.get(path).status_code == 404
    assert bo.post("/me/photos/undo", {"undo": undo}).status_code == 404
    for text in ("", "x", undo[:-1], str(link(me.recipient, capability=Capability.PREFERENCES))):
        assert me.post("/me/photos/undo", {"undo": text}).status_code == 404
    assert may(session, training)[1] == "objected"


def test_trainings_of_others_cannot_be_named(app: Flask, session: Session, me: SteppedUp, training: int) -> None:
    bo = make_recipient(session, "bo@example.se")
    theirs = make_training(session, bo, title="Hemlig kurs")
    assert "Hemlig kurs" not in page(me).text
    fields = page(me).form("save").fields
    shown = fields[f"shown-photo_name-{training}"]
    for number in (theirs, theirs + 1, 10**17):
        forged = {**fields, f"shown-photo_name-{number}": shown, f"answer-photo_name-{number}": "no"}
        assert me.client.post("/me/photos", data=forged).status_code == 400
    assert entries(session) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "stop"},
        {"action": "pause"},
        {"action": "save", "answer-marketing": "no", "shown-marketing": "unset.1.sv"},
        {"action": "save", "answer-everything": "no"},
        {"action": "save", "answer-photo_image": "no"},
        {"action": "save", "answer-photo_image": "perhaps", "shown-photo_image": "yes.1.sv"},
        {"action": "save", "shown-photo_image": "yes.1.sv; drop table"},
        {"action": "save", "evil": "1"},
        {"action": "save", "answer-photo_image-1e3": "no"},
    ],
)
def test_a_form_that_no_page_of_ours_sent_changes_nothing(
    session: Session, me: SteppedUp, fields: dict[str, str]
) -> None:
    assert me.post("/me/photos", fields, page="/me/photos").status_code == 400
    assert entries(session) == []


def test_without_the_sessions_token_nothing_is_changed(session: Session, me: SteppedUp, training: int) -> None:
    fields = page(me).form("save").fields | {"answer-photo_image": "no"}
    for csrf in (None, "", "x" * 43):
        sent = {name: value for name, value in fields.items() if name != "csrf"} | (
            {} if csrf is None else {"csrf": csrf}
        )
        assert me.client.post("/me/photos", data=sent).status_code == 400
    assert entries(session) == []


def test_without_a_session_the_pages_are_closed(app: Flask, session: Session, me: SteppedUp) -> None:
    stranger = app.test_client(use_cookies=False)
    for path in ("/me/photos", "/me/photos/saved", "/me/takedowns", "/me/takedowns/T-00000000"):
        assert stranger.get(path).location == "/me/closed"
        assert stranger.post(path.replace("/saved", "")).status_code in {303, 405}
    assert entries(session) == []


def test_blocked_data_is_shown_and_not_edited(session: Session, me: SteppedUp, training: int) -> None:
    before = page(me)
    session.execute(
        update(RecipientRow).where(RecipientRow.id == me.recipient.id).values(status=RecipientStatus.RESTRICTED)
    )
    session.commit()
    shown = page(me)
    assert "Dina uppgifter är spärrade" in shown.text
    assert "Spara mina val" not in shown.text
    told = save(me, {"photo_image": "no"}, before)
    assert told.response.request.path == "/me/photos"
    assert entries(session) == []
    assert may(session, training)[:2] == ("restricted", "restricted")


def test_whoever_was_erased_meanwhile_saves_nothing(session: Session, me: SteppedUp, training: int) -> None:
    form = page(me).form("save")
    erase_recipient(session, me.recipient.id, source="test", now=datetime.now(UTC))
    session.commit()
    assert form.submit(me.client, {"answer-photo_marketing": "yes"}).status_code == 303
    assert entries(session) == []
    assert session.scalar(select(func.count()).select_from(EvidenceRow)) == 0
    session.rollback()


def test_many_trainings_come_fifty_at_a_time(session: Session, me: SteppedUp) -> None:
    now = datetime.now(UTC)
    rows = [
        TrainingRow(title=f"Kurs {one}", held_on=(now + timedelta(days=one)).date(), created_at=now)
        for one in range(60)
    ]
    session.add_all(rows)
    session.flush()
    session.add_all(ParticipantRow(training_id=row.id, recipient_id=me.recipient.id, added_at=now) for row in rows)
    session.commit()
    first = page(me)
    assert len(first.all("h3")) == 50
    assert "Kurs 59" in first.text
    second = Page(me.client.get("/me/photos?from=50"))
    assert len(second.all("h3")) == 10
    oldest = rows[0].id
    follow(me.client, second.form("save").submit(me.client, {f"answer-photo_image-{oldest}": "no"}))
    assert may(session, oldest)[1] == "objected"
    for wrong in ("-1", "x", "99999999999999999999999"):
        assert me.client.get(f"/me/photos?from={wrong}").status_code == 200


def test_looking_changes_nothing(session: Session, me: SteppedUp, training: int) -> None:
    for path in ("/me/photos", "/me/photos/saved", "/me/takedowns"):
        assert me.client.get(path).status_code == 200
        assert me.client.head(path).status_code == 200
    assert entries(session) == []


@pytest.mark.parametrize("locale", ["sv", "en"])
def test_one_language_from_end_to_end(session: Session, me: SteppedUp, training: int, locale: str) -> None:
    shown = Page(me.client.get(f"/me/photos?lang={locale}"))
    told = save(me, {"photo_image": "no"}, shown)
    assert (shown.language, told.language) == (locale, locale)
    assert entries(session)[0].locale == locale


def test_what_was_answered_is_in_the_copy(session: Session, me: SteppedUp, training: int) -> None:
    save(me, {f"photo_image-{training}": "no"})
    copy = me.client.get("/me/export.json").json
    assert copy is not None
    (choice,) = copy["choices"]
    assert (choice["purpose"], choice["act"], choice["training"]["title"]) == (
        "photo_image",
        "objected",
        "Säkerhet i vardagen",
    )
    assert "Säkerhet i vardagen" in me.client.get("/me/choices").text


def test_the_session_is_no_credential_on_the_page_of_a_link(
    app: Flask, session: Session, me: SteppedUp, training: int
) -> None:
    act(session, me.recipient, "photo_image", Act.OBJECTED)
    bo = make_recipient(session, "bo@example.se", locale="sv")
    token = link(bo, capability=Capability.PREFERENCES)
    shown = Page(me.client.get(f"/p/{token}"))
    assert shown.answers()["photo_image"] == "yes"
    follow(me.client, shown.form("save").submit(me.client, {"answer-photo_marketing": "yes"}))
    assert [entry.recipient_id for entry in entries(session)] == [me.recipient.id]
