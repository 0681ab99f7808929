"""Sign-up with an address that we know, or knew: the same page for everybody, the fitting mail for the mailbox alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.address import parse_address
from preferences.domain.eligibility import Allowed, Reason, RecipientStatus, Refused
from preferences.domain.purpose import LawfulBasis
from preferences.domain.suppression import SuppressionReason
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.choices.choices import active_suppressions, standing
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView, recipient_by_address
from preferences.services.choices.suppression import suppress
from preferences.services.choices.unsubscribe import stop_everything
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import act, make_recipient
from tests.support.client import StrictClient
from tests.support.page import follow, get
from tests.support.sign_ups import fill_in, link_in, mail_after, outcomes, press, sign_ups, text_of
from tests.support.visits import entries, preferences_url


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody we know, by another name than the one that will be typed."""
    return make_recipient(session, "anna@example.se", name="Anna på kontoret", locale="en")


def decision(session: Session, recipient: RecipientView, key: str) -> Allowed | Refused:
    """What eligibility says now."""
    where = standing(session, recipient_id=recipient.id, status=recipient.status, address_index=recipient.address_index)
    found = where.decide(catalogue(session).path(key), datetime.now(UTC))
    session.rollback()
    return found


def stop(session: Session, recipient: RecipientView) -> None:
    """The person's own «nothing more»."""
    stop_everything(session, recipient.id, method=Method.PREFERENCE_PAGE, now=datetime.now(UTC))
    session.commit()


def erase(session: Session, recipient: RecipientView) -> None:
    """Erase a person."""
    erase_recipient(session, recipient.id, source="page", now=datetime.now(UTC))
    session.commit()


def test_somebody_we_know_keeps_what_is_known_and_consents(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    fill_in(client, "ANNA@example.se", name="Någon annan")
    press(client, link_in(mail_after(app)))
    found = recipient_by_address(session, parse_address("anna@example.se"))
    session.rollback()
    assert found is not None
    assert (found.id, found.name, found.locale, found.source) == (anna.id, "Anna på kontoret", "en", "test")
    assert isinstance(decision(session, anna, "product_news"), Allowed)


def test_somebody_who_has_it_already_is_told_so_and_nothing_changes(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "marketing", method=Method.DOUBLE_OPT_IN)
    page = follow(client, fill_in(client, "anna@example.se", "product_news"))
    assert page.title.startswith("Ett steg kvar")
    mail = mail_after(app)
    text = text_of(mail)
    assert mail is not None
    assert mail["Subject"] == "Du har redan sagt ja"
    assert "/c/" not in text
    assert get(client, link_in(mail, "p")).answers()["product_news"] == "yes"
    assert len(entries(session)) == 1


def test_a_customer_who_never_consented_may_consent(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    sale = {"source": "shop", "sale_reference": "1", "similar_product": "x", "opt_out_offered": True}
    act(session, anna, "marketing", basis=LawfulBasis.SOFT_OPT_IN, evidence=sale)
    fill_in(client, "anna@example.se", "marketing")
    press(client, link_in(mail_after(app)))
    found = decision(session, anna, "marketing")
    assert isinstance(found, Allowed)
    assert found.basis is LawfulBasis.CONSENT


def test_the_mailbox_lifts_the_persons_own_no_to_that_purpose_and_to_nothing_else(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "product_news", Act.WITHDRAWN, method=Method.ONE_CLICK)
    act(session, anna, "service_news", Act.WITHDRAWN, method=Method.ONE_CLICK)
    fill_in(client, "anna@example.se", "product_news")
    assert isinstance(decision(session, anna, "product_news"), Refused), "asking alone lifts nothing"
    press(client, link_in(mail_after(app)))
    assert isinstance(decision(session, anna, "product_news"), Allowed)
    assert decision(session, anna, "service_news").reason is Reason.WITHDRAWN


def test_a_global_stop_stays_and_is_told_of_in_mail_and_page(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    stop(session, anna)
    fill_in(client)
    mail = mail_after(app)
    assert "Stoppet gäller även när du har bekräftat" in text_of(mail)
    assert "kommer bara om du tar bort det stoppet" in get(client, link_in(mail)).text
    page = follow(client, press(client, link_in(mail)))
    assert "kommer bara om du tar bort det stoppet" in page.text
    assert decision(session, anna, "product_news").reason is Reason.SUPPRESSED_GLOBAL_STOP
    assert get(client, preferences_url(anna)).answers()["product_news"] == "yes"


def test_somebody_who_has_it_and_stopped_everything_is_told_both(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "product_news")
    stop(session, anna)
    fill_in(client)
    assert "Men du har stoppat alla utskick" in text_of(mail_after(app))


@pytest.mark.parametrize(
    "reason", [SuppressionReason.HARD_BOUNCE, SuppressionReason.COMPLAINT, SuppressionReason.MANUAL]
)
@pytest.mark.parametrize("is_known", [True, False])
def test_no_mail_goes_to_a_bounce_a_complaint_or_a_stop_by_staff(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView, reason: SuppressionReason, is_known: bool
) -> None:
    assert anna.address_index is not None
    suppress(session, address_index=anna.address_index, reason=reason, source="test", now=datetime.now(UTC))
    if not is_known:
        session.execute(update(RecipientRow).values(address=None, address_index=None, status=RecipientStatus.ERASED))
    session.commit()
    assert fill_in(client).status_code == 303
    assert mail_after(app) is None
    assert outcomes(session) == [f"dropped: suppressed_{reason}"]


def test_a_blocked_person_is_not_mailed_and_confirms_nothing(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    fill_in(client)
    path = link_in(mail_after(app))
    session.execute(update(RecipientRow).values(status=RecipientStatus.RESTRICTED))
    session.commit()
    fill_in(client)
    assert mail_after(app) is None
    page = follow(client, client.post(path))
    assert "begränsa" in page.text
    assert page.all("form") == []
    assert entries(session) == []


def test_a_no_in_between_cancels(app: Flask, client: StrictClient, session: Session, anna: RecipientView) -> None:
    fill_in(client)
    path = link_in(mail_after(app))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=1)):
        get(client, preferences_url(anna)).form("stop").submit(client)
        page = follow(client, client.post(path))
    assert "så vi slog inte på det" in page.text
    assert [entry.act for entry in entries(session)] == [Act.OBJECTED]
    assert sign_ups(session)[0].confirmed_at is None


def test_an_erased_person_is_asked_once_and_told_why(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "product_news")
    erase(session, anna)
    fill_in(client)
    assert "Vi har tidigare raderat dina uppgifter" in text_of(mail_after(app))
    fill_in(client)
    assert mail_after(app) is None
    assert outcomes(session)[-1] == "dropped: erased_and_asked_before"


def test_an_erased_person_who_does_nothing_stays_erased(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    erase(session, anna)
    fill_in(client)
    get(client, link_in(mail_after(app)))
    assert recipient_by_address(session, parse_address("anna@example.se")) is None
    session.rollback()
    assert anna.address_index is not None
    assert [one.reason for one in active_suppressions(session, anna.address_index)] == [SuppressionReason.ERASED]
    session.rollback()


def test_an_erased_person_who_confirms_is_somebody_new(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    act(session, anna, "product_news")
    erase(session, anna)
    fill_in(client)
    press(client, link_in(mail_after(app)))
    found = recipient_by_address(session, parse_address("anna@example.se"))
    session.rollback()
    assert found is not None
    assert found.id != anna.id
    assert found.name is None
    assert isinstance(decision(session, found, "product_news"), Allowed)
    assert [one.recipient_id for one in entries(session)] == [anna.id, found.id]
    (row,) = session.scalars(select(SuppressionRow)).all()
    assert row.lifted_at is not None
    session.rollback()


def test_erasing_clears_a_sign_up_that_waits(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    fill_in(client, name="Anna")
    path = link_in(mail_after(app))
    erase(session, anna)
    (row,) = sign_ups(session)
    assert (row.address, row.name) == (None, None)
    assert "raderat" in follow(client, client.post(path)).text
    assert entries(session) == []


def test_a_purpose_archived_meanwhile_is_left_out(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    fill_in(client, "anna@example.se", "product_news", "service_news")
    path = link_in(mail_after(app))
    done = app.test_cli_runner().invoke(args=["purposes", "archive", "service_news"])
    assert done.exit_code == 0, done.output
    press(client, path)
    assert len(entries(session)) == 2, "the consent was given; archiving refuses everything all the same"
    assert decision(session, anna, "service_news").reason is Reason.PURPOSE_ARCHIVED
