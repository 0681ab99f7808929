"""Links that show no choices any more: they still stop everything, and lead somewhere (D8, contract.md)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import PREFERENCES_LAST
from preferences.domain.eligibility import RecipientStatus
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import RecipientView
from tests.factories import act, make_recipient
from tests.support.client import StrictClient
from tests.support.page import follow, get
from tests.support.visits import entries, mails, preferences_url


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who objected to events."""
    found = make_recipient(session, locale="sv")
    act(session, found, "events", Act.OBJECTED)
    return found


def old_url(recipient: RecipientView) -> str:
    return preferences_url(recipient, issued_at=datetime.now(UTC) - PREFERENCES_LAST - timedelta(minutes=1))


def stale_url(recipient: RecipientView) -> str:
    return preferences_url(recipient, epoch=recipient.link_epoch + 1)


LESS = {"old": old_url, "stale": stale_url}


def set_status(session: Session, recipient: RecipientView, status: RecipientStatus) -> None:
    values: dict[str, object] = {"status": status}
    if status is RecipientStatus.ERASED:
        values |= {"address": None, "address_index": None, "domain_index": None, "name": None, "profile": None}
    session.execute(update(RecipientRow).where(RecipientRow.id == recipient.id).values(**values))
    session.commit()


def test_link_shows_choices_for_thirteen_months(client: StrictClient, anna: RecipientView) -> None:
    young = datetime.now(UTC) - PREFERENCES_LAST + timedelta(minutes=1)
    assert get(client, preferences_url(anna, issued_at=young)).answers()["events"] == "no"


@pytest.mark.parametrize("kind", LESS)
def test_old_link_shows_nothing_of_the_person(client: StrictClient, anna: RecipientView, kind: str) -> None:
    page = get(client, LESS[kind](anna))
    assert page.answers() == {}
    assert "a•••" not in page.text
    assert "invände" not in page.text


@pytest.mark.parametrize("kind", LESS)
def test_old_link_still_stops_everything(
    client: StrictClient, session: Session, anna: RecipientView, kind: str
) -> None:
    told = follow(client, get(client, LESS[kind](anna)).form("stop").submit(client))
    assert len(entries(session)) == 2
    assert "Vi skickar dig ingen mer information med e-post." in told.text
    assert told.acting_forms() == []
    again = follow(client, get(client, LESS[kind](anna)).form("stop").submit(client))
    assert "Vi skickar dig ingen mer information med e-post." in again.text


@pytest.mark.parametrize("kind", LESS)
def test_old_link_has_a_fresh_one_sent_to_the_address_on_file(
    client: StrictClient, session: Session, anna: RecipientView, kind: str
) -> None:
    page = follow(client, get(client, LESS[kind](anna)).form("link").submit(client))
    assert page.title.startswith("Titta i din inkorg")
    (mail,) = mails(session)
    assert (mail.recipient_id, mail.payload["template"], mail.payload["locale"]) == (anna.id, "fresh_link", "sv")


@pytest.mark.parametrize("kind", LESS)
@pytest.mark.parametrize("action", ["save", "undo", "resume", "restart", "language", "pause"])
def test_old_link_does_nothing_else(
    client: StrictClient, session: Session, anna: RecipientView, kind: str, action: str
) -> None:
    fields = {"action": action, "answer-surveys": "no", "shown-surveys": "unset.4.sv", "length": "1", "language": "en"}
    response = client.post(LESS[kind](anna), data=fields)
    assert response.status_code == 303
    assert len(entries(session)) == 1
    assert mails(session) == []


def test_restricted_person_can_stop_everything_and_nothing_else(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    set_status(session, anna, RecipientStatus.RESTRICTED)
    page = get(client, preferences_url(anna))
    assert "Dina uppgifter är blockerade" in page.text
    assert page.answers() == {}
    client.post(preferences_url(anna), data={"action": "save", "answer-surveys": "no", "shown-surveys": "unset.4.sv"})
    assert len(entries(session)) == 1
    follow(client, page.form("stop").submit(client))
    assert len(entries(session)) == 2
    assert "Alla utskick är dessutom stoppade" in get(client, preferences_url(anna)).text


def test_erased_person_is_told_that_nothing_is_sent(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    path = preferences_url(anna)
    set_status(session, anna, RecipientStatus.ERASED)
    page = get(client, path)
    assert "Vi har raderat det vi visste om dig, och vi skickar dig inget mer." in page.text
    assert page.all("form") == []
    for action in ("stop", "save", "link", "restart"):
        response = client.post(path, data={"action": action})
        assert response.status_code == 303
        follow(client, response)
    assert len(entries(session)) == 1
    assert mails(session) == []


def test_recipient_that_never_was_is_a_link_that_does_not_work(client: StrictClient, anna: RecipientView) -> None:
    from dataclasses import replace

    from preferences.domain.capability import RecipientId

    ghost = replace(anna, id=RecipientId(12345))
    assert client.get(preferences_url(ghost)).status_code == 404
