"""Every page a recipient reaches, in Swedish and English, in one walk each: see looking.py for what is asked of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import Capability
from preferences.domain.sign_up import FASTEST
from preferences.models.ledger import ConfirmationRow, LedgerEntryRow
from preferences.web.recipient.own.nav import OWN_PAGES
from tests.factories import act, link, make_recipient, purpose
from tests.support.full_person import make_full_person
from tests.support.rights import link_in, send_all
from tests.support.sign_ups import link_in as link_of
from tests.support.sign_ups import mail_after
from tests.support.step_up import newest_mail
from tests.support.trainings import make_training, sent_mail, tell

from .conftest import Live
from .looking import Looker
from .screens import SCREENS

pytestmark = pytest.mark.slow
NEW = "anna@ny.example"


def test_pages_of_a_link_and_of_nobody(session: Session, looker: Looker) -> None:
    for name, path in SCREENS.items():
        looker.go(path(session))
        looker.look(name)
        if name == "unsubscribe":
            looker.page.locator("main form button").first.click()
            looker.look("unsubscribe-done")
            looker.page.locator("#why button").first.click()
            looker.look("reason-told")
    assert looker.page.context.cookies() == []


def test_pages_of_saving_and_confirming(session: Session, looker: Looker) -> None:
    page, anna = looker.page, make_recipient(session)
    act(session, anna, "marketing")
    token = link(anna, capability=Capability.PREFERENCES)
    looker.go(f"/p/{token}")
    page.locator("form:has(input[value=pause]) button").click()
    looker.look("pause-wrong")
    for key, answer in (("marketing", "no"), ("events", "no"), ("surveys", "yes"), ("photo_marketing", "yes")):
        page.locator(f"input[name='answer-{key}'][value='{answer}']").check()
    page.locator("form:has(input[value=save]) button").click()
    looker.look("saved")
    page.locator("#receipt button").click()
    page.locator("#why button").first.click()
    looker.look("saved-reason-receipt")
    looker.go(f"/p/{token}")
    looker.look("preferences-waiting")
    waiting = session.scalars(select(ConfirmationRow.id)).one()
    session.rollback()
    looker.go(f"/c/{link(anna, capability=Capability.CONFIRM, reference=waiting)}")
    looker.look("confirm")
    page.locator("main form button").first.click()
    looker.look("confirmed")
    looker.go(f"/p/{token}")
    page.locator("form:has(input[value=stop]) button").click()
    looker.look("all-stopped")
    looker.go(f"/p/{token}")
    looker.look("preferences-stopped")


def test_pages_of_sign_up(live: Live, session: Session, looker: Looker) -> None:
    page = looker.page
    looker.go("/subscribe")
    looker.look("subscribe")
    with time_machine.travel(datetime.now(UTC) + FASTEST + timedelta(seconds=1)):
        page.locator("main form button").click()
        looker.look("subscribe-wrong")
    page.locator("#field-address").fill("ny@example.se")
    page.locator("input[type=checkbox]").first.check()
    with time_machine.travel(datetime.now(UTC) + FASTEST + timedelta(seconds=1)):
        page.locator("main form button").click()
        looker.look("subscribe-sent")
    looker.go(link_of(mail_after(live.app)))
    looker.look("subscribe-confirm")
    page.locator("main form button").click()
    looker.look("subscribe-confirmed")
    looker.go("/")
    page.locator("#field-address").fill("inte en adress")
    page.evaluate("document.querySelector('main form').noValidate = true")
    page.locator("main form button").click()
    looker.look("landing-wrong")
    page.locator("#field-address").fill("ny@example.se")
    page.locator("main form button").click()
    looker.look("landing-sent")


def test_pages_of_a_training_and_its_photos(live: Live, session: Session, looker: Looker) -> None:
    page, anna = looker.page, make_recipient(session, locale=looker.locale)
    assert tell(session, make_training(session, anna)) == 1
    (mail,) = sent_mail(live.app)
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"/p/[\w.-]{51}/training", body.get_content())
    assert found is not None
    looker.go(found[0])
    looker.look("training")
    page.locator("input[name^='answer-photo_image'][value='no']").check()
    page.locator("main form button").first.click()
    looker.look("training-saved")
    _enter(live, looker, link(anna, capability=Capability.PREFERENCES))
    looker.go("/me/photos")
    page.locator("input[name^='answer-photo_name'][value='no']").first.check()
    page.locator("main form button").first.click()
    looker.look("own-photos-saved")
    looker.go("/me/takedowns")
    looker.look("takedowns-none")
    page.locator("main form button").first.click()
    looker.look("takedowns-wrong")
    page.locator("#field-url").fill("https://social.example/p/" + "77" * 300)
    page.locator("input[name=what]").first.check()
    page.locator("main form button").first.click()
    looker.look("takedown")


def test_pages_of_own_data(live: Live, session: Session, looker: Looker) -> None:
    page, anna = looker.page, make_full_person(session)
    looker.go(f"/p/{link(anna, capability=Capability.PREFERENCES)}")
    page.locator("form[action*='/step-up'] button").click()
    looker.look("step-up-code")
    mail = newest_mail(live.app)
    page.locator("#field-code").fill("12")
    page.locator("#field-code").press("Enter")  # this one waits for the page that comes
    looker.look("step-up-code-wrong")
    looker.go(mail.path)
    looker.look("step-up-link")
    page.locator("main form button").first.click()
    looker.look("own-overview")
    entry = session.scalars(select(LedgerEntryRow.id).order_by(LedgerEntryRow.id)).all()[1]
    session.rollback()
    others = ("/me/print", f"/me/receipts/{entry}", "/me/takedowns/T-AAAA0001")
    for path in (*(one.path for one in OWN_PAGES), *others):
        looker.go(path)
        looker.look(
            "own-receipt" if path.endswith(str(entry)) else path.strip("/").replace("/", "-").replace("me-", "own-")
        )
    looker.go(f"/me/receipts/{entry}")
    page.locator("form:has(button):not(.own-end) button").click()
    looker.look("own-receipt-asked")
    looker.go("/me/why")
    page.locator("main form button").first.click()
    looker.look("own-why-wrong")
    message = purpose(session, "surveys")
    looker.go(f"/me/why/{link(anna, message)}")
    looker.look("own-why-told")
    page.locator("form.own-end button").click()
    looker.look("own-closed")
    looker.go(mail.path)
    looker.look("step-up-used")


def test_pages_of_rights(live: Live, session: Session, looker: Looker) -> None:
    page, anna = looker.page, make_full_person(session)
    _enter(live, looker, link(anna, capability=Capability.PREFERENCES))
    looker.go("/me/correct")
    page.locator("#field-established_on").fill("1 april")
    page.locator("#field-telephone").fill("070-1")
    page.locator("main form button").first.click()
    looker.look("correct-wrong")
    page.locator("#field-established_on").fill("1987-04-02")
    page.locator("main form button").first.click()
    looker.look("correct-saved")
    page.locator("main form.card button").click()
    looker.look("requests-wrong")
    looker.go("/me/address")
    page.locator("#field-address").fill(NEW)
    page.locator("main form.card button").click()
    looker.look("address-waiting")
    sent = send_all(live.app)
    for number, path in enumerate([link_in(sent[one], "/c/address/") for one in ("Anna.Akesson@example.se", NEW)]):
        looker.go(path)
        looker.look(f"address-answer-{number}")
    page.locator("main button").first.click()
    looker.look("address-answer-said")
    looker.go("/me/restrict")
    page.locator("main form button").first.click()
    looker.look("restricted-said")
    looker.go("/me/erase")
    page.locator("main form button").first.click()
    looker.look("erased")


def test_own_data_of_somebody_with_nothing_in_it(live: Live, session: Session, looker: Looker) -> None:
    bare = make_recipient(session, "x" * 60 + "@" + "ett-mycket-langt-domannamn." * 4 + "example", locale=None)
    _enter(live, looker, link(bare, capability=Capability.PREFERENCES))
    for path in ("/me", "/me/data", "/me/history", "/me/receipts", "/me/requests", "/me/senders"):
        looker.go(path)
        looker.look("bare" + path.replace("/", "-"))


def test_lasting_pages_after_the_end(session: Session, looker: Looker) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.OBJECTED)
    token = link(anna, capability=Capability.PREFERENCES)
    for name, path in {"saved-nothing": f"/p/{token}/saved", "closed": "/me/closed", "me": "/me"}.items():
        looker.go(path)
        looker.look(name)


def _enter(live: Live, looker: Looker, token: str) -> None:
    """Open own data with the link in the mail."""
    looker.go(f"/p/{token}")
    looker.page.locator("form[action*='/step-up'] button").click()
    looker.go(newest_mail(live.app).path)
    looker.page.locator("main form button").first.click()
