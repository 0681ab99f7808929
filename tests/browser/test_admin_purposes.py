"""Purposes, their texts and sign-up forms in the admin pages, in Swedish and English: from the tree to a published version."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from preferences.domain.roles import Role

from .admin_screens import enter_admin
from .looking import Looker

pytestmark = pytest.mark.slow


def test_a_text_is_written_looked_at_and_published(session: Session, looker: Looker) -> None:
    page = looker.page
    enter_admin(session, looker, Role.MARKETER)
    looker.go("/admin/purposes")
    looker.look("admin-purposes")
    looker.go("/admin/purposes/events/text")
    page.locator("#field-title-sv").fill("Inbjudningar")
    page.locator("#field-what-en").fill("We email invitations to events, four a year at the most.")
    page.locator("input[name=lawful_basis][value=consent]").check()
    page.locator("#field-why-en").fill("")
    page.locator("button[value=publish]").click()
    looker.look("admin-purpose-text-wrong")
    page.locator("#field-why-en").fill("So that you can come.")
    page.locator("button[value=publish]").click()
    looker.look("admin-purpose-text-basis")
    page.locator("#field-sure").check()
    page.locator("button[value=publish]").click()
    looker.look("admin-purpose")
    looker.go("/admin/purposes/events/preview")
    looker.look("admin-purpose-preview")


def test_a_topic_and_a_form_are_added(session: Session, looker: Looker) -> None:
    page = looker.page
    enter_admin(session, looker, Role.MARKETER)
    looker.go("/admin/purposes/new-purpose?under=marketing")
    page.locator("#field-key").fill("surveys")
    for locale in ("sv", "en"):
        for field in ("title", "what", "why", "who", "how_long"):
            page.locator(f"#field-{field}-{locale}").fill(f"{field} {locale}")
    page.locator("button[value=publish]").click()
    looker.look("admin-purpose-new-taken")
    looker.go("/admin/forms/new_form")
    page.locator("#field-key").fill("autumn-fair")
    page.locator("#field-heading-sv").fill("Höstmässan")
    page.locator("#field-heading-en").fill("The autumn fair")
    page.locator("main form button").click()
    looker.look("admin-form-wrong")
    page.locator("input[value=surveys]").check()
    page.locator("main form button").click()
    looker.look("admin-form")
