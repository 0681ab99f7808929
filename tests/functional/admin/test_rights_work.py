"""Staff answer rights requests in writing and in time, and are reminded before it is late (GDPR 12(3)–(4); L5)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.errors import InvalidValue, PreferencesError
from preferences.domain.events import EventType
from preferences.domain.rights import RightsKind, RightsState
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.models.transaction import transaction
from preferences.services.recipients.erasure import erase_recipient
from preferences.services.rights.rights import Taken, take_request
from preferences.services.rights.rights_work import answer_request, apply_wanted, extend_request, remind_of_requests
from tests.factories import make_recipient
from tests.support.mailing import jobs
from tests.support.rights import requests, send_all

ARRIVED = datetime(2027, 3, 1, 12, tzinfo=UTC)
DUE = date(2027, 3, 29)
STAFF = "privacy@example.com"


def take(recipient_id: RecipientId, kind: RightsKind = RightsKind.ACCESS, **details: object) -> str:
    """A request that arrived on 1 March 2027."""
    with transaction() as session:
        taken = take_request(
            session, recipient_id, kind, details=details or {"text": "Allt."}, locale="sv", now=ARRIVED
        )
    assert isinstance(taken, Taken)
    return taken.reference


def extend(reference: str, until: date = date(2027, 4, 20), reason: str = "Arkivet.", now: datetime = ARRIVED) -> None:
    with transaction() as session:
        extend_request(session, reference, until=until, reason=reason, now=now)


def answer(reference: str, outcome: RightsState = RightsState.FULFILLED, text: str = "Här är svaret.") -> None:
    with transaction() as session:
        answer_request(session, reference, outcome, answer=text, now=ARRIVED + timedelta(days=3))


def test_an_answer_is_stored_and_mailed_as_written(app: Flask, session: Session) -> None:
    reference = take(make_recipient(session).id)
    with time_machine.travel(ARRIVED + timedelta(days=3, minutes=1)):
        answer(reference, text="Rad ett: <b>å</b>\nRad två.")
        mail = send_all(app)["anna@example.se"]
    (row,) = requests(session)
    assert (row.state, row.answer) == (RightsState.FULFILLED, "Rad ett: <b>å</b>\nRad två.")
    assert mail.parsed["Subject"] == f"Vårt svar på ditt ärende {reference}"
    assert "Rad ett: <b>å</b>\nRad två." in mail.part("plain").replace("\r\n", "\n")
    assert "&lt;b&gt;å&lt;/b&gt;" in mail.part("html")
    assert "IMY" not in mail.part("plain")


def test_a_refusal_says_where_to_complain(app: Flask, session: Session) -> None:
    reference = take(make_recipient(session).id)
    with time_machine.travel(ARRIVED + timedelta(days=3, minutes=1)):
        answer(reference, RightsState.REFUSED, "Vi har inget mer.")
        text = send_all(app)["anna@example.se"].part("plain")
    assert "Vi har inget mer." in text
    assert "https://www.imy.se" in text


def test_an_extension_tells_the_new_date_and_the_reason_in_time(app: Flask, session: Session) -> None:
    reference = take(make_recipient(session).id)
    with time_machine.travel(ARRIVED + timedelta(minutes=1)):
        extend(reference)
        text = send_all(app)["anna@example.se"].part("plain")
    (row,) = requests(session)
    assert (row.state, row.due_on) == (RightsState.EXTENDED, date(2027, 4, 20))
    assert "20 april 2027" in text
    assert "Arkivet." in text
    answer(reference)
    assert requests(session)[0].state is RightsState.FULFILLED


@pytest.mark.parametrize(
    ("until", "reason", "after"),
    [
        (date(2027, 4, 20), "  ", 0),
        (date(2027, 4, 20), "x" * 2001, 0),
        (DUE, "Arkivet.", 0),
        (date(2027, 6, 1), "Arkivet.", 0),
        (date(2027, 4, 20), "Arkivet.", 29),
    ],
)
def test_an_extension_that_the_law_does_not_allow_changes_nothing(
    session: Session, until: date, reason: str, after: int
) -> None:
    reference = take(make_recipient(session).id)
    with pytest.raises(InvalidValue):
        extend(reference, until, reason, ARRIVED + timedelta(days=after))
    assert (requests(session)[0].state, requests(session)[0].due_on) == (RightsState.OPEN, DUE)


def test_nothing_is_extended_twice(session: Session) -> None:
    reference = take(make_recipient(session).id)
    extend(reference)
    with pytest.raises(InvalidValue):
        extend(reference, date(2027, 4, 25))


def test_what_is_closed_or_unknown_is_not_answered_again(session: Session) -> None:
    reference = take(make_recipient(session).id)
    answer(reference)
    for wrong, code in (
        (reference, "request_closed"),
        ("R-ABCDEFGH", "unknown_request"),
        ("x' OR 1", "unknown_request"),
    ):
        with pytest.raises(PreferencesError) as found:
            answer(wrong, text="igen")
        assert found.value.code == code
        with pytest.raises(PreferencesError):
            extend(wrong)
    assert requests(session)[0].answer == "Här är svaret."


@pytest.mark.parametrize("text", ["", " \n", "x" * 10_001])
def test_no_answer_is_no_answer(session: Session, text: str) -> None:
    reference = take(make_recipient(session).id)
    with pytest.raises(InvalidValue):
        answer(reference, text=text)
    assert requests(session)[0].state is RightsState.OPEN


def test_what_was_wanted_is_written_and_mailers_are_told(session: Session) -> None:
    anna = make_recipient(session, name="Ana")
    reference = take(anna.id, RightsKind.CORRECT, wanted={"name": "Anna Ö", "telephone": "+46 8 1"})
    with transaction() as writing:
        assert apply_wanted(writing, reference, now=ARRIVED) == ("name", "telephone")
    row = session.scalars(select(RecipientRow)).one()
    assert (row.name, (row.profile or {})["telephone"]) == ("Anna Ö", "+46 8 1")
    told = session.scalars(select(ChangeEventRow).where(ChangeEventRow.type == EventType.RECIPIENT_CORRECTED)).one()
    assert told.data == {"fields": ["name", "telephone"]}
    session.rollback()
    other = take(anna.id)
    with pytest.raises(InvalidValue), transaction() as writing:
        apply_wanted(writing, other, now=ARRIVED)


def test_an_erased_persons_request_is_closed_already(session: Session) -> None:
    anna = make_recipient(session)
    reference = take(anna.id)
    with transaction() as writing:
        erase_recipient(writing, anna.id, source="command", now=ARRIVED)
    with pytest.raises(PreferencesError):
        answer(reference)


def remind(day: date) -> int:
    with transaction() as session:
        return remind_of_requests(session, now=datetime(day.year, day.month, day.day, 6, tzinfo=UTC))


def test_staff_are_reminded_at_14_7_and_2_days_and_when_it_is_overdue(session: Session) -> None:
    take(make_recipient(session).id)
    told = [day for number in range(40) if remind(day := ARRIVED.date() + timedelta(days=number))]
    assert [(DUE - day).days for day in told] == [14, 7, 2, -1]


def test_days_without_a_worker_are_made_up_for(session: Session) -> None:
    take(make_recipient(session).id)
    assert [remind(DUE - timedelta(days=days)) for days in (20, 6, 6, 5, 1)] == [0, 1, 0, 0, 1]


def test_the_reminder_goes_to_the_company_and_says_no_name(app: Flask, session: Session) -> None:
    reference = take(make_recipient(session, name="Anna Hemlig").id)
    with time_machine.travel(datetime(2027, 3, 15, 6, 1, tzinfo=UTC)):
        assert remind(date(2027, 3, 15)) == 1
        mail = send_all(app)[STAFF]
    assert mail.parsed["Subject"] == "1 begäran om rättigheter väntar på svar"
    assert f"{reference}: " in mail.part("plain")
    assert "29 mars 2027" in mail.part("html")
    assert "Hemlig" not in mail.part("plain") + mail.part("html")


def test_a_reminder_is_dropped_when_everything_was_answered_meanwhile(app: Flask, session: Session) -> None:
    reference = take(make_recipient(session).id)
    with time_machine.travel(datetime(2027, 3, 15, 6, 1, tzinfo=UTC)):
        remind(date(2027, 3, 15))
        answer(reference)
        assert STAFF not in send_all(app)
    assert "dropped: nothing_due" in [job.outcome for job in jobs(session)]


def test_the_commands_do_the_same(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    run = app.test_cli_runner()
    with time_machine.travel(ARRIVED + timedelta(days=1)):
        assert "Nothing waits." in run.invoke(args=["requests", "list"]).output
        one, two = take(anna.id), take(anna.id, RightsKind.CORRECT, wanted={"name": "Anna Ö"})
        assert f"{one}  2027-03-29  open  access" in run.invoke(args=["requests", "list"]).output
        assert run.invoke(args=["requests", "extend", one, "--until", "2027-04-20", "--reason", "x"]).exit_code == 0
        assert run.invoke(args=["requests", "extend", one, "--until", "i morgon", "--reason", "x"]).exit_code == 2
        assert run.invoke(args=["requests", "refuse", one, "--answer", "Nej."]).exit_code == 0
        assert "Written: name." in run.invoke(args=["requests", "fulfil", two, "--answer", "Ja.", "--apply"]).output
        assert '"state": "refused"' in run.invoke(args=["requests", "list", "--all", "--json"]).output
