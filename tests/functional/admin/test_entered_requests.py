"""A request that came by letter, telephone or mail is registered and checked like any other (GDPR 12)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.rights import IdentityState, RequestChannel, RightsState, due_on
from preferences.domain.roles import Role
from preferences.domain.suppression import SuppressionReason
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.suppression import suppress
from tests.factories import act, make_recipient
from tests.support.entered_requests import DAY, NEW, confirm, letter, register, stored
from tests.support.page import Page
from tests.support.rights import requests, send_all
from tests.support.staff import StaffBrowser, audited, signed_in


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
