"""A request is done from its page by the same services as people's own pages, and answered (GDPR 12, 15-21)."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.rights import RightsState
from preferences.domain.roles import Role
from preferences.models.audit import AuditReasonRow, AuditRow
from preferences.models.ledger import LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import RecipientView
from tests.factories import act, make_recipient
from tests.support.entered_requests import confirm, register, stored
from tests.support.page import Page
from tests.support.rights import requests, send_all
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.statements import statements


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody with a name, a company and a choice."""
    found = make_recipient(session, name="Anna Öberg", profile={"company_name": "Rör AB"}, locale="sv")
    act(session, found, "marketing", Act.GIVEN, evidence={"source": "mässan"})
    session.commit()
    return found


@pytest.fixture
def officer(app: Flask, session: Session) -> StaffBrowser:
    """A privacy officer."""
    return signed_in(app, session, Role.PRIVACY_OFFICER)


def test_access_by_mail_and_by_letter_is_the_persons_own_copy(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    page = register(officer)
    confirm(officer, page)
    assert officer.post(f"{page}/copy-link").location == f"{page}?done=copy-mailed"
    mail = send_all(app)["anna@example.se"]
    assert "/p/" in mail.part("plain")
    copy = json.loads(officer.get(f"{page}/copy.json").text)
    assert copy["recipient"]["address"] == "anna@example.se"
    assert copy["rights_requests"][0]["identity_proof"] == "Ringde upp på numret vi har"
    assert copy["history"][0]["evidence"] == {"source": "mässan"}
    printed = officer.get(f"{page}/copy.html")
    assert "Anna Öberg" in printed.text
    assert "/me/sign-out" not in printed.text
    shown = Page(officer.get(page)).text
    assert "Vi har mejlat dig vägen dit" in shown
    assert audited(session).count("data_exported") == 2
    officer.post(f"{page}/answer", {"answer": "Se länken.", "outcome": "fulfilled"})
    assert stored(session).state is RightsState.FULFILLED
    assert officer.post(f"{page}/copy-link").status_code == 409


def test_erasure_answers_in_the_last_mail_and_keeps_the_minimal_proof(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    page = register(officer, kind="erase", text="Radera mig, Anna")
    confirm(officer, page)
    review = Page(officer.get(f"{page}/erase"))
    assert "Anna Öberg" in review.text
    assert officer.post(f"{page}/erase", {"answer": " "}).status_code == 422
    answer = officer.post(f"{page}/erase", {"answer": "Det är gjort, Anna."})
    assert answer.location == f"{page}?done=erased"
    mail = send_all(app)["anna@example.se"].part("plain")
    assert "Det är gjort, Anna." in mail
    assert page.rpartition("/")[2] in mail
    row = stored(session)
    assert (row.state, row.details, row.answer, row.identity_proof) == (RightsState.FULFILLED, None, None, None)
    assert session.get_one(RecipientRow, anna.id).status is RecipientStatus.ERASED
    reasons = session.scalars(select(AuditReasonRow.reason)).all()
    assert not any("Anna" in one for one in reasons)
    session.rollback()
    shown = Page(officer.get(page)).text
    assert "Anna" not in shown
    assert "anna@" not in shown
    assert "Vad som är raderat" in shown
    assert "Det är gjort" in Page(officer.get(f"{page}/letter")).text
    assert officer.post(f"{page}/erase", {"answer": "Igen."}).status_code == 409
    assert send_all(app) == {}


def test_a_correction_by_letter_is_noted_looked_at_and_written(
    session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    page = register(officer, kind="correct", text="Bolaget heter Rör & Värme AB")
    confirm(officer, page)
    wanted = {"new-name": "Anna Öberg", "new-company_name": "Rör & Värme AB"}
    assert officer.post(f"{page}/wanted", {"new-name": "Anna Öberg"}).status_code == 422
    too_long = officer.post(f"{page}/wanted", wanted | {"new-name": "N" * 5000})
    assert too_long.status_code == 422
    assert "N" * 5000 in too_long.text
    assert officer.post(f"{page}/apply").status_code == 422
    assert officer.post(f"{page}/wanted", wanted).location == f"{page}?done=noted"
    assert (stored(session).details or {})["wanted"] == {"company_name": "Rör & Värme AB"}
    assert officer.post(f"{page}/apply").location == f"{page}?done=written"
    assert (session.get_one(RecipientRow, anna.id).profile or {})["company_name"] == "Rör & Värme AB"
    session.rollback()
    assert "Vi har rättat" in Page(officer.get(page)).text


def test_block_and_objection_are_done_by_the_same_services(
    session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    page = register(officer, kind="restrict", channel="telephone")
    assert officer.post(f"{page}/block").status_code == 303
    assert session.get_one(RecipientRow, anna.id).status is RecipientStatus.RESTRICTED
    assert len(requests(session)) == 1
    session.rollback()
    other = register(officer, kind="object", text="Inga bilder, inga inbjudningar")
    for chosen in ([], ["nothing", "x" * 3000]):
        refused = officer.post(f"{other}/objection", {"purposes": chosen})
        assert refused.status_code == 422
    chosen = ["events", "photo_image"]
    assert officer.post(f"{other}/objection", {"purposes": chosen}).location == f"{other}?done=objected"
    assert officer.post(f"{other}/objection", {"purposes": chosen}).location == f"{other}?done=objected-nothing"
    entries = session.scalars(select(LedgerEntryRow).order_by(LedgerEntryRow.id.desc()).limit(2)).all()
    assert {(one.act, one.actor) for one in entries} == {(Act.OBJECTED, Actor.STAFF)}
    assert {one.occurred_at for one in entries} == {requests(session)[1].received_at}
    session.rollback()
    assert "Vi har antecknat din invändning" in Page(officer.get(other)).text


def test_two_people_with_the_same_request_lose_no_work(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    page = register(officer, kind="other")
    bo = signed_in(app, session, Role.PRIVACY_OFFICER, "bo@example.com")
    forms = [(one, {"answer": f"Svar av {one.staff.address}", "outcome": "fulfilled"}) for one in (officer, bo)]
    statuses = [one.post(f"{page}/answer", form).status_code for one, form in forms]
    assert statuses == [303, 409]
    late = bo.post(f"{page}/answer", forms[1][1]).text
    assert "Svar av bo@example.com" in late
    assert "Svar av stina@example.se" in late
    for action, form in (("extend", {"until": "2099-01-01", "reason": "Arkivet"}), ("identity", {"proof": "Ringde"})):
        kept = bo.post(f"{page}/{action}", form)
        assert kept.status_code == 409
        assert {"extend": "Arkivet", "identity": "Ringde"}[action] in kept.text


def test_a_refusal_gives_its_ground_and_a_text_is_proposed_under_what_was_written(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    page = register(officer, kind="other", locale="en")
    drafted = officer.post(
        f"{page}/answer", {"answer": "Dear Anna,", "ground": "manifestly_unfounded", "outcome": "refused", "draft": "1"}
    )
    area = next(one.text or "" for one in Page(drafted).all("textarea") if one.get("name") == "answer")
    assert area.strip().startswith("Dear Anna,\n\nWe do not do what you asked for")
    assert stored(session).state is RightsState.OPEN
    for ground in ("", "because", "x" * 3000):
        form = {"answer": area, "outcome": "refused", "ground": ground}
        assert officer.post(f"{page}/answer", form).status_code == 422
    form = {"answer": area, "outcome": "refused", "ground": "manifestly_unfounded"}
    assert officer.post(f"{page}/answer", form).status_code == 303
    assert "and go to court" in send_all(app)["anna@example.se"].part("plain")
    entry = session.scalars(select(AuditRow).where(AuditRow.action == "request_answered")).one()
    assert entry.data == {"outcome": "refused", "by": "mail", "ground": "manifestly_unfounded"}
    session.rollback()


def test_roles_and_forged_ids(app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView) -> None:
    page = register(officer, kind="erase", identity="confirmed", proof="Legitimerade sig")
    marketer = signed_in(app, session, Role.MARKETER, "m@example.com")
    for path in ("", "/letter", "/copy.json", "/erase"):
        assert marketer.get(page + path).status_code == 403
    for reference in ("R-ABCDEFGH", "x", "%00", "1"):
        for path in ("/letter", "/copy.json", "/copy.html", "/erase"):
            assert officer.get(f"/admin/requests/{reference}{path}").status_code == 404
        for path in ("identity", "person", "copy-link", "wanted", "apply", "block", "objection", "posted", "erase"):
            assert officer.post(f"/admin/requests/{reference}/{path}", {"answer": "x"}).status_code == 404
    tired = signed_in(app, session, Role.PRIVACY_OFFICER, "t@example.com", at=datetime.now(UTC) - timedelta(minutes=40))
    for path in ("/copy.json", "/erase"):
        assert "/admin/confirm" in tired.get(page + path).location
    assert "/admin/confirm" in tired.post(f"{page}/erase", {"answer": "Klart."}).location
    assert stored(session).state is RightsState.OPEN


def test_pages_ask_a_bounded_number_of_questions(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    """But for the purposes, which are kept for three seconds."""
    page = register(officer, kind="object")
    counts: dict[str, Any] = {}
    for number in range(2):
        for path in (page, "/admin/requests", "/admin/requests/calendar", f"{page}/letter"):
            with statements(app) as seen:
                assert officer.get(path).status_code == 200
            asked = [one for one in seen if not re.search("^(BEGIN|PRAGMA)|purposes|notice_", one)]
            counts.setdefault(path, []).append(len(asked))
        if not number:
            for text in "abcdef":
                register(officer, kind="object", text=text, anyway="1")
            for _ in range(4):
                officer.post(f"{page}/posted")
    assert all(first == second for first, second in counts.values()), counts
    assert counts[page][0] <= 14, counts
    assert counts["/admin/requests"][0] <= 4, counts
