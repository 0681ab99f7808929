"""Trainings and takedowns in the browser, from the list to the photographer and the case that is closed: see looking.py."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.photo import TakedownWhat
from preferences.domain.roles import Role
from preferences.services.photos.takedown import NewTakedown, request_takedown
from preferences.web.plumbing import utc_now
from tests.factories import act, make_recipient
from tests.support.trainings import make_training

from .admin_screens import enter_admin
from .looking import Looker

pytestmark = pytest.mark.slow


def test_from_the_training_to_the_case_that_is_closed(session: Session, looker: Looker) -> None:
    page = looker.page
    enter_admin(session, looker, Role.MARKETER)
    anna = make_recipient(session, name="Anna Öberg-Lindströmsdotter", profile={"company_name": "Rör & Värme AB"})
    make_recipient(session, "bo@example.se", name="Bo Ek")
    number = make_training(session, anna)
    act(session, anna, "photo_image", Act.OBJECTED, training_id=number)
    new = NewTakedown(
        url="https://social.example/p/77", what=TakedownWhat.BOTH, training_id=number, note="Till vänster"
    )
    reference = request_takedown(session, anna, new, locale="sv", now=utc_now())
    session.commit()
    looker.go("/admin/trainings")
    looker.look("admin-trainings")
    base = f"/admin/trainings/{number}"
    looker.go(f"{base}/participants")
    page.locator("#field-who").fill("bo@example.se\nnobody@example.se")
    page.locator("main form.card button").first.click()
    looker.look("admin-training-unknown")
    page.locator("#field-who").fill("bo@example.se")
    page.locator("main form.card button").first.click()
    looker.look("admin-training")
    looker.go(f"{base}/notice")
    looker.look("admin-training-notice")
    page.locator("main form button").click()
    looker.go(f"{base}/photo-list")
    looker.look("admin-photo-list")
    looker.go(f"{base}/check")
    page.locator("#field-who").fill("Bo Ek\nAnna Öberg-Lindströmsdotter\nNobody")
    page.locator("main form.card button").click()
    looker.look("admin-photo-check")
    looker.go("/admin/takedowns")
    looker.look("admin-takedowns")
    looker.go(f"/admin/takedowns/{reference}")
    looker.look("admin-takedown")
    page.locator("#field-answer").fill("Bilden är borta.")
    page.locator("input[name=outcome][value=done]").check()
    page.locator("main form.card button").last.click()
    looker.look("admin-takedown-wrong")
    page.locator("#field-proof").fill("Sidan svarar 404.")
    page.locator("main form.card button").last.click()
    assert "done=closed" in page.url
