"""Who may be published: the list for the photographer and the check before publishing, by the one eligibility engine."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.eligibility import Allowed, Reason, Refused
from preferences.queries.choices.choices import standing
from preferences.queries.purposes.purposes import catalogue
from preferences.services.photos.photos import KEYS, MayPublish, photo_check, photo_list
from preferences.services.photos.trainings import UnknownTraining
from preferences.services.purposes.purposes import archive_purpose
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import act, make_recipient
from tests.support.trainings import listed, make_training, may

ACTS = [(key, done) for key in ("photos", "photo_name", "photo_image") for done in (Act.OBJECTED, Act.OBJECTION_LIFTED)]
ACTS += [("photo_marketing", done) for done in (Act.GIVEN, Act.WITHDRAWN, Act.REFUSED)]


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["trainings", *arguments])


def read(app: Flask, *arguments: str) -> Any:
    result = run(app, *arguments, "--json")
    assert result.exit_code in {0, 1}, result.output
    return json.loads(result.stdout)


def test_each_person_is_listed_by_name_with_reason_and_since_when(app: Flask, session: Session, now: datetime) -> None:
    anna = make_recipient(session, name="Anna Öberg", profile={"company_name": "Rör AB"})
    bo, cia = make_recipient(session, "bo@example.se", name="bo Ek"), make_recipient(session, "cia@example.se")
    number = make_training(session, cia, bo, anna)
    since = now - timedelta(days=3)
    act(session, anna, "photo_name", Act.OBJECTED, occurred_at=since, training_id=number)
    act(session, bo, "photos", Act.OBJECTED, occurred_at=since)
    act(session, cia, "photo_marketing", Act.GIVEN, occurred_at=since)
    found = listed(session, number)
    assert list(found) == ["anna@example.se", "bo@example.se", "cia@example.se"]
    assert found["anna@example.se"].person.company == "Rör AB"
    assert found["anna@example.se"].may.name == Refused(Reason.OBJECTED, since)
    assert isinstance(found["anna@example.se"].may.image, Allowed)
    assert found["bo@example.se"].may.image == Refused(Reason.OBJECTED, since)
    marketing = found["cia@example.se"].may.marketing
    assert (marketing.reason, marketing.since) == (Reason.ALLOWED, since)


@pytest.mark.slow
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 2), st.integers(0, 5)), max_size=6))
def test_the_list_says_what_the_one_decision_says(
    app: Flask, session: Session, acts: list[tuple[tuple[str, Act], int, int]]
) -> None:
    """Whatever was said, in general or for one of two trainings, in whatever order."""
    person = make_recipient(session, f"p{datetime.now(UTC).timestamp()}@example.se")
    numbers = [0, make_training(session, person), make_training(session, person)]
    start = datetime.now(UTC) - timedelta(days=1)
    for (key, done), which, minute in acts:
        act(session, person, key, done, training_id=numbers[which], occurred_at=start + timedelta(minutes=minute))
    now = datetime.now(UTC)
    where = standing(session, recipient_id=person.id, status=person.status, address_index=person.address_index)
    for number in numbers[1:]:
        (one,) = photo_list(session, number, at=now, asked_at=now)
        wanted = [where.decide(catalogue(session).path(key), now, number) for key in KEYS]
        assert one.may == MayPublish(*wanted)
    session.rollback()


def test_an_erased_person_is_on_no_list(app: Flask, session: Session) -> None:
    anna = make_recipient(session, name="Anna Ek")
    number = make_training(session, anna)
    erase_recipient(session, anna.id, source="test", now=datetime.now(UTC))
    session.commit()
    assert listed(session, number) == {}
    assert run(app, "photo-list", str(number)).stdout == ""


def test_an_archived_purpose_is_refused_for_everybody(app: Flask, session: Session) -> None:
    number = make_training(session, make_recipient(session))
    archive_purpose(session, "photo_name", now=datetime.now(UTC))
    session.commit()
    assert may(session, number)[:2] == ("purpose_archived", "allowed")


def test_nobody_on_the_list_is_an_empty_list(app: Flask, session: Session) -> None:
    number = make_training(session)
    assert listed(session, number) == {}
    with pytest.raises(UnknownTraining):
        listed(session, number + 1)


def test_the_check_answers_in_the_order_asked_for_anybody(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    number = make_training(session, anna)
    act(session, anna, "photo_image", Act.OBJECTED, training_id=number)
    now = datetime.now(UTC)
    who = ["anna@example.se", "nobody@x.example", "not an address", "ANNA@example.se"]
    found = photo_check(session, who, at=now, asked_at=now, training_id=number)
    assert [one.image.reason for one in found] == [
        Reason.OBJECTED,
        Reason.UNKNOWN_RECIPIENT,
        Reason.INVALID_ADDRESS,
        Reason.OBJECTED,
    ]
    general = photo_check(session, who, at=now, asked_at=now)
    assert isinstance(general[0].image, Allowed)
    with pytest.raises(UnknownTraining):
        photo_check(session, who, at=now, asked_at=now, training_id=number + 1)
    session.rollback()


def test_the_list_as_csv_runs_nothing_in_a_spreadsheet(app: Flask, session: Session, tmp_path: Path) -> None:
    evil = '=HYPERLINK("https://evil.example")'
    number = make_training(session, make_recipient(session, name=evil, profile={"company_name": "@SUM(1)\n,x"}))
    path = tmp_path / "list.csv"
    assert run(app, "photo-list", str(number), "--csv", str(path)).exit_code == 0
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(keepends=True)))
    assert [(row["name"], row["company"], row["image_may_be_shown"], row["advertising_allowed"]) for row in rows] == [
        (f"'{evil}", "'@SUM(1)\n,x", "yes", "no")
    ]


def test_a_training_from_its_first_day_by_command(app: Flask, session: Session, tmp_path: Path) -> None:
    anna, _ = make_recipient(session, name="Anna"), make_recipient(session, "bo@example.se")
    number = read(app, "add", "Öppet hus", "--on", "2099-05-01", "--place", "Visby")["id"]
    names = tmp_path / "names.txt"
    names.write_text("bo@example.se\n\n")
    people = read(app, "participants", str(number), "--add", "anna@example.se", "--add-from", str(names))
    assert [one["email"] for one in people] == ["anna@example.se", "bo@example.se"]
    assert read(app, "notify", str(number)) == {"enqueued": 2, "left": 0}
    assert read(app, "notify", str(number)) == {"enqueued": 0, "left": 0}
    (row,) = read(app, "list")
    assert (row["title"], row["place"], row["participants"], row["notified"]) == ("Öppet hus", "Visby", 2, 2)
    act(session, anna, "photo_image", Act.OBJECTED)
    found = read(app, "photo-list", str(number))
    assert [one["may"]["image"]["allowed"] for one in found] == [False, True]
    assert len(read(app, "participants", str(number), "--remove", "bo@example.se")) == 1
    assert run(app, "photo-check", "anna@example.se").exit_code == 1
    assert run(app, "photo-check", "bo@example.se", "--training", str(number)).exit_code == 0
    for plain in (["list"], ["participants", str(number)], ["photo-list", str(number)], ["notify", str(number)]):
        assert run(app, *plain).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "", "--on", "2099-01-01"], "One line of 1 to 200 characters"),
        (["participants", "77"], "no training number 77"),
        (["notify", "77"], "no training number 77"),
        (["photo-list", "77"], "no training number 77"),
        (["photo-check", "a@b.example", "--training", "77"], "no training number 77"),
    ],
)
def test_a_command_says_in_one_line_what_is_wrong(app: Flask, arguments: list[str], words: str) -> None:
    result = run(app, *arguments)
    assert result.exit_code == 1
    assert words in result.output
    assert result.output.count("\n") == 1


def test_a_list_with_one_unknown_name_changes_nothing(app: Flask, session: Session) -> None:
    make_recipient(session)
    number = make_training(session)
    result = run(app, "participants", str(number), "--add", "anna@example.se", "--add", "nobody@x.example")
    assert result.exit_code == 1
    assert listed(session, number) == {}
