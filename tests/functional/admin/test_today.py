"""Today: what needs a person is there, the most urgent first, and nothing else is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.eligibility import RecipientStatus
from preferences.domain.photo import TakedownWhat
from preferences.domain.roles import Role
from preferences.models.photo import TakedownRow
from preferences.models.recipient import RecipientRow
from tests.support.busy_day import busy_day
from tests.support.page import Page, words
from tests.support.staff import signed_in
from tests.support.statements import statements

MOST_STATEMENTS = 25
"""On one page, whatever lies in the database."""


def rows(page: Page, section: str) -> list[str]:
    """The words of a section's rows."""
    (found,) = [one for one in page.all("section") if one.get("aria-labelledby") == section]
    return [words(row) for row in found.iter("tr") if row.find("td") is not None]


def test_first_day_says_what_will_show_where(app: Flask, session: Session) -> None:
    page = Page(signed_in(app, session).get("/admin"))
    assert page.all("table") == []
    (at_rest,) = [one for one in page.all("section") if one.get("class") == "at-rest"]
    assert len(list(at_rest.iter("li"))) == 7


def test_everything_that_needs_a_person_is_there_the_most_urgent_first(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    busy_day(session)
    page = Page(stina.get("/admin"))
    requests = rows(page, "requests")
    assert [one.split()[0] for one in requests] == ["R-7K3F9Q20", "R-7K3F9Q21", "R-7K3F9Q22", "R-7K3F9Q23"]
    assert "3 dagar" in requests[0]
    assert "idag" in requests[1]
    assert ["T-7K3F9Q2M" in one for one in rows(page, "takedowns")] == [True]
    assert ["0 av 1" in one for one in rows(page, "trainings")] == [True]
    assert ["43" in one for one in rows(page, "imports")] == [True]
    assert ["aldrig bekräftat" in one for one in rows(page, "late")] == [True]
    assert ["Produktion" in one for one in rows(page, "endpoints")] == [True]
    (at_rest,) = [one for one in page.all("section") if one.get("class") == "at-rest"]
    assert "scanner" in words(at_rest) or "program" in words(at_rest), "what needs nobody is one line at the end"
    assert len(list(at_rest.iter("li"))) == 1


def test_takedowns_say_who_does_what_by_when_the_soonest_due_first(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    busy_day(session)
    anna, today = session.scalars(select(TakedownRow.recipient_id)).one(), date.today()  # noqa: DTZ011
    for letter, days, who in (("A", 9, None), ("B", 2, stina.staff.id), ("C", None, None)):
        due = None if days is None else today + timedelta(days=days)
        case = {"reference": f"T-7K3F9Q2{letter}", "what": TakedownWhat.NAME, "assigned_to": who, "due_on": due}
        session.add(TakedownRow(recipient_id=anna, requested_at=datetime.now(UTC), **case))
    session.commit()
    found = rows(Page(stina.get("/admin")), "takedowns")
    assert [one[:10] for one in found] == ["T-7K3F9Q2B", "T-7K3F9Q2A", "T-7K3F9Q2M", "T-7K3F9Q2C"]
    assert stina.staff.name in found[0]
    assert "2 dagar" in found[0]
    assert "ingen dag än" in found[2]
    assert "2 utan dag" in Page(stina.get("/admin")).text


def test_a_training_of_which_only_the_unreachable_are_untold_needs_nobody(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    busy_day(session)
    session.execute(update(RecipientRow).values(status=RecipientStatus.RESTRICTED))
    session.commit()
    assert "Elsäkerhet" not in stina.get("/admin").text


@pytest.mark.parametrize("role", Role)
def test_page_shows_nobody_s_name_or_address_to_anybody(app: Flask, session: Session, role: Role) -> None:
    somebody = signed_in(app, session, role)
    busy_day(session)
    text = somebody.get("/admin").text
    assert "anna.karlsson" not in text
    assert "hooks.example.com" not in text
    assert "social.example" not in text


def test_page_costs_the_same_few_statements_however_much_there_is(app: Flask, session: Session) -> None:
    stina = signed_in(app, session)
    busy_day(session)
    with statements(app) as seen:
        assert stina.get("/admin").status_code == 200
    assert len(seen) <= MOST_STATEMENTS, len(seen)


def test_links_lead_only_where_the_role_may_go(app: Flask, session: Session) -> None:
    for role, may in ((Role.PRIVACY_OFFICER, True), (Role.VIEWER, False)):
        somebody = signed_in(app, session, role, f"{role}@example.se")
        if role is Role.PRIVACY_OFFICER:
            busy_day(session)
        page = Page(somebody.get("/admin"))
        linked = [one.get("href") for one in page.all("a") if "R-7K3F9Q20" in words(one)]
        assert bool(linked) is may
        for one in page.all("a"):
            address = one.get("href", "")
            if address.startswith("/admin"):
                assert somebody.get(address).status_code == 200, address
