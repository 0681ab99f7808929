"""`/subscribe`: nothing but the pending sign-up is stored until the mailbox says yes; then consent with both steps (L1, L2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.address import parse_address
from preferences.domain.purpose import LawfulBasis, NoticeText
from preferences.models.ledger import EvidenceRow
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import recipient_by_address
from preferences.services.purposes.purposes import publish_version
from preferences.worker.chores import clear_away
from tests.factories import make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.page import Page, follow, get
from tests.support.sign_ups import fill_in, link_in, mail_after, press, sign_ups, text_of
from tests.support.visits import entries

IN_ENGLISH = "/subscribe?lang=en"


def confirmed(app: Flask, client: StrictClient, *keys: str, path: str = "/subscribe", name: str = "") -> Page:
    """Sign up and confirm; the page that says so."""
    assert fill_in(client, "anna@example.se", *keys, path=path, name=name).status_code == 303
    return follow(client, press(client, link_in(mail_after(app))))


def test_the_form_has_one_unticked_control_for_each_consent(client: StrictClient) -> None:
    page = get(client, "/subscribe")
    boxes = page.all("input", type="checkbox")
    assert [box.get("name") for box in boxes] == ["purpose-marketing", "purpose-product_news", "purpose-service_news"]
    assert all("checked" not in box.attrib for box in boxes)
    assert "Nya produkter och funktioner" in page.text
    assert "Du kan ta tillbaka det när som helst" in page.text
    assert "required" not in page.find("input", name="name").attrib


def test_reading_the_form_stores_nothing(client: StrictClient, session: Session) -> None:
    for method in ("GET", "HEAD"):
        assert client.open("/subscribe", method=method).status_code == 200
    assert sign_ups(session) == []


def test_nothing_but_the_pending_sign_up_is_stored(client: StrictClient, session: Session) -> None:
    page = follow(client, fill_in(client, "Anna@Example.se", name="Anna Å"))
    (row,) = sign_ups(session)
    assert (row.address, row.name, row.form_key, row.locale) == ("Anna@Example.se", "Anna Å", "news", "sv")
    assert [item["purpose_id"] for item in row.asked] == [purpose(session, "product_news").id]
    assert session.scalar(select(func.count()).select_from(RecipientRow)) == 0
    session.rollback()
    assert entries(session) == []
    assert page.title.startswith("Ett steg kvar")
    assert "anna" not in page.text.lower()


def test_the_mail_asks_and_shows_what_was_ticked(app: Flask, client: StrictClient) -> None:
    fill_in(client, "anna@example.se", "marketing", "service_news", name="Köp nu på http://evil.example")
    mail = mail_after(app)
    text = text_of(mail)
    assert mail is not None
    assert (mail["To"], mail["Auto-Submitted"]) == ("anna@example.se", "auto-generated")
    assert "List-Unsubscribe" not in mail
    assert "- Nyheter och erbjudanden\n- Tjänstenyheter\n" in text
    assert "Inget räknas förrän du gör det" in text
    assert "evil.example" not in mail.as_string(), "what a stranger typed never reaches a mailbox"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_the_link_confirms_nothing(app: Flask, client: StrictClient, session: Session, method: str) -> None:
    fill_in(client)
    path = link_in(mail_after(app))
    assert client.open(path, method=method).status_code == 200
    assert entries(session) == []
    assert sign_ups(session)[0].confirmed_at is None


def test_the_page_shows_the_words_and_what_pressing_means(app: Flask, client: StrictClient) -> None:
    fill_in(client)
    page = get(client, link_in(mail_after(app)))
    assert "Gäller a•••@e•••.se" in page.text
    assert "Produktnyheter Om du bekräftar ger du ditt samtycke. Nya produkter och funktioner" in page.text
    assert "anna@example.se" not in page.html


def test_confirming_makes_a_recipient_and_records_both_steps(
    app: Flask, client: StrictClient, session: Session
) -> None:
    page = confirmed(app, client, "product_news", "service_news", name="  Anna   Åkesson ")
    first, second = entries(session)
    anna = recipient_by_address(session, parse_address("anna@example.se"))
    assert anna is not None
    assert (anna.name, anna.locale, anna.source) == ("Anna Åkesson", "sv", "subscribe:news")
    assert first.recipient_id == second.recipient_id == anna.id
    assert (first.act, first.basis, first.method, first.actor) == (
        Act.GIVEN,
        LawfulBasis.CONSENT,
        Method.DOUBLE_OPT_IN,
        Actor.RECIPIENT,
    )
    assert (first.notice_version_id, first.locale) == (purpose(session, "product_news").notice_version_id, "sv")
    evidence = session.scalar(select(EvidenceRow.content).where(EvidenceRow.entry_id == first.id))
    session.rollback()
    assert evidence is not None
    assert evidence["source"] == "subscribe:news"
    assert datetime.fromisoformat(evidence["asked_at"]) <= datetime.fromisoformat(evidence["confirmed_at"]) + timedelta(
        seconds=4
    )
    assert page.title.startswith("Du har bekräftat")
    assert page.text.count("Du har gett ditt samtycke.") == 2
    assert page.all("form") == []


def test_a_confirmed_sign_up_is_cleared(app: Flask, client: StrictClient, session: Session) -> None:
    confirmed(app, client, name="Anna")
    (row,) = sign_ups(session)
    assert (row.address, row.name) == (None, None)
    assert row.confirmed_at is not None


def test_repeats_confirm_once(app: Flask, client: StrictClient, session: Session) -> None:
    fill_in(client)
    path = link_in(mail_after(app))
    for _ in range(3):
        assert follow(client, client.post(path)).title.startswith("Du har bekräftat")
    assert len(entries(session)) == 1


def test_the_page_of_a_confirmed_link_leads_to_the_choices(app: Flask, client: StrictClient) -> None:
    page = confirmed(app, client)
    (choices,) = [one.get("href", "") for one in page.all("a") if one.get("href", "").startswith("/p/")]
    assert get(client, choices).answers()["product_news"] == "yes"
    assert get(client, choices).answers()["surveys"] == "unset"


def test_the_wording_is_that_of_the_form_not_a_newer_one(app: Flask, client: StrictClient, session: Session) -> None:
    fill_in(client)
    shown = purpose(session, "product_news").notice_version_id
    texts = [NoticeText("sv", "Helt andra ord", "a", "b", "c", "d")]
    publish_version(session, "product_news", texts=texts, lawful_basis=LawfulBasis.CONSENT, now=datetime.now(UTC))
    session.commit()
    path = link_in(mail_after(app))
    assert "Helt andra ord" not in get(client, path).text
    press(client, path)
    assert entries(session)[0].notice_version_id == shown


def test_everything_speaks_the_language_of_the_form(app: Flask, client: StrictClient, session: Session) -> None:
    page = follow(client, fill_in(client, path=IN_ENGLISH))
    assert (page.language, page.title.split(" –")[0]) == ("en", "One step left")
    mail = mail_after(app)
    assert "Nothing counts until you do" in text_of(mail)
    done = follow(client, press(client, link_in(mail)))
    assert (done.language, done.title.split(" –")[0]) == ("en", "You have confirmed")
    assert entries(session)[0].locale == "en"


def test_after_seven_days_nothing_is_left_and_the_link_leads_on(
    app: Flask, client: StrictClient, session: Session
) -> None:
    fill_in(client)
    path = link_in(mail_after(app))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=7, minutes=1)):
        page = follow(client, client.post(path))
        assert "det som skrevs i formuläret är raderat" in page.text
        assert {"/subscribe", "/"} <= {one.get("href") for one in page.all("a")}
        clear_away(now=datetime.now(UTC))
        assert "går inte längre att bekräfta" in get(client, path).title
    assert sign_ups(session) == []
    assert entries(session) == []


def test_a_reused_number_does_not_confirm_for_another_mailbox(
    app: Flask, client: StrictClient, session: Session
) -> None:
    fill_in(client, "anna@example.se")
    old = link_in(mail_after(app))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8)):
        clear_away(now=datetime.now(UTC))
    fill_in(client, "bo@example.se")
    (row,) = sign_ups(session)
    page = follow(client, client.post(old))
    assert "raderat" in page.text
    assert sign_ups(session)[0].confirmed_at is None
    assert row.id >= 1


def test_mail_that_waits_until_it_is_too_late_is_not_sent(app: Flask, client: StrictClient, session: Session) -> None:
    fill_in(client)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=8)):
        assert mail_after(app) is None


def test_two_sign_ups_at_a_time_are_two_questions(app: Flask, client: StrictClient, session: Session) -> None:
    fill_in(client, "anna@example.se", "product_news")
    first = link_in(mail_after(app))
    fill_in(client, "anna@example.se", "service_news")
    second = link_in(mail_after(app))
    press(client, first)
    assert [one.purpose_id for one in entries(session)] == [purpose(session, "product_news").id]
    press(client, second)
    assert len({one.recipient_id for one in entries(session)}) == 1
    assert len(entries(session)) == 2


def test_tokens_of_other_kinds_do_not_confirm(app: Flask, client: StrictClient, session: Session) -> None:
    fill_in(client)
    good = link_in(mail_after(app))
    bo = make_recipient(session, "bo@example.se")
    assert bo.id
    for bad in (good[:-1], good.replace("/c/", "/c/x"), good.swapcase().replace("/C/", "/c/"), "/c/x"):
        assert client.get(bad).status_code == 404
        assert client.post(bad).status_code == 404
    for other in ("/u/", "/p/", "/s/"):
        client.post(good.replace("/c/", other), data="List-Unsubscribe=One-Click")
    assert entries(session) == []
