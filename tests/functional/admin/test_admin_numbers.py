"""Numbers: counted by group, over a period in the address, and every number leads to the people behind it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.esp_events import EspEventType, Severity
from preferences.domain.reasons import StopReason
from preferences.domain.roles import Role
from preferences.domain.suppression import SuppressionReason
from preferences.models.esp import EspEventRow
from preferences.models.ledger import LedgerEntryRow
from preferences.models.mailer import AcknowledgementRow
from preferences.models.sign_up import SignUpRow
from preferences.models.stop_reason import StopReasonRow
from preferences.queries.mailers.changes import newest_position
from preferences.queries.numbers.by_day import answers_in
from preferences.queries.numbers.periods import Period, first_id
from preferences.queries.numbers.time_to_tell import share, times_to_tell
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.consent import NewAct, record_act
from preferences.services.choices.suppression import suppress
from preferences.services.outbox.messages import number_message
from preferences.services.webhooks.mailers import create_mailer
from tests.factories import make_recipient, purpose
from tests.support.page import Page, words
from tests.support.staff import StaffBrowser, signed_in

NOON = datetime(2026, 3, 4, 11, tzinfo=UTC)
MARCH = "since=2026-03-02&until=2026-03-29"


def record(
    session: Session,
    one: RecipientView,
    said: Act,
    at: datetime,
    *,
    key: str = "marketing",
    method: Method = Method.ONE_CLICK,
    reference: int | None = None,
) -> int:
    """An act recorded at that moment. Returns the entry's id."""
    new = NewAct(
        recipient_id=one.id,
        purpose=purpose(session, key),
        act=said,
        method=method,
        occurred_at=at,
        reference=reference,
    )
    entry_id = record_act(session, new, now=at)
    session.commit()
    return entry_id


@pytest.fixture
def campaign(session: Session) -> int:
    """A message of a mailer."""
    mailer_id = create_mailer(session, key="brev", name="Brevet", now=NOON - timedelta(days=9))
    number = number_message(session, mailer_id, "mars-1 åäö <b>", now=NOON)
    session.commit()
    return number


@pytest.fixture
def march(session: Session, campaign: int) -> dict[str, RecipientView]:
    """Two who said no in different weeks, one who said yes, one who left before."""
    people = {name: make_recipient(session, f"{name}@example.se") for name in ("anna", "bo", "cia", "dan")}
    record(session, people["dan"], Act.WITHDRAWN, NOON - timedelta(days=40))
    first = record(session, people["anna"], Act.REFUSED, NOON, reference=campaign)
    record(session, people["cia"], Act.GIVEN, NOON, key="surveys", method=Method.DOUBLE_OPT_IN)
    record(session, people["bo"], Act.OBJECTED, NOON + timedelta(days=14), key="events", method=Method.UNSUBSCRIBE_PAGE)
    session.add(
        StopReasonRow(
            entry_id=first,
            purpose_id=purpose(session, "marketing").id,
            message_id=campaign,
            reason=StopReason.TOO_OFTEN,
            recorded_at=NOON,
        )
    )
    session.commit()
    return people


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """A marketer."""
    return signed_in(app, session, Role.MARKETER)


def section(page: Page, name: str) -> Element:
    (found,) = [one for one in page.all("section") if one.get("aria-labelledby") == name]
    return found


def people_at(stina: StaffBrowser, address: str | None) -> list[str]:
    answer = stina.get(address or "")
    assert answer.status_code == 200
    return sorted(set(re.findall(r"(\w+)@example\.se", answer.text)))


def test_every_number_leads_to_the_people_behind_it(stina: StaffBrowser, march: dict[str, RecipientView]) -> None:
    page = Page(stina.get(f"/admin/numbers?{MARCH}&unit=week"))
    found = {
        name: [people_at(stina, one.get("href")) for one in section(page, name).iter("a") if words(one).isdigit()]
        for name in ("yes", "no", "by-message", "by-method", "by-reason", "by-purpose")
    }
    assert found["yes"] == [["cia"]]
    assert found["no"] == [["anna"], ["bo"]]
    assert found["by-message"] == [["anna"]]
    assert sorted(found["by-method"]) == [["anna"], ["bo"]]
    assert found["by-reason"] == [["anna"]]
    assert sorted(found["by-purpose"]) == [["anna"], ["bo"], ["cia"]]


def test_one_purpose_narrows_acts_messages_and_reasons(
    stina: StaffBrowser, session: Session, march: dict[str, RecipientView]
) -> None:
    events = purpose(session, "events").id
    page = Page(stina.get(f"/admin/numbers?{MARCH}&purpose={events}"))
    assert [words(one) for one in section(page, "by-method").iter("td")] == ["1", "100 %"]
    assert "mars-1" not in page.text
    assert "För ofta" not in words(section(page, "by-reason"))


def test_stops_reports_and_sign_ups_are_counted(
    stina: StaffBrowser, session: Session, march: dict[str, RecipientView], campaign: int
) -> None:
    index = march["anna"].address_index
    assert index is not None
    suppress(session, address_index=index, reason=SuppressionReason.COMPLAINT, source="esp:x", now=NOON)
    suppress(session, address_index=b"\0" * 16, reason=SuppressionReason.ERASED, source="page", now=NOON)
    session.add(
        EspEventRow(
            mailer_id=1,
            provider="x",
            event_key=b"1" * 16,
            type=EspEventType.BOUNCED,
            native="bounce",
            severity=Severity.SOFT,
            address_index=march["bo"].address_index,
            received_at=NOON,
        )
    )
    for number in range(3):
        session.add(
            SignUpRow(
                form_key="brev",
                address_index=bytes([number]) * 16,
                asked=[],
                locale="sv",
                asked_at=NOON,
                expires_at=NOON + timedelta(days=7),
                confirmed_at=NOON if number else None,
            )
        )
    session.commit()
    page = Page(stina.get(f"/admin/numbers?{MARCH}"))
    assert [words(one) for one in section(page, "forms").iter("td")] == ["3", "2", "67 %"]
    (complaint,) = [one for one in section(page, "stops").iter("a") if words(one) == "1"]
    assert people_at(stina, complaint.get("href")) == ["anna"]
    (bounce,) = list(section(page, "bounces").iter("a"))
    assert people_at(stina, bounce.get("href")) == ["bo"]


def test_days_are_those_of_the_organisation(session: Session, app: Flask) -> None:
    anna = make_recipient(session)
    bounds = tuple(NOON + timedelta(hours=hours) for hours in (0, 1, 2, 3, 5, 8))
    for minutes in (-1, 0, 59, 60, 179, 180, 479, 480):
        record(session, anna, Act.WITHDRAWN, NOON + timedelta(minutes=minutes))
    found = answers_in(session, Period(bounds))
    assert sorted((one.stretch, one.count) for one in found) == [(0, 2), (1, 1), (2, 1), (3, 1), (4, 1)]


def test_the_beginning_of_a_period_is_found_by_halving(session: Session, app: Flask) -> None:
    anna = make_recipient(session)
    assert first_id(session, LedgerEntryRow, NOON) <= 1
    ids = [record(session, anna, Act.WITHDRAWN, NOON + timedelta(hours=number)) for number in range(9)]
    for number, (before, entry_id) in enumerate(zip([0, *ids], ids, strict=False)):
        assert before < first_id(session, LedgerEntryRow, NOON + timedelta(hours=number)) <= entry_id or number == 0
    assert first_id(session, LedgerEntryRow, NOON + timedelta(days=9)) == ids[-1] + 1


def test_how_long_mailers_took_is_told_without_those_that_wait(session: Session, app: Flask) -> None:
    mailer_id = create_mailer(session, key="brev", name="Brevet", now=NOON - timedelta(days=9))
    anna = make_recipient(session)
    record(session, anna, Act.REFUSED, NOON)
    where = newest_position(session)
    session.add(
        AcknowledgementRow(
            mailer_id=mailer_id, feed_order=where.order, event_id=where.id, acknowledged_at=NOON + timedelta(hours=2)
        )
    )
    record(session, anna, Act.WITHDRAWN, NOON + timedelta(hours=5))
    (found,) = times_to_tell(session, Period((NOON - timedelta(days=1), NOON + timedelta(days=1))))
    assert (found.told, found.waiting, found.median, found.p95) == (1, 1, timedelta(hours=2), timedelta(hours=2))


def test_median_and_95th_are_by_nearest_rank() -> None:
    times = [timedelta(minutes=number) for number in range(1, 101)]
    assert (share(times, 0.5), share(times, 0.95)) == (timedelta(minutes=50), timedelta(minutes=95))
    assert share([], 0.5) is None


@pytest.mark.parametrize(
    "query",
    [
        "",
        "since=2026-03-29&until=2026-03-02",
        "since=0001-01-01&until=9999-12-31&unit=day",
        "since=2000-01-01&unit=day",
        "since=1999-13-77&until=%00&unit=x&purpose=-1",
        "purpose=99999999999999999999&unit=MONTH",
        "since=' OR 1=1&until=å",
    ],
)
def test_whatever_the_address_says_the_page_answers(stina: StaffBrowser, query: str) -> None:
    page = Page(stina.get(f"/admin/numbers?{query}"))
    assert page.response.status_code == 200
    for mark in section(page, "yes").iter("tr"):
        assert len(words(mark)) < 60
    assert len(list(section(page, "yes").iter("tr"))) <= 122


@pytest.mark.parametrize("query", ["said=maybe", "message=x", "reason=x", "suppressed=x", "reported=x", "message=0"])
def test_forged_filters_of_figures_are_left_out_or_find_nobody(
    stina: StaffBrowser, march: dict[str, RecipientView], query: str
) -> None:
    assert stina.get(f"/admin/recipients?{query}").status_code == 200


def test_the_filter_of_a_figure_stays_when_others_are_changed(stina: StaffBrowser) -> None:
    page = Page(stina.get("/admin/recipients?said=no&message=7"))
    hidden = {(one.get("name"), one.get("value")) for one in page.all("input") if one.get("type") == "hidden"}
    assert {("said", "no"), ("message", "7")} <= hidden
