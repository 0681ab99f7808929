"""Publishing the privacy policy and telling people of it, from the admin pages (L21)."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.policy import Weight
from preferences.domain.roles import Role
from preferences.models.transaction import reading
from preferences.queries.purposes.policy import announcement, policy_version, policy_versions
from tests.factories import make_recipient
from tests.support.page import Page
from tests.support.rights import send_all
from tests.support.staff import StaffBrowser, audited, signed_in

WORDS = {
    "changes-sv": "Kortare tid.",
    "body-sv": "# Tid\n\nVi sparar i fem år.",
    "changes-en": "A shorter time.",
    "body-en": "# Time\n\nWe keep it for five years.",
}


@pytest.fixture
def officer(app: Flask, session: Session) -> StaffBrowser:
    """A privacy officer."""
    return signed_in(app, session, Role.PRIVACY_OFFICER)


def publish(officer: StaffBrowser, based_on: int = 0, weight: str = "major", **words: str) -> str:
    """Publish, and the address that it leads to."""
    form = {**WORDS, "do": "publish", "weight": weight, "based_on": str(based_on), **words}
    answer = officer.post("/admin/policy/new", form)
    assert answer.status_code == 303, answer.text
    return answer.location


def count() -> int:
    with reading() as session:
        return len(policy_versions(session))


def test_the_first_page_says_what_to_do_first(officer: StaffBrowser) -> None:
    page = Page(officer.get("/admin/policy"))
    assert "Ingen version är publicerad än." in page.text
    assert "/admin/policy/new" in page.html


def test_looking_at_it_first_publishes_nothing_and_keeps_every_word(officer: StaffBrowser) -> None:
    answer = officer.post("/admin/policy/new", {**WORDS, "do": "preview", "weight": "major", "based_on": "0"})
    assert answer.status_code == 200
    page = Page(answer)
    assert [one.text for one in page.all("h3")] == ["Tid", "Time"]
    assert "We keep it for five years." in (page.all("textarea")[3].text or "")
    assert count() == 0


def test_a_version_is_published_and_everybody_reads_it(session: Session, officer: StaffBrowser) -> None:
    assert publish(officer) == "/admin/policy/1?done=published"
    with reading() as looking:
        version = policy_version(looking)
    assert version is not None
    assert version.weight is Weight.MAJOR
    assert "Vi sparar i fem år." in officer.client.get("/policy?lang=sv").text
    assert audited(session)[-1] == "policy_published"


def test_the_next_version_shows_what_changed_since_the_last(officer: StaffBrowser) -> None:
    publish(officer)
    written = Page(officer.get("/admin/policy/new"))
    assert "Vi sparar i fem år." in written.html
    publish(officer, 1, **{"body-sv": "# Tid\n\nVi sparar i tio år."})
    page = Page(officer.get("/admin/policy/2"))
    assert ([one.text for one in page.all("del")], [one.text for one in page.all("ins")]) == (["fem "], ["tio "])


@pytest.mark.parametrize("field", ["changes-sv", "body-en"])
@pytest.mark.parametrize("value", ["", "   ", "x" * 60_001])
def test_what_is_missing_or_too_long_is_named_and_nothing_lost(officer: StaffBrowser, field: str, value: str) -> None:
    form = {**WORDS, "do": "publish", "weight": "major", "based_on": "0", field: value}
    answer = officer.post("/admin/policy/new", form)
    assert answer.status_code == 422
    page = Page(answer)
    assert f"#field-{field}" in page.html
    assert "<title>Fel:" in answer.text
    assert "Kortare tid." in answer.text or field == "changes-sv"
    assert count() == 0


def test_two_people_publishing_lose_no_work(officer: StaffBrowser) -> None:
    publish(officer)
    form = {**WORDS, "do": "publish", "weight": "minor", "based_on": "0", "body-sv": "Mina ord."}
    answer = officer.post("/admin/policy/new", form)
    assert answer.status_code == 409
    assert "Mina ord." in answer.text
    assert count() == 1
    again = Page(answer).forms()[-1].fields
    assert again["based_on"] == "1"


def test_the_same_again_is_not_published(officer: StaffBrowser) -> None:
    publish(officer)
    answer = officer.post("/admin/policy/new", {**WORDS, "do": "publish", "weight": "minor", "based_on": "1"})
    assert answer.status_code == 409
    assert count() == 1


def test_everybody_is_told_after_a_review_step_with_pause_and_progress(
    app: Flask, session: Session, officer: StaffBrowser
) -> None:
    make_recipient(session, locale="sv")
    publish(officer)
    assert "Berätta för alla om version 1?" in officer.get("/admin/policy/1/announce").text
    assert announcement(session, 1) is None
    session.rollback()
    assert officer.post("/admin/policy/1/announce", {"sure": "1"}).location == "/admin/policy/1?done=announced"
    assert officer.post("/admin/policy/1/announce", {"sure": "1"}).location == "/admin/policy/1?done=over"
    officer.post("/admin/policy/1/pause")
    assert "pausat" in officer.get("/admin/policy/1").text
    officer.post("/admin/policy/1/resume")
    assert "Kortare tid." in send_all(app)["anna@example.se"].part("plain")
    page = Page(officer.get("/admin/policy/1"))
    assert "1 av 1" in page.text
    assert "/admin/policy/1/pause" not in page.html
    assert audited(session).count("policy_announced") == 3


def test_what_is_not_there_is_not_found(officer: StaffBrowser) -> None:
    for number in (1, 99999999999):
        assert officer.get(f"/admin/policy/{number}").status_code == 404
        assert officer.get(f"/admin/policy/{number}/announce").status_code == 404
        assert officer.post(f"/admin/policy/{number}/announce").status_code == 404
        assert officer.post(f"/admin/policy/{number}/pause").status_code == 404
