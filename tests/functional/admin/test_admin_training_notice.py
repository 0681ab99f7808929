"""The notice before a training from the admin pages: looked at, sent once, followed to each mail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.eligibility import RecipientStatus
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Role
from preferences.domain.suppression import SuppressionReason
from preferences.models.recipient import RecipientRow
from preferences.services.choices.suppression import suppress
from tests.factories import make_recipient, make_recipients
from tests.support.page import Page
from tests.support.staff import StaffBrowser, audited, signed_in
from tests.support.trainings import make_training, sent_mail, tell


@pytest.fixture
def stina(app: Flask, session: Session) -> StaffBrowser:
    """A marketer."""
    return signed_in(app, session, Role.MARKETER)


@pytest.mark.parametrize("sent", [True, False])
def test_whoever_is_taken_off_and_put_back_is_told_once(
    app: Flask, session: Session, stina: StaffBrowser, sent: bool
) -> None:
    anna = make_recipient(session)
    number, other = make_training(session, anna), make_training(session, title="En annan")
    tell(session, number)
    if sent:
        assert len(sent_mail(app)) == 1
    person = {"person": format_recipient_id(anna.id)}
    stina.post(f"/admin/trainings/{number}/participants/remove", person)
    stina.post(f"/admin/trainings/{number}/participants", person)
    assert tell(session, number) == 0
    assert len(sent_mail(app)) == (0 if sent else 1)
    stina.post(f"/admin/trainings/{other}/participants", person)
    assert tell(session, other) == 1


def test_whoever_was_off_the_list_when_mail_was_made_is_told_later(
    app: Flask, session: Session, stina: StaffBrowser
) -> None:
    anna = make_recipient(session)
    number = make_training(session, anna)
    tell(session, number)
    person = {"person": format_recipient_id(anna.id)}
    stina.post(f"/admin/trainings/{number}/participants/remove", person)
    assert sent_mail(app) == []
    stina.post(f"/admin/trainings/{number}/participants", person)
    assert tell(session, number) == 1


def test_the_notice_is_looked_at_sent_and_followed(app: Flask, session: Session, stina: StaffBrowser) -> None:
    now = datetime.now(UTC)
    anna, bounced = make_recipient(session, name="Anna Ek"), make_recipient(session, "studs@example.se")
    blocked, stopped = make_recipient(session, "b@example.se"), make_recipient(session, "s@example.se")
    number = make_training(session, anna, bounced, blocked, stopped)
    for person, reason in ((bounced, SuppressionReason.HARD_BOUNCE), (stopped, SuppressionReason.MANUAL)):
        assert person.address_index is not None
        suppress(session, address_index=person.address_index, reason=reason, source="test", now=now)
    session.execute(update(RecipientRow).where(RecipientRow.id == blocked.id).values(status=RecipientStatus.RESTRICTED))
    session.commit()
    review = Page(stina.get(f"/admin/trainings/{number}/notice"))
    for words in (
        "Skicka till 1 person",
        "Adressen studsar: 1",
        "Uppgifterna är spärrade: 1",
        "Bilder från Säkerhet i vardagen",
    ):
        assert words in review.text
    assert sent_mail(app) == []
    answer = stina.post(f"/admin/trainings/{number}/notice")
    assert answer.location == f"/admin/trainings/{number}?done=told"
    waiting = Page(stina.get(answer.location))
    assert "Informerade: 1 av 4" in waiting.text
    assert "På väg" in waiting.text
    assert len(sent_mail(app)) == 1
    assert "Skickad " in Page(stina.get(f"/admin/trainings/{number}")).text
    again = stina.post(f"/admin/trainings/{number}/notice")
    assert again.location.endswith("?done=nobody")
    assert sent_mail(app) == []
    assert audited(session).count("photo_notice_sent") == 1


def test_the_lines_and_the_service_agree_on_who_is_told(session: Session, stina: StaffBrowser) -> None:
    """What the page counts as not told yet is what the next sending tells."""
    people = make_recipients(session, 3)
    number = make_training(session, make_recipient(session))
    stina.post(
        f"/admin/trainings/{number}/participants", {"who": "\n".join(format_recipient_id(one) for one in people)}
    )
    assert "Skicka till 4 personer" in stina.get(f"/admin/trainings/{number}/notice").text
    assert tell(session, number) == 4


def test_a_mail_that_was_let_go_is_told_with_its_reason(app: Flask, session: Session, stina: StaffBrowser) -> None:
    anna = make_recipient(session)
    number = make_training(session, anna)
    tell(session, number)
    assert anna.address_index is not None
    suppress(
        session,
        address_index=anna.address_index,
        reason=SuppressionReason.HARD_BOUNCE,
        source="test",
        now=datetime.now(UTC),
    )
    session.commit()
    sent_mail(app)
    assert "Kunde inte skickas" in Page(stina.get(f"/admin/trainings/{number}")).text


def test_after_the_training_nobody_is_told(session: Session, stina: StaffBrowser) -> None:
    number = make_training(session, make_recipient(session), days=-2)
    answer = stina.post(f"/admin/trainings/{number}/notice")
    assert answer.location.endswith("?done=over")
    assert "för sent" in stina.get(answer.location).text
