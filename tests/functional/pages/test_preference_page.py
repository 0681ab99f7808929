"""`/p/<token>`: what it shows, and to whom (M4, T1-T3, T6, T11, D3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import Capability, RecipientId
from preferences.domain.purpose import LawfulBasis, PurposeId
from preferences.domain.suppression import SuppressionReason
from preferences.models.transaction import glancing
from preferences.queries.choices.choices import standing
from preferences.queries.choices.standing import person_at_once
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from preferences.services.choices.suppression import suppress
from preferences.services.choices.unsubscribe import stop_everything
from tests.factories import act, link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.page import Page, follow, get
from tests.support.visits import entries, mails, preferences_url


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who reads Swedish and has chosen nothing."""
    return make_recipient(session, "anna.andersson@example.se", locale="sv", name="Anna Andersson")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_changes_nothing(client: StrictClient, session: Session, anna: RecipientView, method: str) -> None:
    for path in (preferences_url(anna), preferences_url(anna) + "/saved"):
        assert client.open(path, method=method).status_code == 200
    assert entries(session) == []
    assert len(mails(session)) == 0


def test_page_has_no_script_so_nothing_can_be_sent_on_load(client: StrictClient, anna: RecipientView) -> None:
    page = get(client, preferences_url(anna))
    assert page.all("script") == []
    assert "onload" not in page.html
    assert "http-equiv" not in page.html


def test_page_shows_the_address_masked_only(client: StrictClient, anna: RecipientView) -> None:
    page = get(client, preferences_url(anna))
    assert "a•••@e•••.se" in page.text
    assert "anna" not in page.html.lower().replace(link(anna, capability=Capability.PREFERENCES).lower(), "")
    assert "andersson" not in page.html.lower()


def test_unset_consents_are_unticked_and_interests_are_told_truthfully(
    client: StrictClient, anna: RecipientView
) -> None:
    page = get(client, preferences_url(anna))
    assert page.answers() == {
        "marketing": "unset",
        "product_news": "unset",
        "service_news": "unset",
        "surveys": "unset",
        "events": "yes",
        "photos": "yes",
        "photo_name": "yes",
        "photo_image": "yes",
        "photo_marketing": "unset",
    }
    assert "Du har inte svarat" in page.choice("surveys")
    assert "berättigat intresse. Du har inte invänt" in page.choice("events")


@pytest.mark.parametrize(
    ("key", "done", "fields", "answer", "told"),
    [
        ("surveys", Act.GIVEN, {}, "yes", "Du samtyckte den 3 mars 2025."),
        ("surveys", Act.REFUSED, {}, "no", "Du sade nej den 3 mars 2025."),
        ("surveys", Act.WITHDRAWN, {}, "no", "Du tog tillbaka ditt samtycke den 3 mars 2025."),
        ("events", Act.OBJECTED, {}, "no", "Du invände den 3 mars 2025, och vi följer det."),
        ("events", Act.OBJECTION_LIFTED, {}, "yes", "Du tog tillbaka din invändning den 3 mars 2025."),
        ("events", Act.REVOKED, {}, "no", "Vi avslutade det här själva den 3 mars 2025."),
        (
            "marketing",
            Act.GIVEN,
            {
                "basis": LawfulBasis.SOFT_OPT_IN,
                "evidence": {"sale_reference": "A1", "similar_product": "x", "opt_out_offered": True},
            },
            "yes",
            "Du är kund sedan den 3 mars 2025 och har inte sagt nej.",
        ),
    ],
)
def test_state_is_told_with_its_reason_and_date(
    client: StrictClient,
    session: Session,
    anna: RecipientView,
    key: str,
    done: Act,
    fields: dict[str, object],
    answer: str,
    told: str,
) -> None:
    act(session, anna, key, done, occurred_at=datetime(2025, 3, 3, 8, tzinfo=UTC), **fields)
    page = get(client, preferences_url(anna))
    assert page.answers()[key] == answer
    assert told in page.choice(key)


def test_dates_are_those_of_the_organisations_time_zone(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "surveys", Act.REFUSED, occurred_at=datetime(2025, 3, 3, 23, 30, tzinfo=UTC))
    assert "den 4 mars 2025" in get(client, preferences_url(anna)).choice("surveys")
    assert "on 4 March 2025" in get(client, preferences_url(anna) + "?lang=en").choice("surveys")


def test_topics_follow_the_purpose_above_until_answered(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "marketing")
    page = get(client, preferences_url(anna))
    assert page.answers()["product_news"] == "yes"
    assert "Följer ditt svar på ”Nyheter och erbjudanden”" in page.choice("product_news")
    act(session, anna, "marketing", Act.WITHDRAWN)
    page = get(client, preferences_url(anna))
    assert page.answers()["product_news"] == "no"
    assert "och det gäller också det här" in page.choice("product_news")


def test_bounce_is_told_and_is_not_the_persons_no(client: StrictClient, session: Session, anna: RecipientView) -> None:
    assert anna.address_index is not None
    suppress(
        session,
        address_index=anna.address_index,
        reason=SuppressionReason.HARD_BOUNCE,
        source="esp:test",
        now=datetime.now(UTC),
    )
    session.commit()
    page = get(client, preferences_url(anna))
    assert "Mejl till din adress har kommit tillbaka till oss" in page.text
    assert page.answers()["events"] == "yes"
    assert "Stoppa alla utskick" in page.text


def test_language_is_stored_by_its_form_and_only_shown_by_the_switch(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    assert get(client, preferences_url(anna) + "?lang=en").language == "en"
    assert get(client, preferences_url(anna)).language == "sv"
    response = get(client, preferences_url(anna)).form("language").submit(client, {"language": "en"})
    assert follow(client, response).language == "en"
    stored = recipient_by_id(session, anna.id)
    assert stored is not None
    assert stored.locale == "en"


def test_token_is_the_only_credential(client: StrictClient, anna: RecipientView) -> None:
    page = get(client, preferences_url(anna))
    response = page.form("save").submit(client, {"answer-events": "no"})
    assert response.status_code == 303
    assert "csrf" not in page.html.lower()
    other_site = client.post(
        preferences_url(anna), data={"action": "stop"}, headers={"Origin": "https://elsewhere.example"}
    )
    assert other_site.status_code == 303


@pytest.mark.parametrize("make", ["unsubscribe", "confirm", "undo", "garbage", "cut", "changed"])
def test_other_tokens_get_one_helpful_page(client: StrictClient, anna: RecipientView, make: str) -> None:
    good = link(anna, capability=Capability.PREFERENCES)
    tokens = {
        "unsubscribe": link(anna, 1),
        "confirm": link(anna, capability=Capability.CONFIRM),
        "undo": link(anna, capability=Capability.UNDO),
        "garbage": "%00%ff<script>",
        "cut": good[:-1],
        "changed": good[:-1] + ("A" if good[-1] != "A" else "B"),
    }
    response = client.get(f"/p/{tokens[make]}", headers={"Accept-Language": "sv"})
    page = Page(response)
    assert response.status_code == 404
    assert "Länken fungerar inte" in page.text
    assert page.all("a", href="/")
    assert client.post(f"/p/{tokens[make]}", data={"action": "stop"}).status_code == 404


def test_old_consent_is_not_shown_as_newer_than_it_is(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "surveys", occurred_at=datetime.now(UTC) - timedelta(days=400))
    stop_everything(session, anna.id, method=Method.ONE_CLICK, now=datetime.now(UTC))
    session.commit()
    page = get(client, preferences_url(anna))
    assert page.answers()["surveys"] == "yes"
    assert "räknas inte så länge allt är stoppat" in page.text


def test_one_statement_tells_the_same_as_the_queries_one_by_one(
    client: StrictClient, session: Session, anna: RecipientView, now: datetime
) -> None:
    assert anna.address_index is not None
    act(session, anna, "surveys")
    act(session, anna, "marketing", Act.PAUSED, paused_until=now + timedelta(days=9))
    act(session, anna, "photo_image", Act.OBJECTED, training_id=7)
    for reason, purpose_id in ((SuppressionReason.COMPLAINT, None), (SuppressionReason.MANUAL, PurposeId(2))):
        suppress(session, address_index=anna.address_index, reason=reason, source="x", now=now, purpose_id=purpose_id)
    session.commit()
    get(client, preferences_url(anna)).form("save").submit(client, {"answer-service_news": "yes"})
    with glancing() as looking:
        person = person_at_once(looking, anna.id, at=now)
        expected = standing(looking, recipient_id=anna.id, status=anna.status, address_index=anna.address_index)
        again = recipient_by_id(looking, anna.id)
    assert person is not None
    assert person.recipient == again
    assert person.standing.choices == expected.choices
    assert set(person.standing.suppressions) == set(expected.suppressions)
    assert [one.asked[0]["purpose_id"] for one in person.waiting] == [purpose(session, "service_news").id]
    with glancing() as looking:
        assert person_at_once(looking, RecipientId(4711), at=now) is None
