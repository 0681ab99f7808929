"""Mailers in the browser: add one, give it a key, send again what a failed endpoint has not taken, examine a message."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.webhooks import AttemptCode
from preferences.models.endpoint import AttemptRow, DeliveryRow
from preferences.services.rights.restriction import restrict
from tests.factories import link, make_recipient, purpose
from tests.support.webhooks import make_endpoint

from .admin_screens import enter_admin
from .looking import Looker


def test_a_mailer_from_its_first_key_to_its_esp(session: Session, looker: Looker) -> None:
    page = looker.page
    enter_admin(session, looker)
    looker.go("/admin/mailers")
    looker.look("admin-mailers-empty")
    page.locator("#field-name").fill("Nyhetsbrevet")
    page.locator("#field-key").fill("Nyhetsbrev")
    page.locator("main form.card button").click()
    looker.look("admin-mailers-wrong")
    page.locator("#field-key").fill("nyhetsbrev")
    page.locator("main form.card button").click()
    looker.look("admin-mailer-new")
    looker.go("/admin/mailers/nyhetsbrev/keys")
    looker.look("admin-mailer-key")
    page.locator("input[value=links]").check()
    page.locator("main form.card button").click()
    assert (page.locator("code.secret").text_content() or "").startswith("pk_")
    looker.look("admin-mailer-key-shown-once")
    looker.go("/admin/mailers/nyhetsbrev/hooks/sendgrid/set-up")
    looker.look("admin-mailer-esp-form")
    page.locator("#field-scheme").select_option("basic")
    page.locator("main form.card button").click()
    page.locator("main a.button").click()
    looker.look("admin-mailer-esp")


def test_what_a_failed_endpoint_has_not_taken_is_sent_again(session: Session, looker: Looker) -> None:
    page, now = looker.page, datetime.now(UTC)
    made, _ = make_endpoint(session, "https://mailer.example/in", description="Stora listan")
    restrict(session, make_recipient(session).id, locale="sv", now=now)
    session.commit()
    delivery = session.scalars(select(DeliveryRow)).one()
    delivery.attempts, delivery.done_at, delivery.outcome = 10, now, "given_up"  # type: ignore[assignment]
    event_id = delivery.event_id
    tried = {"endpoint_id": made.id, "delivery_id": delivery.id, "event_id": delivery.event_id, "number": 10}
    answered = {"code": AttemptCode.FAILED, "status": 500, "latency_ms": 80, "excerpt": "no anna@example.se here"}
    session.add(AttemptRow(**tried, **answered, attempted_at=now))
    session.commit()
    enter_admin(session, looker)
    looker.go(f"/admin/mailers/newsletter/endpoints/{made.id}")
    looker.look("admin-endpoint")
    page.locator("td form button").click()
    looker.look("admin-endpoint-sent-again")
    session.commit()
    waiting = session.scalars(
        select(DeliveryRow.event_id).where(DeliveryRow.done_at.is_(None), DeliveryRow.attempts == 0)
    )
    assert waiting.all() == [event_id]
    session.commit()
    looker.go("/admin/mailers/newsletter/endpoints")
    page.locator("#field-url").fill("http://10.0.0.1/")
    page.locator("main form.card button").click()
    looker.look("admin-endpoint-wrong")


def test_the_header_doctor_judges_a_message_and_a_link(session: Session, looker: Looker) -> None:
    url = f"{looker.url}/u/{link(make_recipient(session), purpose(session, 'marketing'))}"
    session.commit()
    enter_admin(session, looker)
    looker.go("/admin/header-doctor")
    looker.page.locator("#field-message").fill("From: a@example.se\nSubject: Hej\n\nHej")
    looker.page.locator("#field-url").fill(url)
    looker.page.locator("main form.card button").click()
    looker.look("admin-header-doctor")
