"""A receipt by mail: where the person wants it, once, to the address on file, without promotion (D15, T27)."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import Capability
from preferences.domain.eligibility import RecipientStatus
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.outbox.mail_limits import LIMITS
from preferences.services.outbox.outbox import enqueue_mail
from tests.factories import act, link, make_recipient
from tests.support.client import StrictClient
from tests.support.page import Form, Page, follow, get
from tests.support.sign_ups import link_in, mail_after, text_of
from tests.support.step_up import step_up
from tests.support.visits import count_jobs, mails, preferences_url


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody who reads Swedish and consented to marketing."""
    found = make_recipient(session, locale="sv")
    act(session, found, "marketing")
    return found


def saved(client: StrictClient, anna: RecipientView, **answers: str) -> Page:
    """The page of a save."""
    form = get(client, preferences_url(anna)).form("save")
    return follow(client, form.submit(client, {f"answer-{key}": value for key, value in answers.items()}))


def receipt_form(page: Page) -> Form | None:
    """The form that asks for a receipt, if there is one to ask."""
    found = [one for one in page.forms() if one.path.partition("?")[0].endswith("/receipt")]
    return found[0] if found and any(True for _ in found[0].element.iter("button")) else None


def ask(client: StrictClient, page: Page) -> Page:
    """Press it."""
    form = receipt_form(page)
    assert form is not None
    return follow(client, form.submit(client))


def test_nothing_is_mailed_unless_it_is_wanted(client: StrictClient, session: Session, anna: RecipientView) -> None:
    page = saved(client, anna, marketing="no")
    assert receipt_form(page) is not None
    assert count_jobs(session) == 0


def test_the_mail_says_what_was_changed_and_the_words_that_stood_there(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    page = ask(client, saved(client, anna, marketing="no", events="no"))
    assert "Ett kvitto är på väg till a•••@e•••.se." in page.text
    mail = mail_after(app)
    text = text_of(mail)
    assert mail is not None
    assert (mail["To"], mail["Subject"], mail["Auto-Submitted"]) == (
        "anna@example.se",
        "Kvitto på det du ändrade",
        "auto-generated",
    )
    assert "List-Unsubscribe" not in mail
    assert "Nyheter och erbjudanden\n\nDu tog tillbaka ditt samtycke, " in text
    assert "Inbjudningar till evenemang\n\nDu invände, " in text
    assert "Texten som visades (version 1):\nNyheter och erbjudanden. Vi mejlar dig om våra produkter" in " ".join(
        text.split(" ")
    )
    assert get(client, link_in(mail, "p")).answers()["marketing"] == "no"
    html = mail.get_body(("html",))
    assert html is not None
    assert "Du tog tillbaka ditt samtycke" in html.get_content()
    assert "<img" not in html.get_content()


def test_one_save_has_one_receipt(client: StrictClient, session: Session, anna: RecipientView) -> None:
    before = saved(client, anna, marketing="no")
    form = receipt_form(before)
    assert form is not None
    after = follow(client, form.submit(client))
    assert receipt_form(after) is None
    for _ in range(3):
        assert form.submit(client).status_code == 303
    assert len(mails(session)) == 1
    assert receipt_form(saved(client, anna, events="no")) is not None, "another save, another receipt"


def test_a_page_without_a_change_offers_none(client: StrictClient, session: Session, anna: RecipientView) -> None:
    assert receipt_form(saved(client, anna)) is None
    assert receipt_form(saved(client, anna, surveys="yes")) is None


def test_mail_is_limited_and_the_page_says_so(client: StrictClient, session: Session, anna: RecipientView) -> None:
    page = saved(client, anna, marketing="no")
    most = min(count for _, count in LIMITS)
    for _ in range(most):
        enqueue_mail(session, "fresh_link", recipient_id=anna.id, parameters={}, now=anna.created_at)
    session.commit()
    limited = ask(client, page)
    assert "så vi skickade inget kvitto" in limited.text
    assert len(mails(session)) == most


def test_it_goes_to_the_address_on_file_whoever_asks(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    page = saved(client, anna, marketing="no")
    form = receipt_form(page)
    assert form is not None
    client.post(form.path, data={"address": "stranger@example.com", "to": "stranger@example.com"})
    mail = mail_after(app)
    assert mail is not None
    assert mail["To"] == "anna@example.se"


def test_other_links_and_saves_mail_nothing(client: StrictClient, session: Session, anna: RecipientView) -> None:
    bo = make_recipient(session, "bo@example.se")
    form = receipt_form(saved(client, anna, marketing="no"))
    assert form is not None
    _, _, token, _, save, _ = form.path.split("/")
    mine, theirs = token, str(link(bo, capability=Capability.PREFERENCES))
    wrong = [
        (theirs, save),
        (mine, str(link(bo, capability=Capability.RECEIPT, reference=1))),
        (mine, mine),
        (mine, "x"),
        (str(link(anna)), save),
        (str(link(anna, capability=Capability.CONFIRM)), save),
    ]
    for one, two in wrong:
        assert client.post(f"/p/{one}/saved/{two}/receipt").status_code == 404
    nothing = str(link(anna, capability=Capability.RECEIPT, reference=999))
    assert client.post(f"/p/{mine}/saved/{nothing}/receipt").status_code == 303
    assert count_jobs(session) == 0


def test_opening_the_address_of_the_button_sends_nothing(
    client: StrictClient, session: Session, anna: RecipientView
) -> None:
    form = receipt_form(saved(client, anna, marketing="no"))
    assert form is not None
    for method in ("GET", "HEAD"):
        assert client.open(form.path, method=method).status_code == 405
    assert count_jobs(session) == 0


def test_an_own_receipt_is_mailed_once_from_own_data(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    entry = act(session, anna, "surveys", Act.WITHDRAWN, method=Method.ONE_CLICK)
    me = step_up(app, anna)
    path = f"/me/receipts/{entry}"
    assert me.client.post(f"{path}/mail").status_code == 400, "without the form's token nothing is sent"
    for _ in range(2):
        assert me.post(f"{path}/mail", page=path if _ == 0 else "/me").location == path
    assert "Kvittot har mejlats till dig, eller är på väg." in me.client.get(path).text
    assert len(mails(session)) == 1
    text = text_of(mail_after(app))
    assert "Enkäter\n\nDu tog tillbaka ditt samtycke, " in text
    assert "Ingen ordalydelse från oss är sparad" in text
    assert "Nyheter och erbjudanden" not in text


def test_a_blocked_person_gets_receipts_of_own_data(app: Flask, session: Session, anna: RecipientView) -> None:
    entry = act(session, anna, "surveys", Act.WITHDRAWN, method=Method.ONE_CLICK)
    session.execute(update(RecipientRow).values(status=RecipientStatus.RESTRICTED))
    session.commit()
    me = step_up(app, anna)
    me.post(f"/me/receipts/{entry}/mail")
    assert "Enkäter" in text_of(mail_after(app))


def test_a_receipt_speaks_the_language_it_was_asked_in(
    app: Flask, client: StrictClient, session: Session, anna: RecipientView
) -> None:
    form = get(client, f"{preferences_url(anna)}?lang=en").form("save")
    page = ask(client, follow(client, form.submit(client, {"answer-marketing": "no"})))
    assert page.language == "en"
    text = text_of(mail_after(app))
    assert "You withdrew your consent" in text
    assert "News and offers. We email you about our products" in text
