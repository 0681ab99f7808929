"""Rights requests: a reference, a due date, a receipt; followed and taken back by nobody but the person (GDPR 12, 21; L5)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from preferences.domain.rights import MOST_A_DAY, MOST_OPEN, RightsKind, RightsState
from preferences.models.ledger import LedgerEntryRow
from preferences.models.rights import RightsRequestRow
from tests.factories import make_recipient
from tests.support.rights import link_in, requests, send_all
from tests.support.step_up import open_own_data, step_up

OBJECT = {"kind": "object", "text": "Sluta analysera mina köp."}


def test_a_request_has_a_reference_a_due_date_and_a_receipt(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    with time_machine.travel(datetime(2027, 3, 1, 12, tzinfo=UTC)):
        me = step_up(app, me.recipient)
        answer = me.post("/me/requests", OBJECT)
        page = me.client.get(answer.location).text
        mail = send_all(app)["anna@example.se"]
    row = requests(session)[0]
    assert re.fullmatch(r"R-[0-9A-HJKMNP-TV-Z]{8}", row.reference)
    assert answer.location == f"/me/requests?new={row.reference}"
    assert (row.kind, row.state, row.due_on) == (RightsKind.OBJECT, RightsState.OPEN, date(2027, 3, 29))
    assert row.details == {"text": OBJECT["text"]}
    for text in (page, mail.part("plain"), mail.part("html")):
        assert row.reference in text
        assert "29 mars 2027" in text
    assert mail.parsed["Subject"] == f"Vi har tagit emot ditt ärende {row.reference}"
    assert mail.parsed["Auto-Submitted"] == "auto-generated"
    assert "Sluta analysera" not in mail.part("plain")
    assert me.client.get(link_in(mail, "/p/")).status_code == 200


def test_every_page_that_lists_requests_shows_the_new_one(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    me.post("/me/requests", OBJECT)
    reference = requests(session)[0].reference
    for path in ("/me", "/me/data", "/me/requests", "/me/print"):
        assert reference in me.client.get(path).text, path
    export = me.client.get("/me/export.json").json
    assert export is not None
    assert export["rights_requests"][0]["details"] == {"text": OBJECT["text"]}


def test_a_request_writes_nothing_into_the_ledger(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    me.post("/me/requests", OBJECT)
    assert session.scalar(select(func.count()).select_from(LedgerEntryRow)) == 0


def test_the_same_request_twice_is_one(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    assert me.post("/me/requests", OBJECT).location == me.post("/me/requests", OBJECT).location
    assert len(requests(session)) == 1
    assert len(send_all(app)) == 1


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        ({}, ("field-kind-object", "field-text")),
        ({"kind": "erase", "text": "x"}, ("field-kind-object",)),
        ({"kind": "../x", "text": "x"}, ("field-kind-object",)),
        ({"kind": "object", "text": " \n\t "}, ("field-text",)),
        ({"kind": "object", "text": "\x00\x07"}, ("field-text",)),
        ({"kind": "object", "text": "å" * 2001}, ("field-text",)),
        ({"kind": "object", "text": "å" * 20_000}, ("field-text",)),
    ],
)
def test_a_form_that_cannot_be_taken_comes_back_with_what_is_wrong(
    app: Flask, session: Session, data: dict[str, str], wrong: tuple[str, ...]
) -> None:
    me = open_own_data(app, session)
    answer = me.post("/me/requests", data)
    assert answer.status_code == 422
    assert re.search(r"<title>\s*Fel:", answer.text)
    for field in wrong:
        assert f'href="#{field}"' in answer.text
        assert f'id="{field}"' in answer.text
    assert requests(session) == []


def test_a_form_beyond_all_bounds_is_not_read(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    assert me.post("/me/requests", {**OBJECT, "text": "å" * 200_000}).status_code == 413
    assert requests(session) == []


def test_hostile_words_are_shown_as_text(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    evil = "<script>alert(1)</script>{{ 7*7 }}\u202e%(x)s"
    me.post("/me/requests", {"kind": "other", "text": evil})
    for path in ("/me", "/me/requests", "/me/data", "/me/print"):
        text = me.client.get(path).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text
        assert "\u202e" not in text


def test_a_request_can_be_taken_back_once(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    me.post("/me/requests", OBJECT)
    reference = requests(session)[0].reference
    answer = me.post(f"/me/requests/{reference}/withdraw")
    assert (answer.status_code, answer.location) == (303, f"/me/requests?new={reference}")
    page = me.client.get(answer.location).text
    assert f"Du tog tillbaka ditt ärende {reference}" in page
    assert reference not in me.client.get("/me").text
    assert "/withdraw" not in page
    first = requests(session)[0]
    assert (first.state, first.closed_at is not None) == (RightsState.WITHDRAWN, True)
    assert me.post(f"/me/requests/{reference}/withdraw").status_code == 303
    assert requests(session)[0].closed_at == first.closed_at


def test_what_was_answered_meanwhile_stays_answered(app: Flask, session: Session, now: datetime) -> None:
    me = open_own_data(app, session)
    me.post("/me/requests", OBJECT)
    session.execute(update(RightsRequestRow).values(state=RightsState.FULFILLED, closed_at=now, answer="Gjort."))
    session.commit()
    row = requests(session)[0]
    answer = me.post(f"/me/requests/{row.reference}/withdraw")
    assert "Gjort." in me.client.get(answer.location).text
    assert requests(session)[0].state is RightsState.FULFILLED


def test_nobody_takes_back_or_sees_another_persons_request(app: Flask, session: Session) -> None:
    anna, bo = open_own_data(app, session), open_own_data(app, session, "bo@example.se")
    anna.post("/me/requests", OBJECT)
    reference = requests(session)[0].reference
    bo.post(f"/me/requests/{reference}/withdraw")
    assert requests(session)[0].state is RightsState.OPEN
    page = bo.client.get(f"/me/requests?new={reference}").text
    assert reference not in page
    assert OBJECT["text"] not in page


@pytest.mark.parametrize("reference", ["R-00000000", "x", "%00", "..%2f..", "R-" + "A" * 300, "<script>"])
def test_a_reference_that_is_not_there_changes_nothing(app: Flask, session: Session, reference: str) -> None:
    me = open_own_data(app, session)
    assert me.post(f"/me/requests/{reference}/withdraw").status_code in {303, 404}
    assert me.client.get(f"/me/requests?new={reference}").status_code == 200
    assert requests(session) == []


def test_a_few_requests_wait_at_a_time(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    for number in range(MOST_OPEN):
        assert me.post("/me/requests", {"kind": "other", "text": f"{number}"}).status_code == 303
    answer = me.post("/me/requests", {"kind": "other", "text": "one more"})
    assert answer.status_code == 429
    assert "one more" in answer.text
    assert "mailto:privacy@example.com" in answer.text
    assert len(requests(session)) == MOST_OPEN
    me.post(f"/me/requests/{requests(session)[0].reference}/withdraw")
    assert me.post("/me/requests", {"kind": "other", "text": "one more"}).status_code == 303


def test_a_day_takes_a_limited_number_of_requests_and_the_next_day_takes_more(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    start = datetime.now(UTC)
    with time_machine.travel(start):
        me = step_up(app, anna)
        for number in range(MOST_A_DAY):
            me.post("/me/requests", {"kind": "other", "text": f"{number}"})
            me.post(f"/me/requests/{requests(session)[-1].reference}/withdraw")
        assert me.post("/me/requests", OBJECT).status_code == 429
    with time_machine.travel(start + timedelta(hours=25)):
        assert step_up(app, anna).post("/me/requests", OBJECT).status_code == 303
    assert len(requests(session)) == MOST_A_DAY + 1
