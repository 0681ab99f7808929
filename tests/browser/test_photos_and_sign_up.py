"""A pause until a date, an objection for one training, a sign-up confirmed and regretted: with and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import Capability, RecipientId
from preferences.domain.sign_up import FASTEST
from preferences.models.recipient import RecipientRow
from preferences.queries.choices.choices import active_suppressions, choice_of
from preferences.web.dates import date_in_words, start_of_day
from tests.factories import act, link, make_recipient, purpose
from tests.support.sign_ups import link_in, mail_after
from tests.support.trainings import bodies, make_training, may, sent_mail, tell

from .conftest import Live

scripting = pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
PHONE = 320


@scripting
def test_surveys_pause_until_a_date(session: Session, open_page: Callable[..., Page], javascript: bool) -> None:
    anna = make_recipient(session)
    act(session, anna, "surveys")
    until = datetime.now(UTC).date() + timedelta(days=45)
    page = open_page(f"/p/{link(anna, capability=Capability.PREFERENCES)}", width=PHONE, javascript=javascript)
    page.get_by_label("Till ett datum").check()
    page.get_by_label("Datum, om du valde det").fill("2001-01-01")
    page.get_by_role("button", name="Pausa", exact=True).click()
    expect(page).to_have_title(re.compile("^Fel: "))
    page.get_by_role("alert").get_by_role("link").click()
    page.get_by_label("Datum, om du valde det").fill(until.isoformat())
    page.get_by_role("button", name="Pausa", exact=True).click()
    expect(page.locator("main")).to_contain_text(_in_swedish(until))
    page.get_by_role("link", name="Tillbaka till dina val").click()
    expect(page.locator("#choice-surveys")).to_contain_text(f"Pausat till den {_in_swedish(until)}")
    session.rollback()
    found = choice_of(session, anna.id, purpose(session, "surveys").id)
    assert found.paused_until == start_of_day(until)
    assert found.act is Act.GIVEN, "a pause is no answer: the consent stands"


@scripting
def test_an_image_is_kept_out_of_one_training(
    live: Live, session: Session, open_page: Callable[..., Page], javascript: bool
) -> None:
    anna = make_recipient(session)
    number, other = make_training(session, anna), make_training(session, anna, title="Heta arbeten", days=30)
    tell(session, number)
    (mail,) = sent_mail(live.app)
    found = re.search(r"/p/[\w.-]{51}/training", bodies(mail)[0])
    assert found is not None
    page = open_page(found[0], width=PHONE, javascript=javascript)
    expect(page.locator("main")).to_contain_text("Säkerhet i vardagen")
    page.locator(f"input[name='answer-photo_image-{number}'][value='no']").check()
    page.get_by_role("button", name="Spara mina val").click()
    expect(page.locator("main")).to_contain_text("Min bild: Säkerhet i vardagen")
    name, image, _ = may(session, number)
    assert (name, image) == ("allowed", "objected")
    assert may(session, other)[1] == "allowed"
    page.get_by_role("button", name="Ångra").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sparat")
    assert may(session, number)[1] == "allowed"


@scripting
def test_a_person_signs_up_confirms_and_changes_their_mind(
    live: Live, session: Session, open_page: Callable[..., Page], javascript: bool
) -> None:
    page = open_page("/subscribe", width=PHONE, javascript=javascript)
    page.get_by_label("Din e-postadress").fill("Ny.Person@example.se")
    page.get_by_role("checkbox", name="Nyheter och erbjudanden").check()
    with time_machine.travel(datetime.now(UTC) + FASTEST + timedelta(seconds=1)):
        page.get_by_role("button", name="Skicka mejlet").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Ett steg kvar")
    assert session.scalars(select(RecipientRow)).all() == [], "nobody is stored before the mailbox has answered"
    session.rollback()
    path = link_in(mail_after(live.app))
    page.goto(live.url + path)
    page.get_by_role("button", name="Ja, jag bekräftar").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Du har bekräftat")
    page.go_back()
    page.reload()
    expect(page.locator("main")).not_to_contain_text("Ny.Person")
    page.goto(live.url + path)
    page.get_by_role("link", name="Till alla dina val").click()
    page.get_by_role("button", name="Stoppa alla utskick").click()
    expect(page.locator("main")).to_contain_text("Vi skickar dig ingen mer information")
    (row,) = session.scalars(select(RecipientRow))
    assert choice_of(session, RecipientId(row.id), purpose(session, "marketing").id).act is Act.GIVEN
    assert [one.reason for one in active_suppressions(session, row.address_index)] == ["global_stop"]


def _in_swedish(day: date) -> str:
    return date_in_words(day, "sv")
