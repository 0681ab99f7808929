"""Limits of step-up: how often one person is mailed, how long a request lasts, which one counts (T27)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.capability import Capability
from preferences.domain.suppression import SuppressionReason
from preferences.models.outbox import OutboxJobRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.suppression import suppress
from preferences.worker import Worker
from tests.factories import link, make_recipient
from tests.support.client import StrictClient
from tests.support.page import Page
from tests.support.step_up import ask, browser, newest_mail


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_after_ten_wrong_codes_in_a_day_only_links_open(app: Flask, session: Session, client: StrictClient) -> None:
    anna = make_recipient(session)
    for _ in range(2):
        mail = ask(app, anna)
        for _ in range(5):
            client.post(f"/s/{mail.asked_from}/code", data={"code": _wrong(mail.code)})
    mail = ask(app, anna)
    assert mail.code == ""
    assert browser(app).post(mail.path, data={"open": "1"}).status_code == 303


def test_request_and_session_end_after_half_an_hour(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    start = datetime.now(UTC)
    with time_machine.travel(start, tick=False) as clock:
        mail, me = ask(app, anna), browser(app)
        clock.shift(timedelta(minutes=29))
        assert me.post(mail.path, data={"open": "1"}).status_code == 303
        clock.shift(timedelta(minutes=29))
        assert me.get("/me").status_code == 200
        clock.shift(timedelta(minutes=1, seconds=1))
        assert me.get("/me").location == "/me/closed"
        late = ask(app, anna)
        clock.shift(timedelta(minutes=30))
        assert "Set-Cookie" not in me.post(late.path, data={"open": "1"}).headers
        assert "Set-Cookie" not in me.post(f"/s/{late.asked_from}/code", data={"code": late.code}).headers


def test_a_newer_request_replaces_an_older_one(app: Flask, session: Session, client: StrictClient) -> None:
    anna = make_recipient(session)
    older, newer = ask(app, anna), ask(app, anna)
    assert "nyare länk" in client.get(older.path).text
    assert "Set-Cookie" not in client.post(older.path, data={"open": "1"}).headers
    if older.code != newer.code:
        assert "Set-Cookie" not in client.post(f"/s/{older.asked_from}/code", data={"code": older.code}).headers
    assert client.post(newer.path, data={"open": "1"}).status_code == 303


def test_at_most_three_mails_an_hour_go_to_one_person_and_the_answer_is_the_same(
    app: Flask, session: Session, client: StrictClient
) -> None:
    token = link(make_recipient(session), capability=Capability.PREFERENCES)
    answers = {
        (client.post(f"/p/{token}/step-up").status_code, client.post(f"/p/{token}/step-up").location) for _ in range(3)
    }
    assert answers == {(303, f"/s/{token}/code")}
    assert session.scalar(select(func.count()).select_from(OutboxJobRow)) == 3
    session.rollback()
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=61)):
        client.post(f"/p/{token}/step-up")
    assert session.scalar(select(func.count()).select_from(OutboxJobRow)) == 4


def test_the_limit_leaves_the_last_mail_working(app: Flask, session: Session, client: StrictClient) -> None:
    anna = make_recipient(session)
    ask(app, anna)
    ask(app, anna)
    mail = ask(app, anna)
    client.post(f"/p/{mail.asked_from}/step-up")
    assert client.post(mail.path, data={"open": "1"}).status_code == 303


def test_one_client_cannot_ask_without_end(session: Session, client: StrictClient) -> None:
    people = [make_recipient(session, f"p{number}@example.se") for number in range(31)]
    statuses = [client.post(f"/p/{link(one, capability=Capability.PREFERENCES)}/step-up").status_code for one in people]
    assert statuses == [303] * 30 + [429]


def test_an_erased_person_gets_the_same_answer_and_no_mail(session: Session, client: StrictClient) -> None:
    gone = make_recipient(session)
    token = link(gone, capability=Capability.PREFERENCES)
    _erase(session, gone)
    assert client.post(f"/p/{token}/step-up").location == f"/s/{token}/code"
    assert client.get(f"/s/{token}/code").status_code == 200
    assert client.post(f"/s/{token}/code", data={"code": "123456"}).status_code == 422
    assert session.scalar(select(func.count()).select_from(OutboxJobRow)) == 0


def test_the_mail_of_a_request_that_is_over_is_not_sent(app: Flask, session: Session, client: StrictClient) -> None:
    anna = make_recipient(session)
    token = link(anna, capability=Capability.PREFERENCES)
    client.post(f"/p/{token}/step-up")
    client.post(f"/p/{token}/step-up")
    newest_mail(app)
    outcomes = list(session.scalars(select(OutboxJobRow.outcome).order_by(OutboxJobRow.id)))
    assert outcomes == ["dropped: step_up_over", "sent"]


def _erase(session: Session, recipient: RecipientView) -> None:
    from preferences.services.recipients.erasure import erase_recipient

    erase_recipient(session, recipient.id, source="test", now=datetime.now(UTC))
    session.commit()


def test_an_address_that_bounced_gets_the_same_page_and_no_mail(app: Flask, session: Session) -> None:
    bounced, well = make_recipient(session, "bounced@example.se"), make_recipient(session, "well@example.se")
    assert bounced.address_index is not None
    suppress(
        session,
        address_index=bounced.address_index,
        reason=SuppressionReason.HARD_BOUNCE,
        source="test",
        now=datetime.now(UTC),
    )
    session.commit()
    pages = []
    for one in (bounced, well):
        client = browser(app)
        asked = client.post(f"/p/{link(one, capability=Capability.PREFERENCES)}/step-up")
        assert asked.status_code == 303
        assert asked.location is not None
        page = Page(client.get(asked.location))
        pages.append((page.title, page.text.replace(one.masked_address, "")))
    assert pages[0] == pages[1]
    Worker().run_until_idle()
    assert list(session.scalars(select(OutboxJobRow.outcome).order_by(OutboxJobRow.id))) == [
        "dropped: suppressed_hard_bounce",
        "sent",
    ]
    session.rollback()
