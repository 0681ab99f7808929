"""«Why did I get this?»: what was recorded when the link in the mail was made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import Capability
from preferences.domain.purpose import LawfulBasis
from preferences.models.step_up import StepUpRow
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.outbox.messages import number_message
from tests.factories import act, link, make_key, make_recipient, purpose
from tests.support.step_up import SteppedUp, ask, browser, step_up

BEFORE = timedelta(days=10)


def _message(session: Session) -> int:
    make_key(session)
    mailer = mailer_by_key(session, "newsletter")
    assert mailer is not None
    number = number_message(session, mailer.id, "november-2026", now=datetime.now(UTC))
    session.commit()
    return number


def _anna(session: Session, **fields: str) -> RecipientView:
    return make_recipient(session, locale="en", **fields)


def _ask(me: SteppedUp, link: str) -> str:
    answer = me.post("/me/why", {"link": link}, page="/me/why")
    assert answer.status_code == 303
    page = me.client.get(answer.location)
    assert page.status_code == 200
    return page.text


def test_the_link_that_led_here_is_explained(app: Flask, session: Session) -> None:
    anna, message = _anna(session), _message(session)
    act(session, anna, "surveys", Act.GIVEN, basis=LawfulBasis.CONSENT)
    token = link(anna, purpose(session, "surveys"), Capability.PREFERENCES, reference=message)
    mail = ask(app, anna, token=token)
    client = browser(app)
    client.post(mail.path, data={"open": "1"})
    assert "You came from the message “november-2026”, sent by Newsletter." in client.get("/me").text
    page = client.get("/me/why").text
    for words in ("november-2026", "Newsletter", "Feedback surveys", "Your consent", "since ", "version 1"):
        assert words in page
    assert "should not have been sent" not in page


def test_any_link_from_a_mail_can_be_pasted(app: Flask, session: Session) -> None:
    anna, message = _anna(session), _message(session)
    token = link(anna, purpose(session, "events"), reference=message)
    me = step_up(app, anna)
    for pasted in (
        f"https://preferences.example/u/{token}",
        f"  https://preferences.example/u/{token}?lang=sv ",
        f"<https://preferences.example/u/{token}>",
        str(token),
    ):
        page = _ask(me, pasted)
        assert "november-2026" in page
        assert "Our legitimate interest, as long as you do not object" in page


def test_what_counts_is_what_was_recorded_when_the_link_was_made(app: Flask, session: Session) -> None:
    anna, now = _anna(session), datetime.now(UTC)
    surveys = purpose(session, "surveys")
    with time_machine.travel(now - 2 * BEFORE):
        early = link(anna, surveys)
    with time_machine.travel(now - BEFORE):
        act(session, anna, "surveys", Act.GIVEN, basis=LawfulBasis.CONSENT)
        between = link(anna, surveys, issued_at=datetime.now(UTC) + timedelta(days=1))
    act(session, anna, "surveys", Act.WITHDRAWN)
    late = link(anna, surveys, issued_at=now + timedelta(minutes=5))
    me = step_up(app, anna)
    assert "should not have been sent: you had not said yes" in _ask(me, early)
    assert "Your consent" in _ask(me, between)
    assert "should not have been sent: you had withdrawn your consent" in _ask(me, late)


def test_a_link_about_everything_says_that_it_cannot_tell(app: Flask, session: Session) -> None:
    anna = _anna(session)
    page = _ask(step_up(app, anna), link(anna, capability=Capability.PREFERENCES))
    assert "it does not tell why the email was sent" in page


def test_a_topic_is_told_with_its_purpose(app: Flask, session: Session) -> None:
    anna = _anna(session)
    act(session, anna, "marketing", Act.GIVEN, basis=LawfulBasis.CONSENT)
    page = _ask(step_up(app, anna), link(anna, purpose(session, "product_news")))
    assert "News and offers: Product news" in page


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "Paste a link from the email."),
        ("hello", "There is no complete link of ours"),
        ("https://example.com/u/abc", "There is no complete link of ours"),
        ("<script>alert(1)</script>", "There is no complete link of ours"),
        ("x" * 30_000, "There is no complete link of ours"),
        ("A" * 28 + "." + "B" * 22, "does not belong to your address"),
    ],
)
def test_what_is_no_link_of_this_person_gets_a_clear_answer(
    app: Flask, session: Session, pasted: str, said: str
) -> None:
    answer = step_up(app, _anna(session)).post("/me/why", {"link": pasted}, page="/me/why")
    assert answer.status_code == 422
    assert said in answer.text
    assert "<title>Error: " in answer.text
    assert "<script>" not in answer.text


def test_another_persons_link_is_not_explained(app: Flask, session: Session) -> None:
    me, bo = step_up(app, _anna(session)), make_recipient(session, "bo@example.se")
    token = link(bo, purpose(session, "events"), reference=_message(session))
    assert me.post("/me/why", {"link": token}, page="/me/why").status_code == 422
    answer = me.client.get(f"/me/why/{token}")
    assert answer.status_code == 404
    assert "november-2026" not in answer.text


@pytest.mark.parametrize("capability", [Capability.CONFIRM, Capability.STEP_UP, Capability.UNDO, Capability.RECEIPT])
def test_links_that_no_mailing_holds_are_not_explained(app: Flask, session: Session, capability: Capability) -> None:
    anna = _anna(session)
    token = link(anna, purpose(session, "events"), capability)
    assert step_up(app, anna).client.get(f"/me/why/{token}").status_code == 404


def test_asking_again_from_a_used_link_names_no_message(app: Flask, session: Session) -> None:
    anna = _anna(session)
    mail = ask(app, anna)
    browser(app).post(mail.path, data={"open": "1"})
    browser(app).post(f"{mail.path}/again")
    newest = session.scalars(select(StepUpRow).order_by(StepUpRow.id.desc())).first()
    assert newest is not None
    assert (newest.link_purpose_id, newest.link_message_id, newest.link_issued_at) == (0, 0, None)
