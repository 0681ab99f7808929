"""`/p/<token>/training`: one training's choice, straight from the notice; it may only reduce (L11, L17, T11)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.events import EventType
from preferences.domain.purpose import NoticeText
from preferences.models.outbox import ChangeEventRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.ledger.verify import verify_ledger
from preferences.services.purposes.purposes import publish_version
from tests.factories import act, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.page import follow, get
from tests.support.photo_pages import save_for_training as save
from tests.support.trainings import bodies, make_training, may, notice_path, sent_mail
from tests.support.visits import confirmations, entries, preferences_url


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who reads Swedish and has answered nothing."""
    return make_recipient(session, locale="sv")


@pytest.fixture
def training(session: Session, anna: RecipientView) -> int:
    return make_training(session, anna)


@pytest.fixture
def path(app: Flask, session: Session, training: int) -> str:
    """Where the notice's link leads."""
    return notice_path(app, session, training)


@pytest.fixture(autouse=True)
def ledger_stays_sound(session: Session) -> Iterator[None]:
    yield
    assert verify_ledger(session).is_sound


def test_no_to_the_image_counts_at_once_and_leaves_the_name(
    client: StrictClient, session: Session, anna: RecipientView, training: int, path: str
) -> None:
    other = make_training(session, anna, title="Att leda på distans")
    told = save(client, path, image="no")
    assert may(session, training) == ("allowed", "objected", "no_basis")
    assert may(session, other) == ("allowed", "allowed", "no_basis")
    assert "Min bild: Säkerhet i vardagen, Göteborg" in told.text
    assert "Du invände den" in told.text
    (entry,) = entries(session)
    assert (entry.act, entry.training_id, entry.method) == (Act.OBJECTED, training, Method.PREFERENCE_PAGE)
    events = session.scalars(select(ChangeEventRow)).all()
    assert [(event.type, event.entry_id) for event in events] == [(EventType.PHOTO_OBJECTION_CHANGED, entry.id)]
    session.rollback()


def test_the_wording_and_language_shown_are_recorded(
    client: StrictClient, session: Session, anna: RecipientView, training: int, path: str
) -> None:
    shown = purpose(session, "photo_name").notice_version_id
    page = get(client, f"{path}?lang=en")
    assert page.language == "en"
    name = purpose(session, "photo_name")
    texts = [
        {"locale": one, "title": "Namn", "what": "Ny text", "why": "x", "who": "x", "how_long": "x"}
        for one in ("sv", "en")
    ]
    publish_version(
        session,
        "photo_name",
        lawful_basis=name.lawful_basis,
        texts=[NoticeText(**one) for one in texts],
        now=datetime.now(UTC),
    )
    session.commit()
    follow(client, page.form("save").submit(client, {f"answer-photo_name-{training}": "no"}))
    (entry,) = entries(session)
    assert (entry.notice_version_id, entry.locale) == (shown, "en")


def test_yes_is_asked_of_the_mailbox_by_the_name_of_the_training(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView, training: int, path: str
) -> None:
    save(client, path, image="no")
    told = save(client, path, image="yes")
    assert may(session, training)[1] == "objected"
    assert told.title.startswith("Väntar på din bekräftelse")
    assert "Du har bett om ja" in get(client, path).choice(f"photo_image-{training}")
    (mail,) = sent_mail(app)
    text, html = bodies(mail)
    assert "- Min bild: Säkerhet i vardagen, " in text
    assert "Min bild: Säkerhet i vardagen, " in html
    found = re.search(r"https://preferences\.example(/c/[\w.-]{51})", text)
    assert found is not None
    page = get(client, found[1])
    assert "Min bild: Säkerhet i vardagen, Göteborg" in page.text
    assert may(session, training)[1] == "objected"
    done = follow(client, page.forms()[0].submit(client))
    assert "Du har tagit tillbaka" in done.text
    assert may(session, training)[1] == "allowed"


def test_the_preference_page_tells_nobody_which_training_waits(
    client: StrictClient, session: Session, anna: RecipientView, path: str
) -> None:
    save(client, path, image="no")
    save(client, path, image="yes")
    page = get(client, preferences_url(anna))
    assert "Min bild, för en utbildning" in page.text
    assert "Säkerhet i vardagen" not in page.text
    assert "Du har bett om ja" not in page.choice("photo_image")


def test_a_later_no_cancels_what_waits(
    client: StrictClient, session: Session, training: int, path: str, anna: RecipientView
) -> None:
    save(client, path, image="no")
    save(client, path, image="yes")
    save(client, path, name="no")
    (asked,) = confirmations(session)
    assert asked.cancelled_at is not None


def test_undo_takes_back_what_the_page_just_did(
    client: StrictClient, session: Session, training: int, path: str
) -> None:
    told = save(client, path, image="no", name="no")
    follow(client, told.form("undo").submit(client))
    assert may(session, training)[:2] == ("allowed", "allowed")
    assert [entry.training_id for entry in entries(session)] == [training] * 4


def test_undo_never_overrules_a_no_in_general(
    client: StrictClient, session: Session, anna: RecipientView, training: int, path: str
) -> None:
    """An old tab, or a stranger with the mail, says no to what is no already, and then takes that back (T11, T13)."""
    stale = get(client, path)
    act(session, anna, "photo_image", Act.OBJECTED)
    told = follow(client, stale.form("save").submit(client, {f"answer-photo_image-{training}": "no"}))
    assert len(entries(session)) == 2
    follow(client, told.form("undo").submit(client))
    assert may(session, training)[1] == "objected"
    assert len(entries(session)) == 2


def test_undo_never_overrules_a_no_in_general_that_came_after(
    client: StrictClient, session: Session, anna: RecipientView, training: int, path: str
) -> None:
    told = save(client, path, image="no")
    act(session, anna, "photos", Act.OBJECTED)
    told.form("undo").submit(client)
    assert may(session, training)[:2] == ("objected", "objected")


def test_undo_restores_a_yes_that_prevailed_over_a_no_in_general(
    client: StrictClient, session: Session, anna: RecipientView, training: int, path: str
) -> None:
    now = datetime.now(UTC)
    act(session, anna, "photo_image", Act.OBJECTED, occurred_at=now - timedelta(days=2))
    act(session, anna, "photo_image", Act.OBJECTION_LIFTED, occurred_at=now - timedelta(days=1), training_id=training)
    told = save(client, path, image="no")
    assert may(session, training)[1] == "objected"
    follow(client, told.form("undo").submit(client))
    assert may(session, training)[1] == "allowed"
