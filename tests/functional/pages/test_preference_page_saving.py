"""What a save on `/p/<token>` does, and what it can never do (T11, T17-T19)."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import Capability
from preferences.domain.purpose import LawfulBasis, NoticeText
from preferences.models.ledger import ChoiceRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.purposes.purposes import archive_purpose, publish_version
from tests.factories import act, link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.page import follow, get
from tests.support.visits import confirmations, entries, mails, preferences_url


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who reads Swedish and has chosen nothing."""
    return make_recipient(session, "anna.andersson@example.se", locale="sv", name="Anna Andersson")


def test_no_counts_at_once_and_is_read_back(client: StrictClient, session: Session, anna: RecipientView) -> None:
    response = get(client, preferences_url(anna)).form("save").submit(client, {"answer-events": "no"})
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
    get(client, preferences_url(anna)).form("save").submit(client, {"answer-surveys": "no", "answer-marketing": "no"})
    assert [entry.act for entry in entries(session)[1:]] == [Act.WITHDRAWN, Act.REFUSED]


def test_nothing_is_turned_on_without_the_mailbox(client: StrictClient, session: Session, anna: RecipientView) -> None:
    response = (
        get(client, preferences_url(anna))
        .form("save")
        .submit(client, {"answer-surveys": "yes", "answer-photo_marketing": "yes", "answer-marketing": "yes"})
    )
    page = follow(client, response)
    assert entries(session) == []
    assert session.scalars(select(ChoiceRow)).all() == []
    assert page.title.startswith("Väntar på din bekräftelse")
    assert "Vi har mejlat en länk till a•••@e•••.se. Det här gäller när du öppnar den och bekräftar" in page.text
    assert len(mails(session)) == 1
    again = get(client, preferences_url(anna))
    assert again.answers()["surveys"] == "unset"
    assert "Du har bett om ja. Det gäller när du bekräftar" in again.choice("surveys")
    assert "Väntar på din bekräftelse" in again.text


def test_lifting_an_objection_is_asked_of_the_mailbox_too(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "events", Act.OBJECTED)
    get(client, preferences_url(anna)).form("save").submit(client, {"answer-events": "yes"})
    assert [entry.act for entry in entries(session)] == [Act.OBJECTED]
    assert get(client, preferences_url(anna)).answers()["events"] == "no"


def test_one_save_can_refuse_and_ask(client: StrictClient, session: Session, anna: RecipientView) -> None:
    response = (
        get(client, preferences_url(anna)).form("save").submit(client, {"answer-surveys": "yes", "answer-events": "no"})
    )
    page = follow(client, response)
    assert page.title.startswith("Sparat")
    assert "Inte påslaget än" in page.text
    assert [entry.act for entry in entries(session)] == [Act.OBJECTED]
    (asked,) = confirmations(session)
    assert asked.cancelled_at is None


def test_empty_save_changes_nothing_and_says_so(client: StrictClient, session: Session, anna: RecipientView) -> None:
    page = follow(client, get(client, preferences_url(anna)).form("save").submit(client))
    assert entries(session) == []
    assert page.title.startswith("Inget ändrades")
    assert page.all("button") == []


def test_absent_answers_never_mean_off(client: StrictClient, session: Session, anna: RecipientView) -> None:
    act(session, anna, "marketing")
    client.post(preferences_url(anna), data={"action": "save"})
    shown = get(client, preferences_url(anna)).form("save").fields["shown-surveys"]
    client.post(preferences_url(anna), data={"action": "save", "shown-surveys": shown, "answer-surveys": "no"})
    assert get(client, preferences_url(anna)).answers()["marketing"] == "yes"
    assert [entry.purpose_id for entry in entries(session)[1:]] == [purpose(session, "surveys").id]


def test_save_never_lifts_a_global_stop(client: StrictClient, session: Session, anna: RecipientView) -> None:
    old_tab = get(client, preferences_url(anna))
    get(client, preferences_url(anna)).form("stop").submit(client)
    old_tab.form("save").submit(client)
    old_tab.form("save").submit(client, {"answer-surveys": "yes"})
    old_tab.form("save").submit(client, {"answer-events": "no"})
    page = get(client, preferences_url(anna))
    assert "Du har stoppat alla utskick" in page.text
    assert [entry.act for entry in entries(session)] == [Act.OBJECTED, Act.OBJECTED]


def test_stop_everything_is_one_submit_with_its_wording_kept(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    page = follow(client, get(client, preferences_url(anna)).form("stop").submit(client))
    (entry,) = entries(session)
    everything = purpose(session, "everything")
    assert (entry.purpose_id, entry.act) == (everything.id, Act.OBJECTED)
    assert (entry.notice_version_id, entry.locale) == (everything.notice_version_id, "sv")
    assert "Stoppa alla utskick Vi skickar dig ingen mer information med e-post." in page.text


def test_stop_everything_works_with_nothing_but_the_button(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    assert client.post(preferences_url(anna), data={"action": "stop"}).status_code == 303
    assert [entry.act for entry in entries(session)] == [Act.OBJECTED]


def test_lifting_the_global_stop_is_asked_of_the_mailbox(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    get(client, preferences_url(anna)).form("stop").submit(client)
    page = follow(client, get(client, preferences_url(anna)).form("restart").submit(client))
    assert "Stoppa alla utskick" in page.text
    assert "Du har stoppat alla utskick" in get(client, preferences_url(anna)).text
    assert len(mails(session)) == 1


def test_wording_shown_is_what_is_recorded_although_a_newer_one_was_published_meanwhile(
    client: StrictClient, session: Session, anna: RecipientView, now: datetime
) -> None:
    page = get(client, preferences_url(anna))
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
    assert "Nya ord" in get(client, preferences_url(anna)).text


def test_archived_purpose_is_neither_shown_nor_changed_by_an_old_page(
    client: StrictClient, session: Session, anna: RecipientView, now: datetime
) -> None:
    page = get(client, preferences_url(anna))
    archive_purpose(session, "surveys", now=now)
    session.commit()
    assert page.form("save").submit(client, {"answer-surveys": "yes"}).status_code == 303
    assert "surveys" not in get(client, preferences_url(anna)).answers()
    assert entries(session) == []
    assert len(mails(session)) == 0


def test_own_mail_is_limited_so_that_a_forwarded_link_cannot_flood_the_mailbox(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    for _ in range(6):
        response = get(client, preferences_url(anna)).form("save").submit(client, {"answer-surveys": "yes"})
    page = follow(client, response)
    assert len(mails(session)) == 4
    assert "Det du ville slå på sparades inte" in page.text
    both = (
        get(client, preferences_url(anna)).form("save").submit(client, {"answer-surveys": "yes", "answer-events": "no"})
    )
    assert "Inbjudningar till evenemang" in follow(client, both).text
    assert [entry.act for entry in entries(session)] == [Act.OBJECTED]


def test_chosen_language_goes_along_with_every_form_and_link(client: StrictClient, anna: RecipientView) -> None:
    page = get(client, preferences_url(anna) + "?lang=en")
    assert {form.path.partition("?")[2] for form in page.forms()} == {"lang=en"}
    saved = page.form("save").submit(client, {"answer-events": "no"})
    told = follow(client, saved)
    assert told.language == "en"
    assert told.title.startswith("Saved")


def test_language_recorded_is_that_of_the_wording_shown(
    client: StrictClient, session: Session, anna: RecipientView, now: datetime
) -> None:
    """A purpose that has no English text yet is shown, and recorded, in Swedish on an English page."""
    texts = [NoticeText("sv", "Bara svenska", "a", "b", "c", "d")]
    publish_version(session, "events", texts=texts, lawful_basis=LawfulBasis.LEGITIMATE_INTEREST, now=now)
    publish_version(session, "surveys", texts=texts, lawful_basis=LawfulBasis.CONSENT, now=now)
    session.commit()
    form = get(client, preferences_url(anna) + "?lang=en").form("save")
    form.submit(client, {"answer-events": "no", "answer-marketing": "no", "answer-surveys": "yes"})
    (asked,) = confirmations(session)
    client.post(f"/c/{link(anna, capability=Capability.CONFIRM, reference=asked.id)}")
    recorded = {entry.purpose_id: entry.locale for entry in entries(session)}
    expected = {"marketing": "en", "events": "sv", "surveys": "sv"}
    assert recorded == {purpose(session, key).id: locale for key, locale in expected.items()}


def test_kept_parts_of_the_page_never_mix_two_people(client: StrictClient, session: Session) -> None:
    people = [make_recipient(session, f"{name}@example.se", locale="sv") for name in ("anna", "bo", "cilla")]
    paths = [preferences_url(one) for one in people]
    for _ in range(2):
        for path in paths:
            page = get(client, path)
            assert all(other.removeprefix("/p/") not in page.html for other in paths if other != path)
            assert {form.path for form in page.forms()} == {path, f"{path}/step-up"}
            assert "\ue000" not in page.html
