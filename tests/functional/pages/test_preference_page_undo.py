"""Undo: what one page just did, within 15 minutes, and nothing else (contract.md, D15)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.purpose import LawfulBasis
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.ledger.verify import verify_ledger
from tests.factories import act, make_recipient
from tests.support.client import StrictClient
from tests.support.page import Page, follow, get
from tests.support.visits import entries, preferences_url

CUSTOMER = {"sale_reference": "A1", "similar_product": "course", "opt_out_offered": True}


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who reads Swedish and consented to marketing a year ago."""
    found = make_recipient(session, locale="sv")
    act(session, found, "marketing", occurred_at=datetime.now(UTC) - timedelta(days=365))
    return found


@pytest.fixture(autouse=True)
def ledger_stays_sound(session: Session) -> Iterator[None]:
    """Whatever was done and taken back, choices are what the ledger says."""
    yield
    assert verify_ledger(session).is_sound


def save(client: StrictClient, recipient: RecipientView, **answers: str) -> Page:
    """Change these answers and read the page that tells of it."""
    changes = {f"answer-{key}": value for key, value in answers.items()}
    return follow(client, get(client, preferences_url(recipient)).form("save").submit(client, changes))


def undo(client: StrictClient, told: Page) -> Page:
    return follow(client, told.form("undo").submit(client))


def answers(client: StrictClient, recipient: RecipientView) -> dict[str, str]:
    return get(client, preferences_url(recipient)).answers()


def test_undo_restores_what_was_there_before(client: StrictClient, anna: RecipientView) -> None:
    before = answers(client, anna)
    told = save(client, anna, marketing="no", surveys="no", events="no", photo_image="no")
    assert answers(client, anna) != before
    page = undo(client, told)
    assert answers(client, anna) == before
    assert "Nyheter och erbjudanden Du samtyckte den" in page.text
    assert "Enkäter Du har inte svarat." in page.text


def test_undo_is_not_offered_for_an_undo(client: StrictClient, session: Session, anna: RecipientView) -> None:
    told = save(client, anna, events="no")
    page = undo(client, told)
    assert page.acting_forms() == []
    count = len(entries(session))
    again = told.form("undo").submit(client)
    assert len(entries(session)) == count
    assert follow(client, again).title.startswith("Inget ändrades")


def test_undo_erases_nothing(client: StrictClient, session: Session, anna: RecipientView) -> None:
    undo(client, save(client, anna, events="no"))
    assert [entry.act for entry in entries(session)] == [Act.GIVEN, Act.OBJECTED, Act.OBJECTION_LIFTED]
    assert entries(session)[-1].evidence_digest is not None


def test_global_stop_can_be_undone_by_the_page_that_made_it(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    told = follow(client, get(client, preferences_url(anna)).form("stop").submit(client))
    page = undo(client, told)
    assert "Stoppet gäller inte längre" in page.text
    assert get(client, preferences_url(anna)).form("stop")


def test_customer_exception_comes_back_as_what_it_was(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "product_news", basis=LawfulBasis.SOFT_OPT_IN, evidence=CUSTOMER)
    told = save(client, anna, product_news="no")
    assert entries(session)[-1].act is Act.OBJECTED
    undo(client, told)
    assert "Du är kund sedan" in get(client, preferences_url(anna)).choice("product_news")


def test_undo_ends_after_fifteen_minutes_and_the_page_stays(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    start = datetime.now(UTC)
    with time_machine.travel(start, tick=False):
        told = save(client, anna, events="no")
        path = told.response.request.path
    with time_machine.travel(start + timedelta(minutes=14, seconds=59), tick=False):
        assert get(client, path).form("undo")
    with time_machine.travel(start + timedelta(minutes=15, seconds=2), tick=False):
        page = get(client, path)
        assert page.acting_forms() == []
        assert "Inbjudningar till evenemang Du invände den" in page.text
        late = follow(client, told.form("undo").submit(client))
        assert "Du invände den" in late.text
    assert entries(session)[-1].act is Act.OBJECTED


def test_what_changed_again_since_stays_as_it_is(client: StrictClient, session: Session, anna: RecipientView) -> None:
    told = save(client, anna, events="no", surveys="no")
    act(session, anna, "events", Act.OBJECTED, method=Method.ONE_CLICK)
    undo(client, told)
    assert answers(client, anna)["events"] == "no"
    assert answers(client, anna)["surveys"] == "unset"
    assert "Det har ändrats igen sedan dess." in get(client, told.response.request.path).text


def test_undo_of_a_topic_never_outlives_a_later_no_to_the_whole(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "product_news")
    told = save(client, anna, product_news="no")
    act(session, anna, "marketing", Act.WITHDRAWN, method=Method.ONE_CLICK)
    undo(client, told)
    assert answers(client, anna)["product_news"] == "no"


def test_undo_of_a_save_does_not_lift_a_later_global_stop(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    told = save(client, anna, events="no")
    get(client, preferences_url(anna)).form("stop").submit(client)
    undo(client, told)
    assert "Du har stoppat alla utskick" in get(client, preferences_url(anna)).text


def test_what_was_stopped_before_the_save_stays_stopped(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    page = get(client, preferences_url(anna))
    act(session, anna, "events", Act.OBJECTED, method=Method.ONE_CLICK)
    told = follow(client, page.form("save").submit(client, {"answer-events": "no", "answer-surveys": "no"}))
    undo(client, told)
    assert answers(client, anna)["events"] == "no"


def test_pause_that_ran_before_runs_again_after_undo(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    until = datetime.now(UTC) + timedelta(days=50)
    act(session, anna, "marketing", Act.PAUSED, paused_until=until)
    undo(client, save(client, anna, marketing="no"))
    assert "Pausat till den" in get(client, preferences_url(anna)).choice("marketing")


def test_undo_token_of_somebody_else_is_refused(client: StrictClient, session: Session, anna: RecipientView) -> None:
    told = save(client, anna, events="no")
    bo = make_recipient(session, "bo@example.se", locale="sv")
    stolen = told.form("undo").fields["undo"]
    assert client.post(preferences_url(bo), data={"action": "undo", "undo": stolen}).status_code == 404
    assert client.get(f"{preferences_url(bo)}/saved/{stolen}").status_code == 404
    assert answers(client, anna)["events"] == "no"


@pytest.mark.parametrize("undo_token", ["", "x", "<script>", "A" * 51, "é" * 60])
def test_malformed_undo_is_refused(
    client: StrictClient, session: Session, anna: RecipientView, undo_token: str
) -> None:
    save(client, anna, events="no")
    response = client.post(preferences_url(anna), data={"action": "undo", "undo": undo_token})
    assert response.status_code == 404
    assert entries(session)[-1].act is Act.OBJECTED


def test_asking_leaves_nothing_to_undo(client: StrictClient, anna: RecipientView) -> None:
    told = save(client, anna, surveys="yes")
    assert told.all("button") == []
