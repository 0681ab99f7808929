"""Staff act for a person, and look after a burst of a scanner, until the people have what they wanted: see looking.py."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.photo import TakedownWhat
from preferences.domain.purpose import LawfulBasis
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Role
from preferences.queries.choices.choices import choice_of
from preferences.services.choices.consent import NewAct, record_act
from preferences.services.photos.takedown import NewTakedown, request_takedown
from tests.factories import act, make_recipient, purpose
from tests.support.rights import link_in, send_all
from tests.support.trainings import make_training
from tests.support.webhooks import make_endpoint

from .admin_screens import enter_admin
from .conftest import Live
from .looking import Looker

pytestmark = pytest.mark.slow

THEN = datetime.now(UTC).replace(second=5, microsecond=0) - timedelta(hours=2)


def test_what_a_person_said_is_recorded_seen_and_proved(session: Session, looker: Looker) -> None:
    page = looker.page
    enter_admin(session, looker, Role.PRIVACY_OFFICER)
    anna = make_recipient(
        session, "anna.oberg-lindstromsdotter@example.se", locale=looker.locale, name="Anna Öberg-Lindströmsdotter"
    )
    make_endpoint(session, "http://127.0.0.1:9/hook", mailer="newsletter")
    for key, what, more in (
        ("marketing", Act.GIVEN, {"method": Method.DOUBLE_OPT_IN, "basis": LawfulBasis.CONSENT}),
        ("events", Act.OBJECTED, {"method": Method.ONE_CLICK}),
        ("marketing", Act.PAUSED, {"paused_until": datetime.now(UTC) + timedelta(days=60)}),
    ):
        act(session, anna, key, what, **more)
    training = make_training(session, anna)
    act(session, anna, "photo_image", Act.OBJECTED, training_id=training)
    new = NewTakedown(url="https://social.example/p/77", what=TakedownWhat.BOTH, training_id=training, note="")
    request_takedown(session, anna, new, locale="sv", now=datetime.now(UTC))
    session.commit()
    base = f"/admin/recipients/{format_recipient_id(anna.id)}"
    looker.go("/admin/recipients?text=nobody@example.se")
    looker.look("admin-recipients-none")
    page.locator("#field-text").fill("anna.oberg-lindstromsdotter@example.se")
    page.locator("form.filters button").click()
    looker.look("admin-recipients")
    page.locator("main th a").click()
    assert base in page.url
    looker.go(f"{base}/preview")
    looker.look("admin-recipient-preview")
    assert page.locator("main input:enabled, main button:enabled, form").count() == 0
    looker.go(f"{base}/act")
    page.locator("input[name=said][value=no]").check()
    page.locator("#field-purpose").select_option(index=1)
    page.locator("#field-reason").fill("Ringde i dag, ärende 4711.")
    page.locator("main form button").click()
    looker.look("admin-act-wrong")
    page.locator("#field-told").select_option("phone")
    page.locator("main form button").click()
    assert "done=recorded" in page.url
    looker.look("admin-recipient")
    looker.go(f"{base}/history?act=withdrawn")
    looker.look("admin-recipient-history")
    looker.go(f"{base}/told")
    looker.look("admin-recipient-told")
    looker.go(base)
    with page.expect_download() as download:
        page.locator("a[href$='evidence.zip']").click()
    with zipfile.ZipFile(download.value.path()) as pack:
        assert "0123" not in "".join(pack.namelist())
        assert pack.read("entries.ndjson").count(b"\n") == 5


def test_a_scanner_burst_is_asked_about_and_undone_by_the_person(session: Session, looker: Looker, live: Live) -> None:
    page = looker.page
    enter_admin(session, looker, Role.MARKETER)
    marketing = purpose(session, "marketing")
    people = [make_recipient(session, f"p{number}@kund.example.se", locale=looker.locale) for number in range(10)]
    for what, method, when in (
        (Act.GIVEN, Method.DOUBLE_OPT_IN, THEN - timedelta(days=9)),
        (Act.WITHDRAWN, Method.ONE_CLICK, THEN),
    ):
        for number, one in enumerate(people):
            at = when + timedelta(milliseconds=number)
            new = NewAct(recipient_id=one.id, purpose=marketing, act=what, method=method, occurred_at=at, reference=7)
            record_act(session, new, now=at)
    session.commit()
    looker.go("/admin")
    page.locator("a[href*='/admin/bursts/']").first.click()
    assert page.locator("main tbody tr").count() == 10
    looker.look("admin-burst")
    page.locator("form[action$='/ask'] button").click()
    looker.look("admin-burst-sure")
    page.locator("main form button").click()
    assert "done=asked" in page.url
    looker.look("admin-burst-asked")
    looker.go(link_in(send_all(live.app)["p3@kund.example.se"], "/p/"))
    assert choice_of(session, people[3].id, marketing.id, 0).act is Act.WITHDRAWN
    session.rollback()
    page.locator("input[name=answer-marketing][value=yes]").check()
    page.locator("form:has(input[value=save]) button").click()
    looker.go(link_in(send_all(live.app)["p3@kund.example.se"], "/c/"))
    page.locator("main form button").first.click()
    assert choice_of(session, people[3].id, marketing.id, 0).act is Act.GIVEN
    assert choice_of(session, people[4].id, marketing.id, 0).act is Act.WITHDRAWN
    looker.go("/admin")
    assert page.locator("a[href*='/admin/bursts/']").count() == 0
