"""A request from arrival to reply in the browser: a letter registered, checked, done and answered: see looking.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.roles import Role
from tests.factories import act, make_recipient

from .admin_screens import enter_admin
from .looking import Looker

pytestmark = pytest.mark.slow


def test_from_the_letter_to_the_reply(session: Session, looker: Looker) -> None:
    page = looker.page
    enter_admin(session, looker, Role.PRIVACY_OFFICER)
    anna = make_recipient(session, name="Anna Öberg-Lindströmsdotter", profile={"company_name": "Rör & Värme AB"})
    act(session, anna, "marketing", Act.GIVEN, evidence={"source": "mässan"})
    session.commit()
    arrived = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    looker.go("/admin/requests")
    page.locator(".page-head a.button").first.click()
    looker.look("admin-request-register")
    page.locator("#field-kind").select_option("access")
    page.locator("#field-channel").select_option("letter")
    page.locator("#field-arrived_on").fill(arrived)
    page.locator("#field-who").fill("nobody@example.se")
    page.locator("#field-text").fill("Hej, jag vill veta allt ni har om mig.\nHälsningar Anna")
    page.locator("main form.card button").click()
    looker.look("admin-request-register-wrong")
    page.locator("#field-who").fill("anna@example.se")
    page.locator("main form.card button").click()
    looker.look("admin-request-review")
    page.locator("main form.card button").first.click()
    assert "done=registered" in page.url
    looker.look("admin-request-arrived")
    page.locator("#field-proof").fill("Ringde upp henne på numret vi har")
    page.locator("form[action$='/identity'] button").first.click()
    page.locator("form[action$='/copy-link'] button").click()
    looker.look("admin-request-done")
    answer = page.locator("#field-answer").input_value()
    assert answer
    page.locator("input[name=outcome][value=fulfilled]").check()
    page.locator("form[action$='/answer'] button").first.click()
    assert "done=answered" in page.url
    looker.look("admin-request-answered")
    page.locator(".page-head a.button").click()
    looker.look("admin-request-letter")
    looker.go("/admin/requests?state=closed")
    looker.look("admin-requests-closed")
    for kind in ("correct", "object", "erase"):
        looker.go(f"/admin/requests/new?who={'anna%40example.se'}")
        page.locator("#field-kind").select_option(kind)
        page.locator("#field-channel").select_option("telephone")
        page.locator("#field-text").fill("Sagt på telefon")
        page.locator("input[name=identity][value=confirmed]").check()
        page.locator("form.card #field-proof").fill("Kunden sedan länge")
        page.locator("main form.card button").click()
        page.locator("main form.card button").first.click()
        looker.look(f"admin-request-{kind}")
    page.locator("a.danger").click()
    looker.look("admin-request-erase-review")
    page.locator("button.danger").click()
    looker.look("admin-request-erased")
    looker.go(f"/admin/audit?object=recipient&id={anna.id}")
    looker.look("admin-audit-trail")
    page.locator(".page-head a.button").click()
    looker.look("admin-audit-export")
