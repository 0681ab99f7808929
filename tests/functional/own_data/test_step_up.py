"""Step-up: the mailbox is asked, once, and what it answers opens own data for half an hour (T11, L6)."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.capability import Capability
from preferences.domain.eligibility import RecipientStatus
from preferences.models.ledger import LedgerEntryRow
from preferences.models.step_up import StepUpRow
from tests.factories import link, make_recipient
from tests.support.client import StrictClient
from tests.support.step_up import SteppedUp, ask, browser, newest_mail, open_own_data, step_up


def test_asking_mails_a_link_and_a_code_to_the_address_on_file(
    app: Flask, session: Session, client: StrictClient
) -> None:
    anna = make_recipient(session)
    token = link(anna, capability=Capability.PREFERENCES)
    answer = client.post(f"/p/{token}/step-up", data={"email": "thief@example.com", "address": "thief@example.com"})
    assert (answer.status_code, answer.location) == (303, f"/s/{token}/code")
    mail = newest_mail(app)
    assert mail.message["To"] == "anna@example.se"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"https://preferences\.example/s/[A-Za-z0-9_.-]{51}", mail.link)
    assert re.fullmatch(r"[0-9]{6}", mail.code)


def test_the_link_shows_a_button_and_changes_nothing(app: Flask, session: Session, client: StrictClient) -> None:
    anna = make_recipient(session)
    mail = ask(app, anna)
    for method in ("GET", "HEAD", "GET"):
        answer = client.open(mail.path, method=method)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    row = session.scalars(select(StepUpRow)).one()
    assert (row.opened_at, row.attempts) == (None, 0)


def test_the_button_opens_own_data(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    me = browser(app)
    answer = me.post(ask(app, anna).path, data={"open": "1"})
    assert (answer.status_code, answer.location) == (303, "/me")
    cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/me"):
        assert part in cookie
    assert "Max-Age" not in cookie
    page = me.get("/me")
    assert page.status_code == 200
    assert "anna@example.se" in page.text


@pytest.mark.parametrize("data", [{}, {"open": "yes"}, {"List-Unsubscribe": "One-Click"}])
def test_a_post_that_is_not_our_button_opens_nothing(
    app: Flask, session: Session, client: StrictClient, data: dict[str, str]
) -> None:
    mail = ask(app, make_recipient(session))
    answer = client.post(mail.path, data=data)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert session.scalars(select(StepUpRow.opened_at)).one() is None


def test_a_post_from_another_site_opens_nothing(app: Flask, session: Session, client: StrictClient) -> None:
    mail = ask(app, make_recipient(session))
    answer = client.post(mail.path, data={"open": "1"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert "Set-Cookie" not in answer.headers


def test_a_link_opens_once_and_then_offers_a_new_one(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    mail = ask(app, anna)
    assert browser(app).post(mail.path, data={"open": "1"}).status_code == 303
    thief = browser(app)
    again = thief.post(mail.path, data={"open": "1"})
    assert again.status_code == 200
    assert "Set-Cookie" not in again.headers
    assert "redan använts" in again.text
    assert thief.get("/me").status_code == 303
    sent = thief.post(f"{mail.path}/again")
    assert sent.location == f"{mail.path}/code"
    assert newest_mail(app).link != mail.link


def test_link_and_code_end_together(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    mail = ask(app, anna)
    assert browser(app).post(mail.path, data={"open": "1"}).status_code == 303
    assert browser(app).post(f"/s/{mail.asked_from}/code", data={"code": mail.code}).status_code == 422


@pytest.mark.parametrize("spelling", ["{}", " {} ", "{0:.3} {1}", "{0:.3}-{1}", "\u00a0{}\n"])
def test_the_code_opens_own_data_however_it_is_pasted(app: Flask, session: Session, spelling: str) -> None:
    mail = ask(app, make_recipient(session))
    typed = spelling.format(mail.code, mail.code[3:])
    answer = browser(app).post(f"/s/{mail.asked_from}/code", data={"code": typed})
    assert (answer.status_code, answer.location) == (303, "/me")


def test_the_field_for_the_code_can_be_filled_by_the_browser(
    app: Flask, session: Session, client: StrictClient
) -> None:
    token = link(make_recipient(session), capability=Capability.PREFERENCES)
    page = client.get(f"/s/{token}/code").text
    for part in ('inputmode="numeric"', 'autocomplete="one-time-code"', 'name="code"'):
        assert part in page
    assert "anna@example.se" not in page


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_the_fifth_wrong_code_ends_the_request(app: Flask, session: Session, client: StrictClient) -> None:
    mail = ask(app, make_recipient(session))
    path = f"/s/{mail.asked_from}/code"
    for number in range(5):
        answer = client.post(path, data={"code": _wrong(mail.code)})
        assert answer.status_code == 422
        assert ("nyaste" in answer.text) is True, number
        assert "<title>\n  Fel:" in answer.text or "<title>Fel:" in answer.text
    assert session.scalars(select(StepUpRow.attempts)).one() == 5
    session.rollback()
    assert "Set-Cookie" not in client.post(path, data={"code": mail.code}).headers
    assert "Set-Cookie" not in client.post(mail.path, data={"open": "1"}).headers
    assert "För många felaktiga koder" in client.get(mail.path).text


@pytest.mark.parametrize(
    "typed", ["", "  ", "12345", "1234567", "abcdef", "<script>", "１２３４５", "9" * 5000, "\x00", "'; --"]
)
def test_what_cannot_be_a_code_is_refused_and_not_counted(
    app: Flask, session: Session, client: StrictClient, typed: str
) -> None:
    mail = ask(app, make_recipient(session))
    answer = client.post(f"/s/{mail.asked_from}/code", data={"code": typed})
    assert answer.status_code == 422
    assert "<script>" not in answer.text
    assert session.scalars(select(StepUpRow.attempts)).one() == 0


def test_a_missing_code_field_is_an_empty_code(app: Flask, session: Session, client: StrictClient) -> None:
    mail = ask(app, make_recipient(session))
    assert client.post(f"/s/{mail.asked_from}/code").status_code == 422


def test_a_persons_code_opens_nobody_elses_data(app: Flask, session: Session, client: StrictClient) -> None:
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    of_bo = ask(app, bo)
    ask(app, anna)
    answer = client.post(f"/s/{link(anna, capability=Capability.PREFERENCES)}/code", data={"code": of_bo.code})
    assert "Set-Cookie" not in answer.headers


def test_a_restricted_person_can_still_step_up(app: Flask, session: Session) -> None:
    anna = make_recipient(session, status=RecipientStatus.RESTRICTED)
    assert step_up(app, anna).client.get("/me").status_code == 200


@pytest.mark.parametrize(
    "mangle", [lambda t: t[:-1], lambda t: t + "A", lambda t: "A" + t[1:], lambda t: "x", lambda t: "%00"]
)
def test_a_token_that_is_not_ours_leads_to_a_page_that_helps(
    app: Flask, session: Session, client: StrictClient, mangle: object
) -> None:
    anna = make_recipient(session)
    mail = ask(app, anna)
    bad = mangle(mail.path.rpartition("/")[2])  # type: ignore[operator]
    for method, path in (
        ("GET", f"/s/{bad}"),
        ("POST", f"/s/{bad}"),
        ("POST", f"/s/{bad}/again"),
        ("POST", f"/p/{bad}/step-up"),
    ):
        answer = client.open(path, method=method, data={"open": "1"} if method == "POST" else None)
        assert answer.status_code == 404
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("capability", [one for one in Capability if one is not Capability.STEP_UP])
def test_no_other_link_opens_own_data(
    session: Session, client: StrictClient, capability: Capability, app: Flask
) -> None:
    anna = make_recipient(session)
    ask(app, anna)
    number = session.scalars(select(StepUpRow.id)).one()
    token = link(anna, capability=capability, reference=number)
    answer = client.post(f"/s/{token}", data={"open": "1"})
    assert answer.status_code == 404
    assert "Set-Cookie" not in answer.headers


def test_a_signed_link_to_another_persons_request_opens_nothing(
    app: Flask, session: Session, client: StrictClient
) -> None:
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    ask(app, anna)
    number = session.scalars(select(StepUpRow.id)).one()
    session.rollback()
    token = link(bo, capability=Capability.STEP_UP, reference=number)
    assert "Set-Cookie" not in client.post(f"/s/{token}", data={"open": "1"}).headers


def test_the_mail_speaks_the_language_of_the_page(app: Flask, session: Session, client: StrictClient) -> None:
    anna = make_recipient(session, locale="en")
    mail = ask(app, anna)
    assert mail.message["Subject"] == "Your link and code to what we know about you"
    assert (
        "Vad vi vet" in client.get(f"{mail.path}?lang=sv").text
        or 'lang="sv"' in client.get(f"{mail.path}?lang=sv").text
    )
    assert "Open what we know about you" in client.get(mail.path).text


def test_stepping_up_writes_nothing_into_the_ledger(app: Flask, session: Session) -> None:
    opened = open_own_data(app, session)
    assert isinstance(opened, SteppedUp)
    assert opened.client.get("/me").status_code == 200
    assert session.scalar(select(func.count()).select_from(LedgerEntryRow)) == 0
