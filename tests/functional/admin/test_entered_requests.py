"""A request that came by letter, telephone or mail is registered, checked, done and answered like any other (GDPR 12)."""

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
from preferences.domain.rights import IdentityState, RequestChannel, RightsState, due_on
from preferences.domain.roles import Role
from preferences.domain.suppression import SuppressionReason
from preferences.models.audit import AuditReasonRow, AuditRow
from preferences.models.ledger import LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.models.rights import RightsRequestRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.suppression import suppress
from tests.factories import act, make_recipient
from tests.support.page import Page
from tests.support.rights import requests, send_all
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.statements import statements

NEW = "/admin/requests/new"
DAY = timedelta(days=1)


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


def letter(**changes: str) -> dict[str, str]:
    """What staff write down of a letter that came three days ago."""
    arrived = (datetime.now(UTC) - 3 * DAY).date().isoformat()
    return {
        "kind": "access",
        "channel": "letter",
        "arrived_on": arrived,
        "known": "yes",
        "who": "anna@example.se",
        "text": "Vad har ni om mig?\nHälsningar Anna",
        "identity": "unchecked",
    } | changes


def register(officer: StaffBrowser, **changes: str) -> str:
    """Register it. Returns its page."""
    answer = officer.post(NEW, letter(sure="1", **changes))
    assert answer.status_code == 303, answer.text
    return str(answer.location).partition("?")[0]


def confirm(officer: StaffBrowser, page: str) -> None:
    """Say that it is them."""
    assert officer.post(f"{page}/identity", {"proof": "Ringde upp på numret vi har"}).status_code == 303


def stored(session: Session) -> RightsRequestRow:
    """The one request."""
    (row,) = requests(session)
    return row


def test_a_letter_becomes_a_request_with_receipt_and_due_date(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    review = officer.post(NEW, letter())
    assert review.status_code == 200
    page = Page(review)
    assert "Anna Öberg" in page.text
    assert "Vad har ni om mig?" in page.text
    assert requests(session) == []
    form = next(one for one in page.forms() if one.path == NEW)
    answer = officer.post(NEW, {name: value for name, value in form.fields.items() if name not in {"csrf", "again"}})
    assert "done=registered" in answer.location
    row = stored(session)
    assert (row.channel, row.entered_by, row.identity) == (
        RequestChannel.LETTER,
        officer.staff.id,
        IdentityState.UNCHECKED,
    )
    assert row.due_on == due_on(row.received_at) == (datetime.now(UTC) + 25 * DAY).date()
    mail = send_all(app)["anna@example.se"].part("plain")
    assert row.reference in mail
    assert "Om du inte har bett oss om detta" in mail
    assert audited(session)[-2:] == ["recipient_seen", "request_registered"]
    queue = officer.get("/admin/requests?channel=letter").text
    assert row.reference in queue
    assert row.reference not in officer.get("/admin/requests?channel=telephone").text
    assert row.reference in officer.get(f"/admin/requests/calendar?month={row.due_on:%Y-%m}").text


def test_the_same_form_twice_is_one_and_another_of_the_kind_is_pointed_out(
    session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    page = register(officer)
    reference = page.rpartition("/")[2]
    warned = officer.post(NEW, letter(sure="1", text="En gång till"))
    assert warned.status_code == 409
    assert reference in warned.text
    assert "En gång till" in warned.text
    assert "registered-before" in officer.post(NEW, letter(sure="1", anyway="1")).location
    assert len(requests(session)) == 1
    assert officer.post(NEW, letter(sure="1", text="En gång till", anyway="1")).status_code == 303
    assert len(requests(session)) == 2
    for number in range(5):
        assert officer.post(NEW, letter(sure="1", text=str(number), anyway="1")).status_code == 303


def test_a_person_who_cannot_be_mailed_is_answered_by_letter(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    suppress(
        session,
        address_index=anna.address_index or b"",
        reason=SuppressionReason.HARD_BOUNCE,
        source="test",
        now=datetime.now(UTC),
        recipient_id=anna.id,
    )
    session.commit()
    page = register(officer, kind="other")
    assert "Bekräfta det i ett brev" in officer.get(f"{page}?done=registered-letter").text
    receipt = Page(officer.get(f"{page}/letter"))
    assert "Anna Öberg" in receipt.text
    assert "Vi har tagit emot ditt ärende" in receipt.text
    answer = officer.post(f"{page}/answer", {"answer": "Så här är det.", "outcome": "refused", "ground": "excessive"})
    assert "answered-letter" in answer.location
    assert send_all(app) == {}
    printed = Page(officer.get(f"{page}/letter")).text
    assert "Så här är det." in printed
    assert "gå till domstol" in printed
    assert officer.post(f"{page}/posted").status_code == 303
    history = Page(officer.get(page)).text
    assert "Skickade ett brev" in history
    assert "Överdriven" in history


def test_somebody_who_is_not_known_is_answered_where_they_wrote_from(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    known = {"known": "no", "name": "Bo Ek", "email": "Bo@Example.se", "channel": "mail"}
    page = register(officer, **known)
    assert "registered-before" in officer.post(NEW, letter(sure="1", **known)).location
    receipt = send_all(app)["Bo@Example.se"].part("plain")
    assert page.rpartition("/")[2] in receipt
    assert "/p/" not in receipt
    shown = Page(officer.get(page))
    assert "Bo Ek" in shown.text
    assert "Vi lagrar inget om dig" in shown.text
    assert f"{page}/copy-link" not in shown.html
    officer.post(f"{page}/answer", {"answer": "Vi lagrar inget om dig.", "outcome": "fulfilled"})
    assert "Vi lagrar inget om dig." in send_all(app)["Bo@Example.se"].part("plain")
    other = register(officer, known="no", name="A", post="Gatan 1\n123 45 Orten", text="Vem är jag?")
    assert officer.post(f"{other}/person", {"who": "nobody@example.se"}).status_code == 422
    assert officer.post(f"{other}/person", {"who": "anna@example.se"}).status_code == 303
    row = requests(session)[1]
    assert (row.recipient_id, row.contact, row.identity) == (anna.id, None, IdentityState.UNCHECKED)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"arrived_on": (datetime.now(UTC) + 3 * DAY).date().isoformat()}, "arrived_on"),
        ({"arrived_on": "1999-01-01"}, "arrived_on"),
        ({"arrived_on": "i går"}, "arrived_on"),
        ({"arrived_on": "9999-12-31"}, "arrived_on"),
        ({"kind": "everything"}, "kind"),
        ({"channel": "page"}, "channel"),
        ({"text": "\x00 "}, "text"),
        ({"text": "x" * 2001}, "text"),
        ({"locale": "xx"}, "locale"),
        ({"identity": "confirmed"}, "proof"),
        ({"who": ""}, "who"),
        ({"who": "anna"}, "who"),
        ({"who": "0000000000001"}, "who"),
        ({"known": "no"}, "email"),
        ({"known": "no", "email": "inte en adress"}, "email"),
        ({"known": "no", "email": "ANNA@example.se"}, "email"),
        ({"known": "no", "post": "x" * 501}, "post"),
    ],
)
def test_what_cannot_be_registered_says_why_and_keeps_every_word(
    session: Session, officer: StaffBrowser, anna: RecipientView, changes: dict[str, str], field: str
) -> None:
    answer = officer.post(NEW, letter(sure="1", anyway="1", **changes))
    assert answer.status_code == 422
    assert f'href="#field-{field}"' in answer.text
    assert "<title>Fel:" in answer.text
    if field != "text":
        assert "Vad har ni om mig?" in answer.text
    assert requests(session) == []


def test_nothing_is_given_out_corrected_or_erased_before_somebody_checked_who_asks(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    for kind in ("access", "export", "erase", "withdraw_storage", "correct"):
        page = register(officer, kind=kind, anyway="1")
        for action, form in (
            ("copy-link", {}),
            ("answer", {"answer": "Klart.", "outcome": "fulfilled"}),
            ("erase", {"answer": "Klart."}),
        ):
            if action == "erase" and kind not in {"erase", "withdraw_storage"}:
                continue
            if action == "copy-link" and kind not in {"access", "export"}:
                continue
            refused = officer.post(f"{page}/{action}", form)
            assert refused.status_code == 409, (kind, action)
            assert form.get("answer", "") in refused.text
        for path in ("copy.json", "copy.html"):
            if kind == "access":
                assert officer.get(f"{page}/{path}").status_code == 409
    assert {one.state for one in requests(session)} == {RightsState.OPEN}
    assert session.get_one(RecipientRow, anna.id).status is RecipientStatus.ACTIVE
    session.rollback()
    assert officer.post(f"{page}/identity", {"proof": " "}).status_code == 422
    assert officer.post(f"{page}/identity", {"proof": "x" * 501}).status_code == 422
    confirm(officer, page)
    assert "Ringde upp på numret vi har" in officer.get(page).text
    officer.post(f"{page}/identity", {"proof": "Fel nummer", "doubt": "1"})
    assert requests(session)[-1].identity is IdentityState.UNCHECKED


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
