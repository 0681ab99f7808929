"""`/c/<token>`: the mailbox turns on what was asked for, and nothing else does (T11, T13, M4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import Capability
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.purpose import LawfulBasis, NoticeText
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.purposes.purposes import publish_version
from tests.factories import act, link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.page import Page, follow, get
from tests.support.visits import confirmations, entries, preferences_url


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who reads Swedish."""
    return make_recipient(session, locale="sv")


def ask(client: StrictClient, recipient: RecipientView, **answers: str) -> None:
    """Ask for more on the preference page."""
    form = get(client, preferences_url(recipient)).form("save")
    form.submit(client, {f"answer-{key}": value for key, value in answers.items()})


def confirm_url(session: Session, recipient: RecipientView) -> str:
    """The link in the newest mail."""
    return f"/c/{link(recipient, capability=Capability.CONFIRM, reference=confirmations(session)[-1].id)}"


def press(client: StrictClient, path: str) -> Page:
    """Press the button of the page."""
    (form,) = get(client, path).forms()
    return follow(client, client.post(form.path))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_the_link_confirms_nothing(
    client: StrictClient, session: Session, anna: RecipientView, method: str
) -> None:
    ask(client, anna, surveys="yes")
    assert client.open(confirm_url(session, anna), method=method).status_code == 200
    assert entries(session) == []


def test_page_shows_the_wording_and_what_pressing_means(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    ask(client, anna, surveys="yes")
    page = get(client, confirm_url(session, anna))
    assert "Enkäter Om du bekräftar ger du ditt samtycke. Vi frågar ibland vad du tycker" in page.text
    assert "Svaren sparas i högst två år" in page.text
    assert "Gör i så fall ingenting" in page.text
    assert "anna" not in page.text.lower()


def test_confirming_records_consent_with_its_proof(client: StrictClient, session: Session, anna: RecipientView) -> None:
    ask(client, anna, surveys="yes", photo_marketing="yes")
    page = press(client, confirm_url(session, anna))
    first, second = entries(session)
    assert (first.act, first.basis, first.method) == (Act.GIVEN, LawfulBasis.CONSENT, Method.DOUBLE_OPT_IN)
    assert first.notice_version_id == purpose(session, "surveys").notice_version_id
    assert (first.locale, second.locale) == ("sv", "sv")
    assert first.evidence_digest is not None
    assert page.title.startswith("Du har bekräftat")
    assert page.text.count("Du har gett ditt samtycke.") == 2
    assert page.all("form") == []
    assert get(client, preferences_url(anna)).answers()["surveys"] == "yes"


def test_repeats_confirm_once(client: StrictClient, session: Session, anna: RecipientView) -> None:
    ask(client, anna, surveys="yes")
    path = confirm_url(session, anna)
    for _ in range(3):
        assert follow(client, client.post(path)).title.startswith("Du har bekräftat")
    assert len(entries(session)) == 1


def test_no_in_between_cancels(client: StrictClient, session: Session, anna: RecipientView) -> None:
    ask(client, anna, surveys="yes")
    path = confirm_url(session, anna)
    get(client, preferences_url(anna)).form("stop").submit(client)
    page = follow(client, client.post(path))
    assert "så vi slog inte på det" in page.text
    assert [entry.act for entry in entries(session)] == [Act.OBJECTED]


def test_link_of_eight_days_ago_confirms_nothing_and_leads_on(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    ask(client, anna, surveys="yes")
    path = confirm_url(session, anna)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8)):
        page = follow(client, client.post(path))
        assert "Länken gällde i sju dagar. Inget har slagits på." in page.text
        (to_choices,) = [one.get("href", "") for one in page.all("a") if one.get("href", "").startswith("/p/")]
        assert get(client, to_choices).answers()["surveys"] == "unset"
    assert entries(session) == []


def test_lifting_the_global_stop_brings_the_answers_back(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "surveys")
    get(client, preferences_url(anna)).form("stop").submit(client)
    get(client, preferences_url(anna)).form("restart").submit(client)
    path = confirm_url(session, anna)
    assert "Om du bekräftar upphör stoppet" in get(client, path).text
    assert "Stoppet är borta" in press(client, path).text
    page = get(client, preferences_url(anna))
    assert page.form("stop")
    assert page.answers()["surveys"] == "yes"


def test_ending_a_pause(client: StrictClient, session: Session, anna: RecipientView) -> None:
    get(client, preferences_url(anna)).form("pause").submit(client, {"length": "3"})
    get(client, preferences_url(anna)).form("resume").submit(client)
    page = press(client, confirm_url(session, anna))
    assert "Pausen är avslutad." in page.text
    assert "Pausat" not in get(client, preferences_url(anna)).text


def test_yes_under_a_global_stop_says_that_the_stop_still_holds(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    get(client, preferences_url(anna)).form("stop").submit(client)
    ask(client, anna, surveys="yes")
    path = confirm_url(session, anna)
    assert "kommer bara om du tar bort det stoppet" in get(client, path).text
    assert "kommer bara om du tar bort det stoppet" in press(client, path).text
    assert "Du har stoppat alla utskick" in get(client, preferences_url(anna)).text


def test_wording_is_that_of_the_asking_not_a_newer_one(
    client: StrictClient, session: Session, anna: RecipientView, now: datetime
) -> None:
    ask(client, anna, surveys="yes")
    shown = purpose(session, "surveys").notice_version_id
    texts = [NoticeText("sv", "Helt andra ord", "a", "b", "c", "d")]
    publish_version(session, "surveys", texts=texts, lawful_basis=LawfulBasis.CONSENT, now=now)
    session.commit()
    path = confirm_url(session, anna)
    assert "Helt andra ord" not in get(client, path).text
    press(client, path)
    assert entries(session)[0].notice_version_id == shown


def test_changed_again_afterwards_is_told(client: StrictClient, session: Session, anna: RecipientView) -> None:
    ask(client, anna, surveys="yes")
    path = confirm_url(session, anna)
    press(client, path)
    act(session, anna, "surveys", Act.WITHDRAWN)
    page = get(client, path)
    assert "Det har ändrats igen sedan du bekräftade." in page.text
    assert "Du har gett ditt samtycke." not in page.text


def test_blocked_person_confirms_nothing(client: StrictClient, session: Session, anna: RecipientView) -> None:
    ask(client, anna, surveys="yes")
    session.execute(update(RecipientRow).values(status=RecipientStatus.RESTRICTED))
    session.commit()
    path = confirm_url(session, anna)
    assert get(client, path).all("form") == []
    assert client.post(path).status_code == 303
    assert entries(session) == []


def test_links_that_are_no_confirmation(client: StrictClient, session: Session, anna: RecipientView) -> None:
    ask(client, anna, surveys="yes")
    number = confirmations(session)[-1].id
    bo = make_recipient(session, "bo@example.se")
    tokens = [
        link(anna, capability=Capability.PREFERENCES, reference=number),
        link(bo, capability=Capability.CONFIRM, reference=number),
        link(anna, capability=Capability.CONFIRM, reference=number + 1),
        link(anna, capability=Capability.CONFIRM),
        "x",
    ]
    for token in tokens:
        assert client.get(f"/c/{token}").status_code == 404
        assert client.post(f"/c/{token}").status_code == 404
    assert entries(session) == []
