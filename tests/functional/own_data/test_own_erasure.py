"""Erasing one's own data: reviewed, at once, with a receipt; what stays is what was said to stay (GDPR 17; L10, L22, T22)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import Capability
from preferences.domain.eligibility import Reason, RecipientStatus, Refused
from preferences.domain.events import EventType
from preferences.domain.mailing import MailDropped
from preferences.domain.retry import MAX_ATTEMPTS
from preferences.domain.rights import RightsKind, RightsState
from preferences.models.ledger import EvidenceRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.photo import ParticipantRow
from preferences.models.recipient import RecipientRow
from preferences.models.rights import RightsRequestRow
from preferences.queries.choices.choices import standing
from preferences.services.ledger.verify import verify_ledger
from preferences.services.own_mail import prepare_own_mail
from preferences.services.recipients.erasure import erase_recipient
from preferences.worker import Worker
from preferences.worker.mail_jobs import mail_links
from tests.factories import act, link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.full_person import make_full_person
from tests.support.mailing import jobs, sending_to
from tests.support.page import Page
from tests.support.rights import requests, send_all
from tests.support.step_up import open_own_data, step_up

CONFIRM = {"confirm": "erase"}
WAYS = {"/me/erase": RightsKind.ERASE, "/me/storage": RightsKind.WITHDRAW_STORAGE}
ways = pytest.mark.parametrize("path", WAYS)


@ways
def test_the_review_says_what_goes_and_what_stays_and_changes_nothing(app: Flask, session: Session, path: str) -> None:
    me = step_up(app, make_full_person(session))
    for method in ("GET", "HEAD", "GET"):
        assert me.client.open(path, method=method).status_code == 200
    page = Page(me.client.get(f"{path}?lang=en"))
    for words in ("This goes", "This stays", "cannot be undone", "fingerprint of your address", "random number"):
        assert words in page.text
    assert "Anna.Akesson@example.se" in page.text
    assert "You have 1 request that waits for our answer" in page.text
    assert session.scalars(select(RecipientRow.status)).one() is RecipientStatus.ACTIVE


@pytest.mark.parametrize("data", [{}, {"confirm": ""}, {"confirm": "yes"}, {"confirm": "Erase"}])
@ways
def test_only_the_button_of_the_review_erases(app: Flask, session: Session, path: str, data: dict[str, str]) -> None:
    me = open_own_data(app, session)
    assert me.post(path, data).status_code == 200
    assert session.scalars(select(RecipientRow.status)).one() is RecipientStatus.ACTIVE


@ways
def test_it_is_done_at_once_and_told(app: Flask, session: Session, client: StrictClient, path: str) -> None:
    me = open_own_data(app, session)
    answer = me.post(path, CONFIRM)
    row = requests(session)[0]
    assert (answer.status_code, answer.location) == (303, f"/me/erased/{row.reference}")
    assert "me=;" in answer.headers["Set-Cookie"]
    assert (row.kind, row.state, row.details) == (WAYS[path], RightsState.FULFILLED, None)
    assert session.scalars(select(RecipientRow.status)).one() is RecipientStatus.ERASED
    page = client.get(answer.location).text
    assert row.reference in page
    assert "anna@example.se" not in page
    assert ("samtycke till lagring" in page) is (path == "/me/storage")
    assert me.client.get("/me").status_code == 303
    events = session.scalars(select(ChangeEventRow.type)).all()
    assert events == [EventType.RECIPIENT_ERASED]


@ways
def test_the_receipt_comes_and_then_the_address_is_forgotten(app: Flask, session: Session, path: str) -> None:
    me = open_own_data(app, session)
    me.post(path, CONFIRM)
    reference = requests(session)[0].reference
    waiting = next(job for job in jobs(session) if job.done_at is None)
    assert waiting.payload["to"] == "anna@example.se"
    mail = send_all(app)["anna@example.se"]
    assert mail.parsed["Subject"] == "Dina uppgifter är raderade"
    for body in (mail.part("plain"), mail.part("html")):
        assert reference in body
        assert "imy.se" in body
        assert "/p/" not in body
    assert all(job.payload == {} for job in jobs(session))
    assert jobs(session)[-1].outcome == "sent"
    assert send_all(app) == {}


def test_a_mail_server_that_never_answers_does_not_keep_the_address(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    me.post("/me/erase", CONFIRM)
    start = datetime.now(UTC)
    with sending_to(app, 9, timeout=1):
        for turn in range(MAX_ATTEMPTS + 1):
            moment = start + timedelta(hours=8 * turn)
            Worker(clock=lambda moment=moment: moment).run_until_idle()  # type: ignore[misc]
    last = jobs(session)[-1]
    assert last.outcome is not None
    assert last.outcome.startswith("given up")
    assert last.payload == {}


def test_the_receipt_reaches_nobody_who_was_not_erased(app: Flask, session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    payload = {"template": "erased", "to": "thief@example.com", "kind": "erase", "reference": "R-AAAAAAAA"}
    with pytest.raises(MailDropped, match="not_erased"):
        prepare_own_mail(
            session,
            anna.id,
            payload,
            links=mail_links(app.extensions["preferences.settings"]),
            default_locale="sv",
            now=now,
        )


def test_nothing_personal_is_left_of_a_person_about_whom_everything_was_stored(app: Flask, session: Session) -> None:
    me = step_up(app, make_full_person(session))
    me.post("/me/requests", {"kind": "other", "text": "Hemligheten"})
    me.post("/me/erase", CONFIRM)
    send_all(app)
    session.rollback()
    for table in (EvidenceRow, ParticipantRow):
        assert session.scalar(select(func.count()).select_from(table)) == 0
    for row in requests(session):
        assert (row.details, row.answer, row.extension_reason) == (None, None, None)
        assert row.closed_at is not None
    assert {row.state for row in requests(session)} == {RightsState.FULFILLED, RightsState.WITHDRAWN}
    assert all(job.payload == {} for job in jobs(session))


def test_the_proof_is_left(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.GIVEN, evidence={"source": "card"})
    step_up(app, anna).post("/me/erase", CONFIRM)
    entry = session.scalars(select(LedgerEntryRow)).one()
    assert (entry.act, len(entry.evidence_digest or b"")) == (Act.GIVEN, 32)
    assert verify_ledger(session).is_sound


def test_the_address_stays_stopped_also_when_a_list_brings_it_back(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    me.post("/me/erase", CONFIRM)
    again = standing(session, recipient_id=None, status=None, address_index=me.recipient.address_index)
    decision = again.decide([purpose(session, "events")], datetime.now(UTC))
    assert isinstance(decision, Refused)
    assert decision.reason is Reason.SUPPRESSED_ERASED


def test_old_links_still_stop_mail_and_say_so(app: Flask, session: Session, client: StrictClient) -> None:
    me = open_own_data(app, session)
    unsubscribe = f"/u/{link(me.recipient, purpose(session, 'marketing'))}"
    preferences = f"/p/{link(me.recipient, capability=Capability.PREFERENCES)}"
    me.post("/me/erase", CONFIRM)
    one_click = client.post(unsubscribe, data={"List-Unsubscribe": "One-Click"})
    assert (one_click.status_code, "Location" in one_click.headers) == (200, False)
    assert "skickar vi inget mer" in client.get(unsubscribe).text
    page = client.get(preferences)
    assert page.status_code == 200
    assert "•••@" not in page.text
    assert client.post(preferences, data={"action": "stop"}).status_code in {303, 400}
    assert session.scalar(select(func.count()).select_from(LedgerEntryRow)) == 0


def test_a_button_pressed_twice_is_answered_with_what_it_did(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    csrf = me.csrf()
    secret = me.client.get_cookie("me", path="/me")
    assert secret is not None
    first = me.client.post("/me/erase", data={"csrf": csrf, **CONFIRM})
    late = app.test_client(use_cookies=False)
    again = late.post("/me/erase", data={"csrf": csrf, **CONFIRM}, headers={"Cookie": f"me={secret.value}"})
    assert (again.status_code, again.location) == (303, first.location)
    assert len(requests(session)) == 1


def test_many_presses_at_once_erase_once_and_mail_once(app: Flask, session: Session) -> None:
    me = open_own_data(app, session)
    csrf, secret = me.csrf(), me.client.get_cookie("me", path="/me")
    assert secret is not None
    barrier = Barrier(6)

    def press(_turn: int) -> str:
        with app.app_context():
            barrier.wait(timeout=30)
            answer = app.test_client(use_cookies=False).post(
                "/me/erase", data={"csrf": csrf, **CONFIRM}, headers={"Cookie": f"me={secret.value}"}
            )
            return answer.location or ""

    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(press, range(6)))
    assert len(found) == 1
    assert re.fullmatch(r"/me/erased/R-[0-9A-Z]{8}", found.pop())
    assert len(requests(session)) == 1
    assert sum(job.done_at is None for job in jobs(session)) == 1


def test_whoever_was_erased_by_the_company_meanwhile_is_told_that_the_pages_are_closed(
    app: Flask, session: Session, now: datetime
) -> None:
    me = open_own_data(app, session)
    csrf = me.csrf()
    erase_recipient(session, me.recipient.id, source="staff:1", now=now)
    session.commit()
    answer = me.client.post("/me/erase", data={"csrf": csrf, **CONFIRM})
    assert answer.location == "/me/closed?unsaved=1"


@pytest.mark.parametrize("reference", ["R-00000000", "r-00000000", "x", "%00", "R-" + "A" * 400, "..%2fme"])
def test_an_erasure_that_never_was_is_not_confirmed(
    app: Flask, session: Session, client: StrictClient, reference: str
) -> None:
    assert client.get(f"/me/erased/{reference}").status_code == 404


def test_another_request_is_not_taken_for_an_erasure(app: Flask, session: Session, client: StrictClient) -> None:
    me = open_own_data(app, session)
    me.post("/me/restrict", {"action": "restrict"})
    assert client.get(f"/me/erased/{requests(session)[0].reference}").status_code == 404


def test_the_confirmation_speaks_the_language_it_was_asked_in(
    app: Flask, session: Session, client: StrictClient
) -> None:
    me = step_up(app, make_recipient(session, locale="en"))
    answer = me.post("/me/erase", CONFIRM)
    assert Page(client.get(answer.location)).title.startswith("Your data is erased")
    assert send_all(app)["anna@example.se"].parsed["Subject"] == "Your data is erased"


def test_what_was_asked_for_before_stays_counted(app: Flask, session: Session) -> None:
    with time_machine.travel(datetime.now(UTC)):
        me = open_own_data(app, session)
        me.post("/me/restrict", {"action": "restrict"})
        me.post("/me/erase", CONFIRM)
    kinds = session.scalars(select(RightsRequestRow.kind).order_by(RightsRequestRow.id)).all()
    assert kinds == [RightsKind.RESTRICT, RightsKind.ERASE]
