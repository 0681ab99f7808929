"""Bursts that look like a scanner: shown, kept, and the people asked once; only their own mailbox turns anything on (T11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import RecipientId
from preferences.domain.roles import Role
from preferences.models.ledger import LedgerEntryRow
from preferences.models.outbox import OutboxJobRow
from preferences.queries.staff.bursts import BY_ONE_MESSAGE, FROM_ONE_DOMAIN, Burst, burst_at, recent_bursts
from preferences.services.choices.consent import NewAct, record_act
from preferences.services.outbox.outbox import enqueue_mail
from tests.factories import make_recipient, make_recipients, purpose
from tests.support.page import Page
from tests.support.rights import send_all
from tests.support.staff import StaffBrowser, audited, signed_in

NOW = datetime.now(UTC)
THEN = NOW.replace(second=5, microsecond=0) - timedelta(hours=2)


def people(session: Session, count: int, domain: str = "kund.example.se") -> list[RecipientId]:
    return [make_recipient(session, f"p{number}@{domain}", locale="sv").id for number in range(count)]


def stop(
    session: Session,
    found: list[RecipientId],
    *,
    at: datetime = THEN,
    method: Method = Method.ONE_CLICK,
    reference: int | None = 7,
) -> None:
    marketing = purpose(session, "marketing")
    for number, one in enumerate(found):
        new = NewAct(
            recipient_id=one,
            purpose=marketing,
            act=Act.REFUSED,
            method=method,
            occurred_at=at,
            reference=reference,
        )
        record_act(session, new, now=at + timedelta(milliseconds=number))
    session.commit()


@pytest.fixture
def scanned(session: Session, app: Flask) -> Burst:
    """Ten people of one domain who left within a second."""
    stop(session, people(session, 10))
    (found,) = recent_bursts(session, now=NOW)
    session.commit()
    return found


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """A marketer."""
    return signed_in(app, session, Role.MARKETER)


def entries(session: Session) -> int:
    session.commit()
    found = session.scalar(select(func.count()).select_from(LedgerEntryRow)) or 0
    session.commit()
    return found


def test_many_people_of_one_domain_within_a_minute_are_a_burst(session: Session, scanned: Burst) -> None:
    assert (scanned.message_id, scanned.people, len(scanned.domains)) == (7, 10, 1)
    assert scanned.at == THEN.replace(second=0)
    assert burst_at(session, 7, scanned.minute) == scanned
    assert burst_at(session, 8, scanned.minute) is None
    assert burst_at(session, 7, scanned.minute + 1) is None


@pytest.mark.parametrize("kind", ["few", "slow", "by staff", "a large domain", "long ago"])
def test_what_people_do_themselves_is_none(session: Session, app: Flask, kind: str) -> None:
    is_large = kind == "a large domain"
    found = make_recipients(session, 11 * FROM_ONE_DOMAIN if is_large else FROM_ONE_DOMAIN - (kind == "few"))
    found = found[:FROM_ONE_DOMAIN]
    if kind == "slow":
        for number, one in enumerate(found):
            stop(session, [one], at=THEN + timedelta(minutes=number))
    else:
        at = NOW - timedelta(days=5) if kind == "long ago" else THEN
        stop(session, found, at=at, method=Method.PREFERENCE_PAGE if kind == "by staff" else Method.ONE_CLICK)
    assert recent_bursts(session, now=NOW) == []


def test_very_many_by_one_message_are_a_burst_wherever_they_are(session: Session, app: Flask) -> None:
    stop(session, make_recipients(session, BY_ONE_MESSAGE))
    (found,) = recent_bursts(session, now=NOW)
    assert (found.people, found.domains) == (BY_ONE_MESSAGE, ())


def test_today_leads_to_it_until_somebody_has_looked_after_it(
    stina: StaffBrowser, session: Session, scanned: Burst
) -> None:
    path = f"/admin/bursts/{scanned.key}"
    assert path in stina.get("/admin").text
    page = Page(stina.get(path))
    assert page.html.count("@kund.example.se") == 10
    assert stina.post(f"{path}/leave").location == f"{path}?done=left"
    assert path not in stina.get("/admin").text
    assert audited(session)[-1] == "burst_handled"
    assert entries(session) == 10


def test_people_are_asked_once_and_nothing_is_lifted(
    app: Flask, stina: StaffBrowser, session: Session, scanned: Burst
) -> None:
    path = f"/admin/bursts/{scanned.key}/ask"
    assert "Fråga de här personerna" in stina.post(path).text
    assert send_all(app) == {}
    assert stina.post(path, {"sure": "1"}).location.endswith("?done=asked")
    assert stina.post(path, {"sure": "1"}).location.endswith("?done=already")
    sent = send_all(app)
    assert len(sent) == 10
    mail = sent["p3@kund.example.se"]
    assert str(mail.parsed["Subject"]) == "Var det du som avregistrerade dig?"
    assert "/p/" in mail.part("plain")
    assert "Nyheter och erbjudanden" in mail.part("plain")
    assert entries(session) == 10
    assert audited(session).count("burst_handled") == 1


def test_who_chose_anew_or_got_many_mails_is_not_asked(
    app: Flask, stina: StaffBrowser, session: Session, scanned: Burst
) -> None:
    found = [
        RecipientId(one) for one in session.scalars(select(LedgerEntryRow.recipient_id).order_by(LedgerEntryRow.id))
    ]
    session.commit()
    for _ in range(4):
        enqueue_mail(session, "fresh_link", recipient_id=found[0], parameters={"locale": "sv"}, now=datetime.now(UTC))
    session.commit()
    send_all(app)
    stina.post(f"/admin/bursts/{scanned.key}/ask", {"sure": "1"})
    record = NewAct(
        recipient_id=found[1],
        purpose=purpose(session, "marketing"),
        act=Act.GIVEN,
        method=Method.DOUBLE_OPT_IN,
        occurred_at=datetime.now(UTC),
    )
    record_act(session, record, now=datetime.now(UTC))
    session.commit()
    send_all(app)
    outcomes = list(session.scalars(select(OutboxJobRow.outcome).order_by(OutboxJobRow.id)))[4:]
    assert (len(outcomes), outcomes.count("dropped: burst_over"), outcomes.count("sent")) == (9, 1, 8)


@pytest.mark.parametrize("key", ["x", "7", "7-", "-7", "0-0", "7-9999999999", "9" * 18 + "-1", "7-١٢", "7-1-1", "%00"])
def test_forged_names_are_not_found(stina: StaffBrowser, scanned: Burst, key: str) -> None:
    assert stina.get(f"/admin/bursts/{key}").status_code == 404
    assert stina.post(f"/admin/bursts/{key}/ask", {"sure": "1"}).status_code == 404


def test_a_viewer_sees_masked_addresses_and_can_ask_nobody(app: Flask, session: Session, scanned: Burst) -> None:
    viewer = signed_in(app, session, Role.VIEWER)
    text = viewer.get(f"/admin/bursts/{scanned.key}").text
    assert "p3@kund" not in text
    assert "/ask" not in text
    assert viewer.post(f"/admin/bursts/{scanned.key}/ask", {"sure": "1"}).status_code == 403


def test_everybody_of_a_large_burst_is_asked(
    stina: StaffBrowser, session: Session, scanned: Burst, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("preferences.services.choices.bursts.BATCH", 4)
    stina.post(f"/admin/bursts/{scanned.key}/ask", {"sure": "1"})
    asked = list(session.scalars(select(OutboxJobRow.recipient_id)))
    session.commit()
    assert (len(asked), len(set(asked))) == (10, 10)
