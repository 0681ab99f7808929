"""The privacy officer works through rights requests: nothing is late unseen, nothing that was typed is lost (L5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.rights import RightsKind, RightsState
from preferences.domain.roles import Role
from preferences.models.transaction import transaction
from preferences.services.rights.rights import Taken, take_request, withdraw_request
from tests.factories import make_recipient
from tests.support.page import Page
from tests.support.rights import requests, send_all
from tests.support.staff import StaffBrowser, audited, signed_in


def take(
    address: str = "anna@example.se", kind: RightsKind = RightsKind.ACCESS, days: int = 0, **details: object
) -> str:
    """A request that came in some days ago."""
    now = datetime.now(UTC) - timedelta(days=days)
    with transaction() as session:
        recipient = make_recipient(session, address)
        taken = take_request(
            session, recipient.id, kind, details=details or {"text": "Vad vet ni?"}, locale="sv", now=now
        )
    assert isinstance(taken, Taken)
    return taken.reference


@pytest.fixture
def officer(app: Flask, session: Session) -> StaffBrowser:
    """A privacy officer."""
    return signed_in(app, session, Role.PRIVACY_OFFICER)


def test_the_queue_shows_what_is_due_first_and_what_is_late(officer: StaffBrowser) -> None:
    new, old, late = take("a@example.se"), take("b@example.se", days=20), take("c@example.se", days=29)
    page = Page(officer.get("/admin/requests"))
    assert [page.text.index(one) for one in (late, old, new)] == sorted(
        page.text.index(one) for one in (late, old, new)
    )
    assert "1 dag försenad" in page.text
    assert "a@example.se" not in page.html


def test_the_queue_can_be_filtered_in_the_address(officer: StaffBrowser) -> None:
    access, other = take("a@example.se"), take("b@example.se", RightsKind.OBJECT)
    found = officer.get("/admin/requests?kind=object").text
    assert other in found
    assert access not in found
    officer.post(f"/admin/requests/{access}/answer", {"answer": "Ja.", "outcome": "fulfilled"})
    closed = officer.get("/admin/requests?state=closed").text
    assert access in closed
    assert other not in closed
    for hostile in ("?kind=x&state=x", "?kind=%00", "?before=x", "?kind=" + "k" * 3000):
        assert officer.get(f"/admin/requests{hostile}").status_code == 200


def test_the_calendar_shows_each_request_on_its_day(officer: StaffBrowser) -> None:
    reference = take()
    due = requests_due()
    page = Page(officer.get(f"/admin/requests/calendar?month={due:%Y-%m}"))
    assert reference in page.text
    assert reference not in officer.get("/admin/requests/calendar?month=2031-02").text
    for hostile in ("x", "2026-13", "9999-12", "0001-01", "%00", "2026-1"):
        assert officer.get(f"/admin/requests/calendar?month={hostile}").status_code == 200


def requests_due() -> datetime:
    """The due date of a request of now."""
    return datetime.now(UTC) + timedelta(days=28)


def test_an_answer_closes_it_and_is_mailed_and_audited(app: Flask, session: Session, officer: StaffBrowser) -> None:
    reference = take()
    shown = Page(officer.get(f"/admin/requests/{reference}"))
    assert "Vad vet ni?" in shown.text
    assert "anna@example.se" in shown.text
    answer = officer.post(
        f"/admin/requests/{reference}/answer", {"answer": "Allt\r\nstår här.", "outcome": "fulfilled"}
    )
    assert (answer.status_code, answer.location) == (303, f"/admin/requests/{reference}?done=answered")
    assert (requests(session)[0].state, requests(session)[0].answer) == (RightsState.FULFILLED, "Allt\nstår här.")
    assert "står här." in send_all(app)["anna@example.se"].part("plain")
    page = Page(officer.get(answer.location))
    assert "Svaret är på väg" in page.text
    assert [form.path for form in page.forms() if form.path.startswith("/admin/requests")] == []
    assert audited(session)[-3:] == ["request_seen", "request_answered", "request_seen"]


def test_the_wanted_fields_are_written_when_that_is_ticked(session: Session, officer: StaffBrowser) -> None:
    reference = take("anna@example.se", RightsKind.CORRECT, wanted={"name": "Anna Ö"})
    page = Page(officer.get(f"/admin/requests/{reference}"))
    assert "Anna Ö" in page.text
    officer.post(f"/admin/requests/{reference}/answer", {"answer": "Klart.", "outcome": "fulfilled", "apply": "1"})
    assert "Anna Ö" in officer.get(f"/admin/requests/{reference}").text
    assert requests(session)[0].state is RightsState.FULFILLED


def test_more_time_is_given_once_with_the_reason(app: Flask, session: Session, officer: StaffBrowser) -> None:
    reference = take()
    until = (datetime.now(UTC) + timedelta(days=50)).date()
    officer.post(f"/admin/requests/{reference}/extend", {"until": until.isoformat(), "reason": "Arkivet."})
    assert (requests(session)[0].state, requests(session)[0].due_on) == (RightsState.EXTENDED, until)
    assert "Arkivet." in send_all(app)["anna@example.se"].part("plain")
    assert f"/admin/requests/{reference}/extend" not in officer.get(f"/admin/requests/{reference}").text
    again = officer.post(f"/admin/requests/{reference}/extend", {"until": until.isoformat(), "reason": "Mer."})
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("answer", {}),
        ("answer", {"answer": "Ja."}),
        ("answer", {"answer": "Ja.", "outcome": "open"}),
        ("answer", {"answer": "  ", "outcome": "refused"}),
        ("answer", {"answer": "x" * 10_001, "outcome": "refused"}),
        ("answer", {"answer": "Ja.", "outcome": "fulfilled", "apply": "1"}),
        ("extend", {"until": "i morgon", "reason": "x"}),
        ("extend", {"until": "1999-01-01", "reason": "x"}),
        ("extend", {"until": "9999-12-31", "reason": "x"}),
        ("extend", {"until": "", "reason": ""}),
    ],
)
def test_what_cannot_be_taken_changes_nothing_and_keeps_every_word(
    session: Session, officer: StaffBrowser, action: str, form: dict[str, str]
) -> None:
    reference = take()
    answer = officer.post(f"/admin/requests/{reference}/{action}", form)
    assert answer.status_code == 422
    assert "<title>Fel:" in answer.text
    for value in (value for name, value in form.items() if name != "outcome"):
        assert value.strip()[:200] in answer.text
    assert requests(session)[0].state is RightsState.OPEN


def test_two_people_answering_lose_no_work(session: Session, officer: StaffBrowser) -> None:
    reference = take()
    with transaction() as writing:
        withdraw_request(writing, RecipientId(requests(session)[0].recipient_id or 0), reference, now=datetime.now(UTC))
    answer = officer.post(f"/admin/requests/{reference}/answer", {"answer": "En lång text.", "outcome": "fulfilled"})
    assert answer.status_code == 409
    assert "En lång text." in answer.text
    assert requests(session)[0].state is RightsState.WITHDRAWN


def test_what_is_not_there_is_not_found(officer: StaffBrowser) -> None:
    for reference in ("R-ABCDEFGH", "x", "R-abcdefgh", "%00", "1"):
        assert officer.get(f"/admin/requests/{reference}").status_code == 404
        assert (
            officer.post(f"/admin/requests/{reference}/answer", {"answer": "x", "outcome": "refused"}).status_code
            == 404
        )
        assert (
            officer.post(f"/admin/requests/{reference}/extend", {"until": "2030-01-01", "reason": "x"}).status_code
            == 404
        )


def test_without_the_forms_token_nothing_is_answered(session: Session, officer: StaffBrowser) -> None:
    reference = take()
    answer = officer.client.post(
        f"/admin/requests/{reference}/answer", data={"answer": "Ja.", "outcome": "refused", "ground": "excessive"}
    )
    assert answer.status_code == 400
    assert requests(session)[0].state is RightsState.OPEN


def test_an_overdue_request_can_still_be_answered(session: Session, officer: StaffBrowser) -> None:
    reference = take(days=40)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=1)):
        assert (
            officer.post(
                f"/admin/requests/{reference}/answer", {"answer": "Ja.", "outcome": "refused", "ground": "excessive"}
            ).status_code
            == 303
        )
    assert requests(session)[0].state is RightsState.REFUSED
