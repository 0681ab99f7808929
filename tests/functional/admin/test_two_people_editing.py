"""Two people with the same form open: the second to save is shown both texts, keeps every word, and can go on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.events import EventType
from preferences.domain.rights import RightsKind
from preferences.domain.roles import Role
from preferences.models.transaction import reading, transaction
from preferences.queries.mailers.endpoints import EndpointView, endpoint_by_id
from preferences.queries.photos.trainings import training_by_id
from preferences.queries.rights.rights_queue import request_by_reference
from preferences.services.rights.rights import Taken, take_request
from tests.factories import make_recipient
from tests.support.admin_imports import guessed, planned, run, view_of
from tests.support.page import Page, words
from tests.support.staff import StaffBrowser, audited, seen_on, signed_in
from tests.support.trainings import make_training
from tests.support.webhooks import make_endpoint


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """An administrator."""
    return signed_in(app, session)


@pytest.fixture
def bo(app: Flask, session: Session) -> StaffBrowser:
    """Another one."""
    return signed_in(app, session, Role.ADMINISTRATOR, "bo@example.se")


def pairs(page: Page) -> dict[str, list[str]]:
    """Field, and what is compared of it: stored, then written."""
    found = page.find("dl", **{"class": "meanwhile"})
    return {words(one[0]): [words(cell) for cell in one[1:]] for one in found}


def test_an_endpoint(session: Session, stina: StaffBrowser, bo: StaffBrowser) -> None:
    made, _ = make_endpoint(session, "https://mailer.example/in", description="Listan")
    path = f"/admin/mailers/newsletter/endpoints/{made.id}/change"
    opened = seen_on(Page(stina.get(path)))
    every = [one.value for one in EventType]
    theirs = {"description": "Bos ord", "types": every[:1], "url": "https://mailer.example/other"}
    assert bo.post(path, {**theirs, "seen": seen_on(Page(bo.get(path)))}).status_code == 303
    mine = {"description": "Stinas ord", "types": every[1:2], "payload": "addresses", "seen": opened}
    answer = stina.post(path, mine)
    assert answer.status_code == 409
    page = Page(answer)
    assert pairs(page)["Med egna ord"] == ["Sparat nu Bos ord", "Ditt Stinas ord"]
    assert len(pairs(page)) == 3, "what both say the same, and the address, are not compared"
    assert page.find("input", id="field-description").get("value") == "Stinas ord"
    assert "mailer.example/other" not in page.html
    assert _endpoint(made.id).description == "Bos ord"
    wrong = stina.post(path, {**mine, "url": "http://10.0.0.1/"})
    assert wrong.status_code == 409, "a conflict is told before the rest"
    assert stina.post(path, {**mine, "seen": seen_on(page)}).status_code == 303
    assert (_endpoint(made.id).description, _endpoint(made.id).url) == ("Stinas ord", "https://mailer.example/other")


def test_another_mistake_does_not_hide_that_somebody_was_faster(
    session: Session, stina: StaffBrowser, bo: StaffBrowser
) -> None:
    made, _ = make_endpoint(session, "https://mailer.example/in")
    path = f"/admin/mailers/newsletter/endpoints/{made.id}/change"
    mine = {"types": ["choice.changed"], "description": "Mina", "seen": seen_on(Page(stina.get(path)))}
    wrong = stina.post(path, {**mine, "url": "http://10.0.0.1/"})
    assert wrong.status_code == 422
    assert bo.post(path, {**mine, "description": "Bos"}).status_code == 303
    assert stina.post(path, {**mine, "seen": seen_on(Page(wrong))}).status_code == 409


def test_the_columns_of_an_import(stina: StaffBrowser, bo: StaffBrowser) -> None:
    place = planned(stina)
    opened = guessed(stina, place)
    assert bo.post(f"{place}/columns", {**guessed(bo, place), "column-1": ""}).status_code == 303
    mine = {**opened, "column-1": "company_name", "default-wording": "Mina ord"}
    for _ in range(2):  # while the other's dry run goes on, and after it
        answer = stina.post(f"{place}/columns", mine)
        assert answer.status_code == 409
        page = Page(answer)
        assert pairs(page)["Namn"] == ["Sparat nu Läses inte", "Ditt Företag"]
        assert page.find("input", id="field-default-wording").get("value") == "Mina ord"
        run()
    assert stina.post(f"{place}/columns", {**mine, "seen": seen_on(page)}).status_code == 303
    assert view_of(place).reading["columns"]["company_name"] == 1


def test_a_training(session: Session, stina: StaffBrowser, bo: StaffBrowser) -> None:
    number = make_training(session, title="Före")
    path = f"/admin/trainings/{number}/edit"
    opened = Page(stina.get(path)).forms()[-1].fields
    assert bo.post(path, {**Page(bo.get(path)).forms()[-1].fields, "title": "Bos"}).status_code == 303
    answer = stina.post(path, {**opened, "title": "Stinas"})
    assert answer.status_code == 409
    page = Page(answer)
    assert pairs(page) == {"Rubrik": ["Sparat nu Bos", "Ditt Stinas"]}
    assert stina.post(path, page.forms()[-1].fields).status_code == 303
    with reading() as looking:
        found = training_by_id(looking, number)
    assert found is not None
    assert found.title == "Stinas"


def test_the_privacy_policy(stina: StaffBrowser, bo: StaffBrowser) -> None:
    words = {
        "changes-sv": "Nytt.",
        "changes-en": "New.",
        "body-en": "# Time\n\nFive.",
        "do": "publish",
        "weight": "minor",
    }
    assert stina.post("/admin/policy/new", {**words, "body-sv": "Sju år.", "based_on": "0"}).status_code == 303
    assert bo.post("/admin/policy/new", {**words, "body-sv": "Fem år.", "based_on": "1"}).status_code == 303
    answer = stina.post("/admin/policy/new", {**words, "body-sv": "Tre år.", "based_on": "1"})
    assert answer.status_code == 409
    page = Page(answer)
    assert ([one.text for one in page.all("del")], [one.text for one in page.all("ins")]) == (["Sju "], ["Fem "])
    assert "Tre år." in (page.find("textarea", id="field-body-sv").text or "")
    assert page.forms()[-1].fields["based_on"] == "2"


def test_more_time_for_a_request(session: Session, stina: StaffBrowser, bo: StaffBrowser) -> None:
    with transaction() as writing:
        anna = make_recipient(writing)
        taken = take_request(writing, anna.id, RightsKind.ACCESS, details={}, locale="sv", now=datetime.now(UTC))
    assert isinstance(taken, Taken)
    path = f"/admin/requests/{taken.reference}/extend"
    until = (date.today() + timedelta(days=40)).isoformat()  # noqa: DTZ011 - a day either way is as good
    assert bo.post(path, {"until": until, "reason": "Bos skäl"}).status_code == 303
    answer = stina.post(path, {"until": until, "reason": "Stinas skäl"})
    assert answer.status_code == 409
    page = Page(answer)
    assert "Bos skäl" in page.text
    assert "Stinas skäl" in (page.find("textarea", id="field-reason").text or "")
    with reading() as looking:
        found = request_by_reference(looking, taken.reference)
    assert found is not None
    assert found.extension_reason == "Bos skäl"


def test_the_role_of_somebody_on_the_staff(app: Flask, session: Session, stina: StaffBrowser, bo: StaffBrowser) -> None:
    path = f"/admin/staff/{signed_in(app, session, Role.VIEWER, 'eva@example.se').staff.id}"
    opened = seen_on(Page(stina.get(path)))
    assert bo.post(f"{path}/role", {"role": "marketer", "seen": opened}).location.endswith("done=role")
    answer = stina.post(f"{path}/role", {"role": "administrator", "seen": opened})
    assert answer.location.endswith("done=meanwhile")
    assert "Någon annan har ändrat rollen" in Page(stina.get(answer.location)).text
    assert audited(session).count("staff_role_changed") == 1


def _endpoint(number: int) -> EndpointView:
    with reading() as session:
        found = endpoint_by_id(session, number)
    assert found is not None
    return found
