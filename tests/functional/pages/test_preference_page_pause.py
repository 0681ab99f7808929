"""Pausing: beside the permissions, after them on the page, and never in place of opting out (D7)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.queries.recipients.recipients import RecipientView
from preferences.web.dates import months_after
from tests.factories import act, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.page import Page, follow, get
from tests.support.visits import entries, mails, preferences_url

MIDSUMMER = datetime(2026, 6, 19, 10, tzinfo=UTC)


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who consented to marketing and is invited to events."""
    found = make_recipient(session, locale="sv")
    act(session, found, "marketing", occurred_at=datetime(2025, 3, 3, tzinfo=UTC))
    return found


@pytest.mark.parametrize(
    ("length", "told"), [("1", "19 juli 2026"), ("3", "19 september 2026"), ("6", "19 december 2026")]
)
def test_quick_choices_pause_all_mail_the_person_gets(
    client: StrictClient, session: Session, anna: RecipientView, length: str, told: str
) -> None:
    with time_machine.travel(MIDSUMMER, tick=False):
        page = follow(client, get(client, preferences_url(anna)).form("pause").submit(client, {"length": length}))
        paused = entries(session)[1:]
        assert {entry.purpose_id for entry in paused} == {purpose(session, key).id for key in ("marketing", "events")}
        assert {entry.act for entry in paused} == {Act.PAUSED}
        assert f"Pausat till den {told}." in page.text
        again = get(client, preferences_url(anna))
        assert f"Utskicken till dig är pausade till den {told}." in again.text
        assert again.answers()["marketing"] == "yes"
        assert "Pausat" in again.choice("product_news")
        assert "Pausat" not in again.choice("surveys")
        assert "Pausat" not in again.choice("photo_name")


def test_date_of_choice_is_a_day_in_the_organisations_time_zone(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    with time_machine.travel(MIDSUMMER, tick=False):
        get(client, preferences_url(anna)).form("pause").submit(client, {"length": "date", "until": "2026-08-01"})
    assert entries(session)[-1].paused_until == datetime(2026, 7, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "fields",
    [
        {"length": "date"},
        {"length": "date", "until": ""},
        {"length": "date", "until": "2026-06-19"},
        {"length": "date", "until": "2020-01-01"},
        {"length": "date", "until": "2027-07-01"},
        {"length": "date", "until": "soon"},
        {"length": "date", "until": "9999-99-99"},
        {"length": "date", "until": "2026-08-01" * 100},
        {"length": "date", "until": '\x00"><script>'},
    ],
)
def test_impossible_date_is_told_at_the_field_and_in_a_summary(
    client: StrictClient, session: Session, anna: RecipientView, fields: dict[str, str]
) -> None:
    with time_machine.travel(MIDSUMMER, tick=False):
        response = get(client, preferences_url(anna)).form("pause").submit(client, fields)
    page = Page(response)
    assert response.status_code == 422
    assert page.title.startswith("Fel: ")
    (link,) = page.find("div", role="alert").iter("a")
    assert link.get("href") == "#field-until"
    field = page.find("input", id="field-until")
    assert field.get("aria-invalid") == "true"
    assert page.find("p", id=field.get("aria-describedby", "")).text
    assert len(entries(session)) == 1


@pytest.mark.parametrize("length", ["", "0", "-1", "12", "999999999", "date ", "<b>", "1\x00"])
def test_impossible_length_is_refused(client: StrictClient, session: Session, anna: RecipientView, length: str) -> None:
    response = client.post(preferences_url(anna), data={"action": "pause", "length": length})
    assert response.status_code == 422
    assert len(entries(session)) == 1


def test_same_pause_twice_is_recorded_once(client: StrictClient, session: Session, anna: RecipientView) -> None:
    page = get(client, preferences_url(anna))
    with time_machine.travel(MIDSUMMER, tick=False):
        page.form("pause").submit(client, {"length": "1"})
        told = follow(client, page.form("pause").submit(client, {"length": "1"}))
    assert len(entries(session)) == 3
    assert told.title.startswith("Inget ändrades")


def test_ending_a_pause_is_asked_of_the_mailbox(client: StrictClient, session: Session, anna: RecipientView) -> None:
    get(client, preferences_url(anna)).form("pause").submit(client, {"length": "1"})
    page = follow(client, get(client, preferences_url(anna)).form("resume").submit(client))
    assert "Inte påslaget än" in page.text
    assert len(mails(session)) == 1
    assert "Pausat" in get(client, preferences_url(anna)).choice("events")


def test_pause_can_be_undone_by_the_page_that_made_it(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    told = follow(client, get(client, preferences_url(anna)).form("pause").submit(client, {"length": "1"}))
    follow(client, told.form("undo").submit(client))
    assert "Pausat" not in get(client, preferences_url(anna)).text


def test_nothing_to_pause_is_said_in_place_of_a_form(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    get(client, preferences_url(anna)).form("save").submit(client, {"answer-marketing": "no", "answer-events": "no"})
    page = get(client, preferences_url(anna))
    assert "så det finns inget att pausa" in page.text
    response = client.post(preferences_url(anna), data={"action": "pause", "length": "1"})
    assert follow(client, response).title.startswith("Inget ändrades")


def test_pause_ends_by_itself(client: StrictClient, anna: RecipientView) -> None:
    now = datetime.now(UTC)
    get(client, preferences_url(anna)).form("pause").submit(client, {"length": "1"})
    path = preferences_url(anna)
    with time_machine.travel(now + timedelta(days=32)):
        assert "Pausat" not in get(client, path).text


def test_months_end_where_the_shorter_month_ends() -> None:
    assert months_after(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert months_after(date(2027, 8, 31), 6) == date(2028, 2, 29)
    assert months_after(date(2026, 12, 15), 1) == date(2027, 1, 15)
