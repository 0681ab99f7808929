"""The service's own mails: confirmations and fresh links; no promotion, no list headers, to nobody who is gone."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask, current_app
from sqlalchemy import update
from sqlalchemy.orm import Session

from app import create_app
from preferences.domain.acts import Act
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.purpose import LawfulBasis
from preferences.domain.suppression import SuppressionReason
from preferences.integrations.mail_text import render_mail
from preferences.models.ledger import ConfirmationRow
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.confirmations import Asked, ask_to_turn_on
from preferences.services.choices.suppression import suppress
from preferences.services.outbox.outbox import enqueue_mail
from preferences.web.theme import contrast
from preferences.worker import Worker
from tests.conftest import settings_environment
from tests.factories import make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.mailing import jobs, received


@pytest.fixture
def sent(app: Flask) -> list[str]:
    """Ids of what lay in the mailbox before the test."""
    return [one.id for one in received(app)]


def new_mail(app: Flask, sent: list[str]) -> list[EmailMessage]:
    Worker().run_until_idle()
    return [one.parsed for one in received(app) if one.id not in sent]


def bodies(mail: EmailMessage) -> tuple[str, str]:
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def ask(session: Session, recipient: RecipientView, now: datetime, locale: str = "sv") -> int:
    asked = [Asked(purpose(session, key), Act.GIVEN, LawfulBasis.CONSENT) for key in ("surveys", "product_news")]
    confirmation_id = ask_to_turn_on(session, recipient.id, asked, locale=locale, now=now)
    session.commit()
    assert confirmation_id is not None
    return confirmation_id


def ask_for_link(session: Session, recipient: RecipientView, now: datetime, locale: str = "sv") -> None:
    enqueue_mail(session, "fresh_link", recipient_id=recipient.id, parameters={"locale": locale}, now=now)
    session.commit()


def test_a_confirmation_names_what_was_asked_for_and_its_link_opens(
    app: Flask, session: Session, client: StrictClient, now: datetime, sent: list[str]
) -> None:
    ask(session, make_recipient(session, name="Anna"), now)
    (mail,) = new_mail(app, sent)
    assert mail["Subject"] == "Bekräfta ditt val"
    text, html = bodies(mail)
    (path,) = set(re.findall(r"https://preferences\.example(/c/[\w.-]{51})", text))
    assert path in html
    for title in ("Enkäter", "Produktnyheter"):
        assert title in text
        assert title in html


@pytest.mark.parametrize(("locale", "subject"), [("sv", "Din länk till dina val"), ("en", "Your link to your choices")])
def test_a_fresh_link_speaks_the_language_asked_for(
    app: Flask, session: Session, client: StrictClient, now: datetime, sent: list[str], locale: str, subject: str
) -> None:
    ask_for_link(session, make_recipient(session), now, locale)
    (mail,) = new_mail(app, sent)
    assert mail["Subject"] == subject
    text, html = bodies(mail)
    (path,) = set(re.findall(r"https://preferences\.example(/p/[\w.-]{51})", text))
    assert path in html
    assert client.get(path).status_code == 200


def test_own_mail_is_automatic_and_belongs_to_no_list(
    app: Flask, session: Session, now: datetime, sent: list[str]
) -> None:
    ask_for_link(session, make_recipient(session), now)
    (mail,) = new_mail(app, sent)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@example.com>")
    assert mail["Date"] is not None
    assert mail["Reply-To"] == "privacy@example.com"
    assert mail["List-Unsubscribe"] is None
    assert mail["To"].addresses[0].addr_spec == "anna@example.se"


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        (SuppressionReason.HARD_BOUNCE, "dropped: suppressed_hard_bounce"),
        (SuppressionReason.MANUAL, "dropped: suppressed_manual"),
        (SuppressionReason.COMPLAINT, "sent"),
        (SuppressionReason.GLOBAL_STOP, "sent"),
    ],
)
def test_t20_only_what_stops_every_message_stops_a_mail_the_person_asked_for(
    app: Flask, session: Session, now: datetime, sent: list[str], reason: SuppressionReason, outcome: str
) -> None:
    anna = make_recipient(session)
    assert anna.address_index is not None
    suppress(session, address_index=anna.address_index, reason=reason, source="test", now=now)
    ask_for_link(session, anna, now)
    assert len(new_mail(app, sent)) == (outcome == "sent")
    assert jobs(session)[-1].outcome == outcome


def test_nothing_goes_to_somebody_who_was_erased_after_asking(
    app: Flask, session: Session, now: datetime, sent: list[str]
) -> None:
    anna = make_recipient(session)
    ask_for_link(session, anna, now)
    session.execute(
        update(RecipientRow)
        .where(RecipientRow.id == anna.id)
        .values(status=RecipientStatus.ERASED, address=None, address_index=None, domain_index=None, erased_at=now)
    )
    session.commit()
    assert new_mail(app, sent) == []
    assert jobs(session)[-1].outcome == "dropped: erased"


def test_nothing_goes_to_somebody_restricted(app: Flask, session: Session, now: datetime, sent: list[str]) -> None:
    ask_for_link(session, make_recipient(session, status=RecipientStatus.RESTRICTED), now)
    assert new_mail(app, sent) == []
    assert jobs(session)[-1].outcome == "dropped: restricted"


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"cancelled_at": 0}, "dropped: confirmation_cancelled"),
        ({"confirmed_at": 0}, "dropped: confirmation_done"),
        ({"expires_at": -1}, "dropped: confirmation_expired"),
    ],
)
def test_a_confirmation_that_is_over_is_not_mailed(
    app: Flask, session: Session, now: datetime, sent: list[str], change: dict[str, int], outcome: str
) -> None:
    confirmation_id = ask(session, make_recipient(session), now)
    values = {name: now + timedelta(days=days) for name, days in change.items()}
    session.execute(update(ConfirmationRow).where(ConfirmationRow.id == confirmation_id).values(**values))
    session.commit()
    assert new_mail(app, sent) == []
    assert jobs(session)[-1].outcome == outcome


def test_an_unknown_template_or_recipient_is_dropped(
    app: Flask, session: Session, now: datetime, sent: list[str]
) -> None:
    anna = make_recipient(session)
    enqueue_mail(session, "../../etc/passwd", recipient_id=anna.id, parameters={}, now=now)
    enqueue_mail(session, "fresh_link", recipient_id=type(anna.id)(4711), parameters={}, now=now)
    session.commit()
    assert new_mail(app, sent) == []
    assert [job.outcome for job in jobs(session)] == ["dropped: unknown_template", "dropped: unknown_recipient"]


def test_the_button_can_be_read_whatever_the_accent_colour(tmp_path: Path) -> None:
    """WCAG 1.4.3: the colour is darkened, or written on in ink, as on the pages."""
    environment = settings_environment(f"sqlite:///{tmp_path / 'yellow.db'}", ACCENT_COLOUR="#ffe600")
    with create_app(environment, instance_path=tmp_path).app_context():
        configured = current_app.extensions["preferences.settings"]
        html = render_mail(
            "fresh_link", locale="sv", parameters={"link": "https://x.example"}, settings=configured
        ).html
    style = re.search(r'style="([^"]*inline-block[^"]*)"', html)
    assert style is not None
    found = dict(one.split(": ") for one in style[1].strip(";").split(";"))
    assert contrast(found["background"], found["color"]) >= 4.5
