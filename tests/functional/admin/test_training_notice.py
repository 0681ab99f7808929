"""The notice before a training: once to everybody on the list who can be reached, with the link to that training's choice."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import InvalidValue, PreferencesError
from preferences.domain.suppression import SuppressionReason
from preferences.models.photo import ParticipantRow
from preferences.models.recipient import RecipientRow
from preferences.models.transaction import transaction
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.suppression import suppress
from preferences.services.choices.unsubscribe import stop_everything
from preferences.services.photos.trainings import (
    TrainingOver,
    UnknownTraining,
    add_participants,
    add_training,
    notify_participants,
    remove_participants,
)
from preferences.services.recipients.erasure import erase_recipient
from preferences.services.recipients.recipients import UnknownRecipient
from tests.factories import act, make_recipient
from tests.support.client import StrictClient
from tests.support.mailing import jobs
from tests.support.page import get
from tests.support.step_up import step_up
from tests.support.trainings import bodies, make_training, notice_path, sent_mail, tell


def addresses(app: Flask) -> list[str]:
    return sorted(mail["To"].addresses[0].addr_spec for mail in sent_mail(app))


def set_status(session: Session, person: RecipientView, status: RecipientStatus) -> None:
    session.execute(update(RecipientRow).where(RecipientRow.id == person.id).values(status=status))
    session.commit()


def stop_address(session: Session, person: RecipientView, reason: SuppressionReason) -> None:
    assert person.address_index is not None
    suppress(session, address_index=person.address_index, reason=reason, source="test", now=datetime.now(UTC))
    session.commit()


def test_everybody_on_the_list_is_told_once(app: Flask, session: Session) -> None:
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    number = make_training(session, anna, bo)
    assert tell(session, number) == 2
    assert tell(session, number) == 0
    assert addresses(app) == ["anna@example.se", "bo@example.se"]
    add_participants(
        session,
        number,
        ["anna@example.se", make_recipient(session, "cia@example.se").address or ""],
        now=datetime.now(UTC),
    )
    assert tell(session, number) == 1
    assert addresses(app) == ["cia@example.se"]


def test_whoever_stopped_mailings_is_told_all_the_same(app: Flask, session: Session) -> None:
    stopped, complained = make_recipient(session), make_recipient(session, "bo@example.se")
    stop_everything(session, stopped.id, method=Method.ONE_CLICK, now=datetime.now(UTC))
    act(session, stopped, "marketing", Act.WITHDRAWN)
    stop_address(session, complained, SuppressionReason.COMPLAINT)
    tell(session, make_training(session, stopped, complained))
    assert addresses(app) == ["anna@example.se", "bo@example.se"]


def test_nobody_is_told_who_cannot_or_must_not_be_reached(app: Flask, session: Session) -> None:
    people = [
        make_recipient(session, f"{name}@example.se") for name in ("bounced", "manual", "blocked", "gone", "anna")
    ]
    number = make_training(session, *people)
    stop_address(session, people[0], SuppressionReason.HARD_BOUNCE)
    stop_address(session, people[1], SuppressionReason.MANUAL)
    set_status(session, people[2], RecipientStatus.RESTRICTED)
    erase_recipient(session, people[3].id, source="test", now=datetime.now(UTC))
    session.commit()
    told = notify_participants(session, number, now=datetime.now(UTC))
    session.commit()
    assert (told.enqueued, told.left, told.is_done) == (1, 3, True)
    assert addresses(app) == ["anna@example.se"]
    set_status(session, people[2], RecipientStatus.ACTIVE)
    assert tell(session, number) == 1


def test_telling_can_be_broken_off_and_goes_on_where_it_was(app: Flask, session: Session) -> None:
    people = [make_recipient(session, f"p{number}@example.se") for number in range(5)]
    number = make_training(session, *people)
    parts = []
    for _ in range(4):
        told = notify_participants(session, number, now=datetime.now(UTC), limit=2)
        session.commit()
        parts.append((told.enqueued, told.left, told.is_done))
    assert parts == [(2, 3, False), (2, 1, False), (1, 0, True), (0, 0, True)]
    notify_participants(session, number, now=datetime.now(UTC), limit=2)
    session.rollback()
    assert len(addresses(app)) == 5


def test_two_who_tell_at_once_tell_nobody_twice(app: Flask, session: Session) -> None:
    number = make_training(session, *(make_recipient(session, f"p{one}@example.se") for one in range(30)))

    def run(_: int) -> int:
        with app.app_context(), transaction() as own:
            return notify_participants(own, number, now=datetime.now(UTC)).enqueued

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(run, range(4)))
    while tell(session, number):
        pass
    assert sum(told) <= 30
    waiting = [job.recipient_id for job in jobs(session)]
    assert len(waiting) == len(set(waiting)) == 30


@pytest.mark.parametrize("happens", ["erased", "restricted", "bounced", "taken off", "over"])
def test_what_happens_before_the_mail_is_made_counts(app: Flask, session: Session, happens: str) -> None:
    anna = make_recipient(session)
    number = make_training(session, anna, days=1)
    tell(session, number)
    now = datetime.now(UTC)
    if happens == "erased":
        erase_recipient(session, anna.id, source="test", now=now)
    elif happens == "restricted":
        set_status(session, anna, RecipientStatus.RESTRICTED)
    elif happens == "bounced":
        stop_address(session, anna, SuppressionReason.HARD_BOUNCE)
    elif happens == "taken off":
        remove_participants(session, number, ["anna@example.se"])
    session.commit()
    with time_machine.travel(now + timedelta(days=3 if happens == "over" else 0), tick=False):
        assert addresses(app) == []
    (job,) = jobs(session)
    assert (job.outcome or "").startswith("dropped: ")


def test_a_training_that_was_held_is_not_announced(session: Session, app: Flask) -> None:
    number = make_training(session, make_recipient(session), days=-1)
    with pytest.raises(TrainingOver):
        notify_participants(session, number, now=datetime.now(UTC))
    with pytest.raises(UnknownTraining):
        notify_participants(session, number + 1, now=datetime.now(UTC))
    session.rollback()


@pytest.mark.parametrize(
    ("locale", "subject", "words"),
    [
        (
            "sv",
            "Bilder från Säkerhet i vardagen",
            ("Du behöver inte säga varför", "Mitt namn", "Min bild", "ingen reklam"),
        ),
        ("en", "Photos at Säkerhet i vardagen on", ("You need not say why", "My name", "My image", "no advertising")),
    ],
)
def test_the_notice_says_in_the_persons_language_what_will_be_shown_and_where(
    app: Flask, session: Session, locale: str, subject: str, words: tuple[str, ...]
) -> None:
    tell(session, make_training(session, make_recipient(session, locale=locale)))
    (mail,) = sent_mail(app)
    assert mail["Subject"].startswith(subject)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] is None
    for body in bodies(mail):
        assert "Göteborg" in body
        assert all(word in body for word in words)
        assert len(set(re.findall(r"https://preferences\.example/p/[\w.-]{51}/training", body))) == 1


def test_the_notice_respects_what_was_said_before(app: Flask, session: Session) -> None:
    anna = make_recipient(session, locale="sv")
    act(session, anna, "photo_image", Act.OBJECTED)
    tell(session, make_training(session, anna))
    (mail,) = sent_mail(app)
    text, html = bodies(mail)
    assert "Min bild (du har sagt nej, och vi respekterar det)" in text
    assert "Mitt namn\n" in text
    assert html.count("Du har sagt nej") == 1


def test_titles_are_text_wherever_they_stand(app: Flask, session: Session, client: StrictClient) -> None:
    evil = "<img src=x onerror=alert(1)> & 100 % {{ 7*7 }} %(x)s"
    path = notice_path(app, session, make_training(session, make_recipient(session), title=evil, place=evil))
    page = client.get(path).text
    assert "<img" not in page
    assert "{{ 7*7 }}" in page


@pytest.mark.parametrize("title", ["", "  ", "x" * 201, "a\x00b", "a\ud800b", "a\u202eb", "a\x1b[31mb"])
def test_titles_that_no_subject_could_hold_are_refused(session: Session, app: Flask, title: str) -> None:
    with pytest.raises(InvalidValue):
        add_training(session, title=title, held_on=datetime.now(UTC).date(), now=datetime.now(UTC))
    assert add_training(session, title="One\r\n  two", held_on=datetime.now(UTC).date(), now=datetime.now(UTC))
    session.rollback()


def test_only_recipients_who_are_there_can_be_on_the_list(app: Flask, session: Session) -> None:
    anna, gone = make_recipient(session), make_recipient(session, "bo@example.se")
    number = make_training(session)
    erase_recipient(session, gone.id, source="test", now=datetime.now(UTC))
    session.commit()
    for who, error in (
        ("bo@example.se", UnknownRecipient),
        ("nobody@x.example", UnknownRecipient),
        ("no", PreferencesError),
    ):
        with pytest.raises(error):
            add_participants(session, number, ["anna@example.se", who], now=datetime.now(UTC))
        session.rollback()
    assert session.scalars(select(ParticipantRow)).all() == []
    session.rollback()
    assert anna.id


def test_the_link_opens_the_training_and_own_data_says_why_it_came(
    app: Flask, session: Session, client: StrictClient
) -> None:
    anna = make_recipient(session, locale="sv")
    path = notice_path(app, session, make_training(session, anna))
    assert "Säkerhet i vardagen, Göteborg" in get(client, path).text
    token = path.split("/")[2]
    me = step_up(app, anna)
    page = me.client.get(f"/me/why/{token}").text
    assert "Du står på listan för den här utbildningen" in page
    assert "photo_notice" not in page


def test_being_told_is_shown_and_exported(app: Flask, session: Session) -> None:
    anna = make_recipient(session, locale="sv")
    notice_path(app, session, make_training(session, anna))
    me = step_up(app, anna)
    assert "Vi berättade" in me.client.get("/me/data").text
    copy = me.client.get("/me/export.json").json
    assert copy is not None
    assert copy["trainings"][0]["notified_at"]
    assert "photo_notice" in {mail["template"] for mail in copy["mails"]}
