"""`/p/<token>`: what it shows, what a save does, and what it can never do (T1-T3, T6, T11, T17-T19)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import Capability
from preferences.domain.purpose import LawfulBasis, NoticeText
from preferences.models.ledger import ChoiceRow, ConfirmationRow, LedgerEntryRow
from preferences.models.outbox import OutboxJobRow
from preferences.queries.recipients import RecipientView, recipient_by_id
from preferences.services.purposes import archive_purpose, publish_version
from preferences.services.unsubscribe import stop_everything
from tests.factories import act, link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.page import Page, follow, get


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who reads Swedish and has chosen nothing."""
    return make_recipient(session, "anna.andersson@example.se", locale="sv", name="Anna Andersson")


def url(recipient: RecipientView) -> str:
    return f"/p/{link(recipient, capability=Capability.PREFERENCES)}"


def entries(session: Session) -> list[LedgerEntryRow]:
    session.rollback()
    return list(session.scalars(select(LedgerEntryRow).order_by(LedgerEntryRow.id)))


def jobs(session: Session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(OutboxJobRow)) or 0


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_changes_nothing(client: StrictClient, session: Session, anna: RecipientView, method: str) -> None:
    for path in (url(anna), url(anna) + "/saved"):
        assert client.open(path, method=method).status_code == 200
    assert entries(session) == []
    assert jobs(session) == 0


def test_page_has_no_script_so_nothing_can_be_sent_on_load(client: StrictClient, anna: RecipientView) -> None:
    page = get(client, url(anna))
    assert page.all("script") == []
    assert "onload" not in page.html
    assert "http-equiv" not in page.html


def test_page_shows_the_address_masked_only(client: StrictClient, anna: RecipientView) -> None:
    page = get(client, url(anna))
    assert "a•••@e•••.se" in page.text
    assert "anna" not in page.html.lower().replace(link(anna, capability=Capability.PREFERENCES).lower(), "")
    assert "andersson" not in page.html.lower()


def test_unset_consents_are_unticked_and_interests_are_told_truthfully(
    client: StrictClient, anna: RecipientView
) -> None:
    page = get(client, url(anna))
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
    page = get(client, url(anna))
    assert page.answers()[key] == answer
    assert told in page.choice(key)


def test_dates_are_those_of_the_organisations_time_zone(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "surveys", Act.REFUSED, occurred_at=datetime(2025, 3, 3, 23, 30, tzinfo=UTC))
    assert "den 4 mars 2025" in get(client, url(anna)).choice("surveys")
    assert "on 4 March 2025" in get(client, url(anna) + "?lang=en").choice("surveys")


def test_topics_follow_the_purpose_above_until_answered(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "marketing")
    page = get(client, url(anna))
    assert page.answers()["product_news"] == "yes"
    assert "Följer ditt svar på ”Nyheter och erbjudanden”" in page.choice("product_news")
    act(session, anna, "marketing", Act.WITHDRAWN)
    page = get(client, url(anna))
    assert page.answers()["product_news"] == "no"
    assert "och det gäller också det här" in page.choice("product_news")


def test_no_counts_at_once_and_is_read_back(client: StrictClient, session: Session, anna: RecipientView) -> None:
    response = get(client, url(anna)).form("save").submit(client, {"answer-events": "no"})
    page = follow(client, response)
    (entry,) = entries(session)
    assert (entry.act, entry.method, entry.locale) == (Act.OBJECTED, Method.PREFERENCE_PAGE, "sv")
    assert entry.notice_version_id == purpose(session, "events").notice_version_id
    assert page.title.startswith("Sparat")
    assert "Inbjudningar till evenemang Du invände den" in page.text
    assert "Det gäller genast. Ett mejl som redan är på väg kan ändå komma fram." in page.text


def test_refusing_what_was_never_given_is_told_apart_from_withdrawing(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "marketing")
    get(client, url(anna)).form("save").submit(client, {"answer-surveys": "no", "answer-marketing": "no"})
    assert [entry.act for entry in entries(session)[1:]] == [Act.WITHDRAWN, Act.REFUSED]


def test_nothing_is_turned_on_without_the_mailbox(client: StrictClient, session: Session, anna: RecipientView) -> None:
    response = (
        get(client, url(anna))
        .form("save")
        .submit(client, {"answer-surveys": "yes", "answer-photo_marketing": "yes", "answer-marketing": "yes"})
    )
    page = follow(client, response)
    assert entries(session) == []
    assert session.scalars(select(ChoiceRow)).all() == []
    assert page.title.startswith("Väntar på din bekräftelse")
    assert "Vi har mejlat en länk till a•••@e•••.se. Det här gäller när du öppnar den och bekräftar" in page.text
    assert jobs(session) == 1
    again = get(client, url(anna))
    assert again.answers()["surveys"] == "unset"
    assert "Du har bett om ja. Det gäller när du bekräftar" in again.choice("surveys")
    assert "Väntar på din bekräftelse" in again.text


def test_lifting_an_objection_is_asked_of_the_mailbox_too(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "events", Act.OBJECTED)
    get(client, url(anna)).form("save").submit(client, {"answer-events": "yes"})
    assert [entry.act for entry in entries(session)] == [Act.OBJECTED]
    assert get(client, url(anna)).answers()["events"] == "no"


def test_one_save_can_refuse_and_ask(client: StrictClient, session: Session, anna: RecipientView) -> None:
    response = get(client, url(anna)).form("save").submit(client, {"answer-surveys": "yes", "answer-events": "no"})
    page = follow(client, response)
    assert page.title.startswith("Sparat")
    assert "Inte påslaget än" in page.text
    assert [entry.act for entry in entries(session)] == [Act.OBJECTED]
    (asked,) = session.scalars(select(ConfirmationRow)).all()
    assert asked.cancelled_at is None


def test_empty_save_changes_nothing_and_says_so(client: StrictClient, session: Session, anna: RecipientView) -> None:
    page = follow(client, get(client, url(anna)).form("save").submit(client))
    assert entries(session) == []
    assert page.title.startswith("Inget ändrades")
    assert page.all("button") == []


def test_absent_answers_never_mean_off(client: StrictClient, session: Session, anna: RecipientView) -> None:
    act(session, anna, "marketing")
    client.post(url(anna), data={"action": "save"})
    shown = get(client, url(anna)).form("save").fields["shown-surveys"]
    client.post(url(anna), data={"action": "save", "shown-surveys": shown, "answer-surveys": "no"})
    assert get(client, url(anna)).answers()["marketing"] == "yes"
    assert [entry.purpose_id for entry in entries(session)[1:]] == [purpose(session, "surveys").id]


def test_save_never_lifts_a_global_stop(client: StrictClient, session: Session, anna: RecipientView) -> None:
    old_tab = get(client, url(anna))
    get(client, url(anna)).form("stop").submit(client)
    old_tab.form("save").submit(client)
    old_tab.form("save").submit(client, {"answer-surveys": "yes"})
    old_tab.form("save").submit(client, {"answer-events": "no"})
    page = get(client, url(anna))
    assert "Du har stoppat alla utskick" in page.text
    assert [entry.act for entry in entries(session)] == [Act.OBJECTED, Act.OBJECTED]


def test_stop_everything_is_one_submit_with_its_wording_kept(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    page = follow(client, get(client, url(anna)).form("stop").submit(client))
    (entry,) = entries(session)
    everything = purpose(session, "everything")
    assert (entry.purpose_id, entry.act) == (everything.id, Act.OBJECTED)
    assert (entry.notice_version_id, entry.locale) == (everything.notice_version_id, "sv")
    assert "Stoppa alla utskick Vi skickar dig ingen mer information med e-post." in page.text


def test_stop_everything_works_with_nothing_but_the_button(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    assert client.post(url(anna), data={"action": "stop"}).status_code == 303
    assert [entry.act for entry in entries(session)] == [Act.OBJECTED]


def test_lifting_the_global_stop_is_asked_of_the_mailbox(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    get(client, url(anna)).form("stop").submit(client)
    page = follow(client, get(client, url(anna)).form("restart").submit(client))
    assert "Stoppa alla utskick" in page.text
    assert "Du har stoppat alla utskick" in get(client, url(anna)).text
    assert jobs(session) == 1


def test_bounce_is_told_and_is_not_the_persons_no(client: StrictClient, session: Session, anna: RecipientView) -> None:
    from preferences.domain.suppression import SuppressionReason
    from preferences.services.suppression import suppress

    assert anna.address_index is not None
    suppress(
        session,
        address_index=anna.address_index,
        reason=SuppressionReason.HARD_BOUNCE,
        source="esp:test",
        now=datetime.now(UTC),
    )
    session.commit()
    page = get(client, url(anna))
    assert "Mejl till din adress har kommit tillbaka till oss" in page.text
    assert page.answers()["events"] == "yes"
    assert "Stoppa alla utskick" in page.text


def test_wording_shown_is_what_is_recorded_although_a_newer_one_was_published_meanwhile(
    client: StrictClient, session: Session, anna: RecipientView, now: datetime
) -> None:
    page = get(client, url(anna))
    shown = purpose(session, "events").notice_version_id
    publish_version(
        session,
        "events",
        texts=[NoticeText("sv", "Nya ord", "a", "b", "c", "d")],
        lawful_basis=LawfulBasis.LEGITIMATE_INTEREST,
        now=now,
    )
    session.commit()
    page.form("save").submit(client, {"answer-events": "no"})
    assert entries(session)[0].notice_version_id == shown
    assert "Nya ord" in get(client, url(anna)).text


def test_archived_purpose_is_neither_shown_nor_changed_by_an_old_page(
    client: StrictClient, session: Session, anna: RecipientView, now: datetime
) -> None:
    page = get(client, url(anna))
    archive_purpose(session, "surveys", now=now)
    session.commit()
    assert page.form("save").submit(client, {"answer-surveys": "yes"}).status_code == 303
    assert "surveys" not in get(client, url(anna)).answers()
    assert entries(session) == []
    assert jobs(session) == 0


def test_language_is_stored_by_its_form_and_only_shown_by_the_switch(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    assert get(client, url(anna) + "?lang=en").language == "en"
    assert get(client, url(anna)).language == "sv"
    response = get(client, url(anna)).form("language").submit(client, {"language": "en"})
    assert follow(client, response).language == "en"
    stored = recipient_by_id(session, anna.id)
    assert stored is not None
    assert stored.locale == "en"


def test_chosen_language_goes_along_with_every_form_and_link(client: StrictClient, anna: RecipientView) -> None:
    page = get(client, url(anna) + "?lang=en")
    assert {form.path.partition("?")[2] for form in page.forms()} == {"lang=en"}
    saved = page.form("save").submit(client, {"answer-events": "no"})
    told = follow(client, saved)
    assert told.language == "en"
    assert told.title.startswith("Saved")


def test_token_is_the_only_credential(client: StrictClient, anna: RecipientView) -> None:
    page = get(client, url(anna))
    response = page.form("save").submit(client, {"answer-events": "no"})
    assert response.status_code == 303
    assert "csrf" not in page.html.lower()
    other_site = client.post(url(anna), data={"action": "stop"}, headers={"Origin": "https://elsewhere.example"})
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


def test_own_mail_is_limited_so_that_a_forwarded_link_cannot_flood_the_mailbox(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    for _ in range(6):
        response = get(client, url(anna)).form("save").submit(client, {"answer-surveys": "yes"})
    page = follow(client, response)
    assert jobs(session) == 4
    assert "Det du ville slå på sparades inte" in page.text
    both = get(client, url(anna)).form("save").submit(client, {"answer-surveys": "yes", "answer-events": "no"})
    assert "Inbjudningar till evenemang" in follow(client, both).text
    assert [entry.act for entry in entries(session)] == [Act.OBJECTED]


def test_old_consent_is_not_shown_as_newer_than_it_is(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "surveys", occurred_at=datetime.now(UTC) - timedelta(days=400))
    stop_everything(session, anna.id, method=Method.ONE_CLICK, now=datetime.now(UTC))
    session.commit()
    page = get(client, url(anna))
    assert page.answers()["surveys"] == "yes"
    assert "räknas inte så länge allt är stoppat" in page.text
