"""Erasing somebody who had asked for it answers the request as done, wherever it is begun; the letter is printed before."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.rights import RightsState
from preferences.domain.roles import Role
from preferences.domain.suppression import SuppressionReason
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.suppression import suppress
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import make_recipient
from tests.support.entered_requests import register
from tests.support.page import Page
from tests.support.rights import requests, send_all
from tests.support.staff import StaffBrowser, audited, signed_in


@pytest.fixture
def anna(session: Session) -> RecipientView:
    """Somebody with a name and an address for letters."""
    profile = {"company_name": "Rör AB", "address": "Storgatan 1\n702 10 Örebro"}
    return make_recipient(session, name="Anna Öberg", profile=profile, locale="sv")


@pytest.fixture
def officer(app: Flask, session: Session) -> StaffBrowser:
    """A privacy officer."""
    return signed_in(app, session, Role.PRIVACY_OFFICER)


def _states(session: Session) -> dict[str, RightsState]:
    found = {row.kind.value: row.state for row in requests(session)}
    session.rollback()
    return found


def _person(anna: RecipientView) -> str:
    return f"/admin/recipients/{format_recipient_id(anna.id)}"


def _stop(session: Session, anna: RecipientView) -> None:
    assert anna.address_index is not None
    bounce = SuppressionReason.HARD_BOUNCE
    suppress(session, address_index=anna.address_index, reason=bounce, source="test", now=datetime.now(UTC))
    session.commit()


def test_what_was_asked_for_is_fulfilled_and_what_else_waits_ends(
    session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    for kind in ("erase", "withdraw_storage", "access"):
        register(officer, kind=kind)
    erase_recipient(session, anna.id, source="api:shop", now=datetime.now(UTC))
    session.commit()
    done, ended = RightsState.FULFILLED, RightsState.WITHDRAWN
    assert _states(session) == {"erase": done, "withdraw_storage": done, "access": ended}


def test_the_button_on_the_persons_page_answers_their_request(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    page = register(officer, kind="erase", text="Radera mig, Anna")
    send_all(app)
    reference = page.rpartition("/")[2]
    assert f"Begäran {reference} besvaras som utförd" in Page(officer.get(f"{_person(anna)}/erase")).text
    answer = officer.post(f"{_person(anna)}/erase", {"reason": "Brev."})
    assert answer.location == f"{_person(anna)}?done=erased-mail"
    assert "besvarad som utförd" in Page(officer.get(answer.location)).text
    mails = send_all(app)
    assert reference in mails["anna@example.se"].part("plain")
    assert _states(session) == {"erase": RightsState.FULFILLED}
    assert audited(session).count("request_answered") == 1
    shown = Page(officer.get(page)).text
    assert "Vad som är raderat" in shown
    assert "Anna" not in shown
    assert officer.post(f"{_person(anna)}/erase", {"reason": "Igen."}).location == f"{_person(anna)}?done=erased"
    assert send_all(app) == {}


def test_where_no_mail_reaches_them_staff_are_told_to_write(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    register(officer, kind="withdraw_storage")
    _stop(session, anna)
    assert "där skrivs brevet ut först" in Page(officer.get(f"{_person(anna)}/erase")).text
    answer = officer.post(f"{_person(anna)}/erase", {"reason": "Brev."})
    assert answer.location == f"{_person(anna)}?done=erased-letter"
    assert "Inget mejl går ut" in Page(officer.get(answer.location)).text
    assert send_all(app) == {}
    assert _states(session) == {"withdraw_storage": RightsState.FULFILLED}


def test_who_had_asked_for_nothing_gets_no_mail(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    register(officer, kind="access")
    send_all(app)
    answer = officer.post(f"{_person(anna)}/erase", {"reason": "Brev."})
    assert answer.location == f"{_person(anna)}?done=erased"
    assert send_all(app) == {}
    assert _states(session) == {"access": RightsState.WITHDRAWN}


def test_one_erasure_answers_both_requests_for_it(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    first = register(officer, kind="erase", identity="confirmed", proof="Legitimerade sig")
    register(officer, kind="withdraw_storage")
    assert officer.post(f"{first}/erase", {"answer": "Det är gjort."}).location == f"{first}?done=erased"
    assert set(_states(session).values()) == {RightsState.FULFILLED}
    assert audited(session).count("request_answered") == 2


def test_the_letter_is_printed_with_the_words_of_staff_before_anything_is_erased(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    page = register(officer, kind="erase", identity="confirmed", proof="Legitimerade sig")
    _stop(session, anna)
    review = Page(officer.get(f"{page}/erase"))
    assert "Skriv ut brevet innan du raderar" in review.text
    actions = [one.get("formaction") for one in review.all("button") if one.get("formaction")]
    assert actions == [f"{page}/erase-letter"]
    assert "Radera för gott" not in review.text
    assert officer.post(f"{page}/erase-letter", {"answer": " "}).status_code == 422
    words = {"answer": "Hej Anna!\nDin pärm är struken <b>."}
    letter = Page(officer.post(f"{page}/erase-letter", words))
    for line in ("Anna Öberg", "Rör AB", "Storgatan 1", "702 10 Örebro", "Din pärm är struken <b>."):
        assert line in letter.text
    assert _states(session) == {"erase": RightsState.OPEN}
    assert audited(session).count("request_seen") >= 2
    answer = officer.post(f"{page}/erase", words | {"by": "letter"})
    assert answer.location == f"{page}?done=erased-letter"
    assert send_all(app) == {}
    afterwards = Page(officer.get(f"{page}/letter")).text
    assert "Det här är standardtexten" in afterwards
    assert "pärm" not in afterwards
    assert requests(session)[0].answer is None


def test_a_letter_can_be_chosen_where_mail_would_reach_them(
    app: Flask, session: Session, officer: StaffBrowser, anna: RecipientView
) -> None:
    page = register(officer, kind="erase", identity="confirmed", proof="Legitimerade sig")
    send_all(app)
    review = Page(officer.get(f"{page}/erase")).text
    assert "Radera för gott och svara" in review
    assert "Med brev i stället: skriv ut det först" in review
    assert officer.post(f"{page}/erase", {"answer": "Klart.", "by": "letter"}).status_code == 303
    assert send_all(app) == {}
    assert officer.post(f"{page}/erase-letter", {"answer": "Klart."}).status_code == 409
    assert officer.post("/admin/requests/R-ABCDEFGH/erase-letter", {"answer": "x"}).status_code == 404
    assert signed_in(app, session, Role.MARKETER, "m@example.com").post(f"{page}/erase-letter").status_code == 403
