"""The privacy policy in the company's own words; a major change reaches everybody who can be reached (L21)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.errors import Conflict, InvalidValue, NotFound
from preferences.domain.events import EventType
from preferences.domain.policy import PolicyText, Weight
from preferences.domain.suppression import SuppressionReason
from preferences.models.outbox import ChangeEventRow
from preferences.models.policy import PolicyNoticeRow, PolicyTextRow
from preferences.models.transaction import transaction
from preferences.queries.purposes.policy import announcement
from preferences.services.choices.suppression import suppress
from preferences.services.policy.policy import (
    announce_portion,
    begin_announcement,
    pause_announcement,
    publish_policy,
    record_deliveries,
    resume_announcement,
)
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import act, make_recipient
from tests.support.client import StrictClient
from tests.support.page import Page
from tests.support.rights import send_all

BODY = "# Vad vi sparar\n\nDet du <b>lämnar</b>.\n\n- ett\n- två"


def texts(changes: str = "Kursintyg sparas i fem år.", body: str = BODY) -> list[PolicyText]:
    return [PolicyText("sv", changes, body), PolicyText("en", f"EN {changes}", f"# What we keep\n\n{body}")]


def publish(now: datetime, said: Sequence[PolicyText] | None = None, weight: Weight = Weight.MAJOR) -> int:
    with transaction() as session:
        return publish_policy(session, said or texts(), weight, wanted=("sv", "en"), now=now)


def begin(number: int, now: datetime) -> None:
    with transaction() as session:
        begin_announcement(session, number, now=now)


def portion(now: datetime, most: int = 500) -> int:
    with transaction() as session:
        return announce_portion(session, now=now, portion=most)


def outcomes(session: Session) -> dict[int, str | None]:
    session.rollback()
    return {row.recipient_id: row.outcome for row in session.scalars(select(PolicyNoticeRow))}


def test_until_a_version_is_published_the_products_own_words_stand_there(client: StrictClient) -> None:
    page = Page(client.get("/policy?lang=sv"))
    assert "Vad vi lovar" in page.text
    assert client.get("/policy?version=1").status_code == 404


def test_the_newest_version_is_shown_in_the_readers_language_and_older_ones_stay(
    client: StrictClient, now: datetime
) -> None:
    publish(now)
    publish(now, texts(body="Nya ord."), Weight.MINOR)
    newest = Page(client.get("/policy?lang=sv"))
    assert "Nya ord." in newest.text
    assert "Vad vi lovar" not in newest.text
    assert "Version 2, av den" in newest.text or "Version 2," in newest.text
    oldest = Page(client.get("/policy?lang=sv&version=1"))
    assert "Det du <b>lämnar</b>." in oldest.text
    assert [one.text for one in oldest.all("li")][:2] == ["ett", "två"]
    assert "What we keep" in client.get("/policy?lang=en&version=1").text
    assert client.get("/policy?version=x").status_code == 200
    assert client.get("/policy?version=99999999999999999999").status_code == 404


@pytest.mark.parametrize(
    "said",
    [
        [],
        texts()[:1],
        [*texts(), texts()[0]],
        texts(changes=" "),
        texts(body=""),
        texts(body="x" * 60_001),
        texts(changes="x" * 4_001),
        texts(body="noll\x00"),
        [PolicyText("../sv", "a", "b"), *texts()],
    ],
    ids=["none", "one language", "twice", "no changes", "no body", "long", "long changes", "nul", "path"],
)
def test_an_incomplete_version_is_not_published(session: Session, now: datetime, said: list[PolicyText]) -> None:
    with pytest.raises(InvalidValue), transaction() as writing:
        publish_policy(writing, said, Weight.MINOR, wanted=("sv", "en"), now=now)
    assert session.scalars(select(PolicyTextRow)).all() == []


def test_a_version_is_never_changed_and_never_said_twice(session: Session, now: datetime) -> None:
    publish(now)
    with pytest.raises(Conflict):
        publish(now)
    row = session.scalars(select(PolicyTextRow)).first()
    assert row is not None
    row.body = "annat"
    with pytest.raises(DatabaseError, match="append-only"):
        session.commit()
    session.rollback()


def test_mailers_hear_of_it(session: Session, now: datetime) -> None:
    publish(now)
    (event,) = session.scalars(select(ChangeEventRow).where(ChangeEventRow.type == EventType.POLICY_PUBLISHED))
    assert (event.recipient_id, event.data) == (None, {"version": 1, "weight": "major"})


def test_it_reaches_who_opted_out_of_marketing_and_nobody_who_is_out_of_reach(
    app: Flask, session: Session, now: datetime
) -> None:
    anna = make_recipient(session, locale="sv")
    act(session, anna, "everything", Act.OBJECTED, method=Method.UNSUBSCRIBE_PAGE)
    bounced, erased = make_recipient(session, "bounced@example.se"), make_recipient(session, "erased@example.se")
    assert bounced.address_index is not None
    english = make_recipient(session, "bo@example.se", locale="en")
    with transaction() as writing:
        suppress(
            writing,
            address_index=bounced.address_index,
            reason=SuppressionReason.HARD_BOUNCE,
            source="esp:x",
            now=now,
            recipient_id=bounced.id,
        )
        erase_recipient(writing, erased.id, source="command", now=now)
    begin(publish(now), now)
    sent = send_all(app)
    assert set(sent) == {"anna@example.se", "bo@example.se"}
    assert "Kursintyg sparas i fem år." in sent["anna@example.se"].part("plain")
    assert "https://preferences.example/policy" in sent["anna@example.se"].part("html")
    assert "EN Kursintyg" in sent["bo@example.se"].part("plain")
    assert "List-Unsubscribe" not in sent["anna@example.se"].parsed
    with transaction() as writing:
        assert record_deliveries(writing, now=now) == 3
    assert outcomes(session) == {anna.id: "sent", english.id: "sent", bounced.id: "dropped: suppressed_hard_bounce"}
    told = announcement(session, 1)
    assert told is not None
    assert (told.total, told.queued, told.outcomes) == (3, 3, {"sent": 2, "dropped": 1})
    assert told.finished_at is not None


def test_it_is_taken_up_in_portions_each_person_once_and_waits_for_its_mail(session: Session, now: datetime) -> None:
    people = [make_recipient(session, f"p{number}@example.se").id for number in range(7)]
    begin(publish(now), now)
    assert portion(now, 3) == 3
    assert portion(now, 3) == 0, "three mails wait"
    assert [portion(now, 4), portion(now, 8), portion(now, 8)] == [4, 0, 0]
    assert sorted(outcomes(session)) == sorted(people)


def test_it_can_be_paused_and_goes_on_where_it_was(session: Session, now: datetime) -> None:
    for number in range(4):
        make_recipient(session, f"p{number}@example.se")
    begin(publish(now), now)
    assert portion(now, 2) == 2
    with transaction() as writing:
        pause_announcement(writing, 1, now=now)
    assert portion(now, 10) == 0
    with transaction() as writing:
        resume_announcement(writing, 1)
    assert portion(now, 10) == 2
    assert portion(now, 10) == 0
    with pytest.raises(Conflict), transaction() as writing:
        pause_announcement(writing, 1, now=now)


def test_only_the_newest_version_is_announced_and_once(session: Session, now: datetime) -> None:
    publish(now)
    publish(now, texts(body="Nya ord."))
    for number, error in ((1, Conflict), (3, NotFound)):
        with pytest.raises(error):
            begin(number, now)
    begin(2, now)
    with pytest.raises(Conflict):
        begin(2, now + timedelta(days=1))
    with pytest.raises(NotFound), transaction() as writing:
        pause_announcement(writing, 1, now=now)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "texts = 1",
        "[texts.sv]\nchanges = 1\nbody = 'x'",
        "[texts.sv]\nchanges = 'x'",
        "\x00",
        "[texts]\nsv = 1",
        "[texts.sv]\nchanges='a'\nbody='b'\nmore='c'",
        "å" * 300_000,
    ],
    ids=["empty", "number", "type", "missing", "nul", "no table", "unknown", "huge"],
)
def test_a_file_that_is_no_policy_is_refused_in_one_line(app: Flask, tmp_path: Path, content: str) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(content)
    result = app.test_cli_runner().invoke(args=["policy", "publish", str(file)])
    assert result.exit_code == 1
    assert len(result.output.strip().splitlines()) == 1


def test_the_commands_publish_announce_and_tell_how_far(app: Flask, session: Session, root: Path) -> None:
    make_recipient(session)
    run = app.test_cli_runner().invoke
    assert "None is published" in run(args=["policy", "list"]).output
    example = str(root / "docs" / "examples" / "policy.toml")
    assert "Version 1 published." in run(args=["policy", "publish", example, "--major"]).output
    assert "major  en+sv" in run(args=["policy", "list"]).output
    assert run(args=["policy", "announce", "1"]).exit_code == 0
    assert run(args=["policy", "pause", "1"]).exit_code == 0
    assert "paused: 0 of 1 people; nobody yet." in run(args=["policy", "progress", "1"]).output
    assert run(args=["policy", "resume", "1"]).exit_code == 0
    send_all(app)
    assert '"state": "finished", "people": 1, "of": 1' in run(args=["policy", "progress", "1", "--json"]).output
    assert run(args=["policy", "progress", "2"]).exit_code == 1
