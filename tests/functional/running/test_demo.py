"""The demo: data of every kind, a newsletter to those who may have it, and the same again the second time."""

from __future__ import annotations

import json
import stat
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.cli.demo import KEPT_IN
from preferences.config import Environment, MailTransport
from preferences.domain.acts import Act
from preferences.domain.address import parse_address
from preferences.domain.eligibility import RecipientStatus
from preferences.models.import_batch import ImportStage
from preferences.models.ledger import EvidenceRow, LedgerEntryRow
from preferences.models.mailer import ApiKeyRow
from preferences.models.photo import ParticipantRow
from preferences.models.recipient import RecipientRow
from preferences.models.training import TrainingRow
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import recipient_by_address
from preferences.queries.staff.today import what_needs_somebody
from preferences.services.choices.unsubscribe import stop_everything
from preferences.services.demo.demo import SHOWN_RECIPIENT
from preferences.services.ledger.verify import verify_ledger
from tests.support.client import StrictClient
from tests.support.mailing import jobs, received, settings_changed

WORDS = {
    "sv": {"Avregistrera mig", "Tre nya kursdatum", 'lang="sv"'},
    "en": {"Unsubscribe", "Three new course dates", 'lang="en"'},
}


def run(app: Flask, *arguments: str) -> str:
    result = app.test_cli_runner().invoke(args=["demo", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def found(app: Flask) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(app, "--json"))
    return answer


@pytest.fixture
def letters(app: Flask) -> list[str]:
    """Ids of what lay in the mailbox before."""
    (Path(app.instance_path) / KEPT_IN).unlink(missing_ok=True)
    return [one.id for one in received(app)]


def newsletters(app: Flask, before: list[str]) -> list[EmailMessage]:
    """Those among the mails that lie in the mailbox since."""
    since = [one.parsed for one in received(app) if one.id not in before]
    return [one for one in since if one["List-Unsubscribe"]]


def test_a_quarter_of_a_year_has_passed_in_order_and_something_waits_for_everybody(
    app: Flask, session: Session, letters: list[str]
) -> None:
    run(app)
    times = list(session.scalars(select(LedgerEntryRow.recorded_at).order_by(LedgerEntryRow.id)))
    assert times == sorted(times)
    now = datetime.now(UTC)
    assert now - times[0] > timedelta(days=80)
    waits = what_needs_somebody(session, today=now.date(), now=now)
    assert (waits.request_count, waits.overdue, waits.takedown_count, len(waits.late_mailers)) == (3, 1, 2, 1)
    assert [(one.training.title, one.notified, one.participants) for one in waits.trainings] == [
        ("Heta arbeten", 0, 12)
    ]
    assert [one.people for one in waits.bursts] == [10]
    assert [(one.stage, one.would_revive) for one in waits.imports] == [(ImportStage.PLANNED, 2)]


def test_the_demo_holds_every_kind_of_recipient(app: Flask, session: Session, letters: list[str]) -> None:
    run(app)
    people = session.scalars(select(RecipientRow)).all()
    states = Counter(person.status for person in people)
    assert (states[RecipientStatus.RESTRICTED], states[RecipientStatus.ERASED]) == (1, 1)
    acts = set(session.scalars(select(LedgerEntryRow.act)))
    assert acts == {Act.GIVEN, Act.WITHDRAWN, Act.REFUSED, Act.OBJECTED, Act.PAUSED}
    assert session.scalar(select(func.count()).select_from(TrainingRow)) == 4
    assert session.scalar(select(func.count()).where(LedgerEntryRow.training_id > 0)) == 1
    per_training = Counter(session.scalars(select(ParticipantRow.training_id)))
    assert sorted(per_training.values()) == [2, 2, 4, 12]
    assert len(session.scalars(select(EvidenceRow)).all()) > 12
    assert catalogue(session).by_key("fair_news").purpose.is_archived
    assert verify_ledger(session).is_sound


def test_the_newsletter_reaches_those_who_may_have_it_and_nobody_else(
    app: Flask, session: Session, letters: list[str]
) -> None:
    run(app)
    sent = newsletters(app, letters)
    assert {mail["To"].addresses[0].addr_spec for mail in sent} == {
        "anna.ek@nordvik.example",
        "bo.lindqvist@havsnas.example",
        "greta.nystrom@lindas.example",
        "hans.muller@waldner.example",
    }
    assert all(mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" for mail in sent)
    assert Counter(
        job.outcome for job in jobs(session) if job.payload.get("template", "newsletter") == "newsletter"
    ) == {
        "sent": 4,
        "dropped: no_basis": 3,
        "dropped: withdrawn": 1,
        "dropped: suppressed_global_stop": 1,
        "dropped: paused": 1,
        "dropped: restricted": 1,
        "dropped: erased": 1,
        "dropped: suppressed_hard_bounce": 1,
    }


def test_each_newsletter_is_in_one_language_from_end_to_end(app: Flask, letters: list[str]) -> None:
    run(app)
    for mail in newsletters(app, letters):
        html = mail.get_body(("html",))
        assert html is not None
        words = {word for word in WORDS["en"] | WORDS["sv"] if word in html.get_content()}
        assert words == WORDS["en" if "Müller" in mail["To"].addresses[0].display_name else "sv"]


def test_the_second_run_adds_nothing_and_prints_the_same_key(app: Flask, session: Session, letters: list[str]) -> None:
    first = found(app)
    lying, queued = len(received(app)), len(jobs(session))
    second = found(app)
    assert (first["is_new"], second["is_new"]) == (True, False)
    assert second["api_key"] == first["api_key"]
    assert (len(received(app)), len(jobs(session))) == (lying, queued)
    assert session.scalar(select(func.count()).select_from(ApiKeyRow)) == 1


def test_the_key_is_kept_for_its_owner_only(app: Flask, letters: list[str]) -> None:
    run(app)
    kept = Path(app.instance_path) / KEPT_IN
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "damage", ["", "{}", "null", '{"api_key": 1}', '{"api_key": "pk_aaaaaaaaaa_' + "x" * 43 + '"}']
)
def test_a_lost_or_foreign_key_is_replaced_by_one_that_works(
    app: Flask, client: StrictClient, letters: list[str], damage: str
) -> None:
    run(app)
    (Path(app.instance_path) / KEPT_IN).write_text(damage)
    key = found(app)["api_key"]
    answer = client.post(
        "/api/v1/eligibility",
        json={"purpose": "product_news", "recipients": [SHOWN_RECIPIENT]},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 200


def test_the_printed_page_opens_and_the_printed_question_is_answered(
    app: Flask, client: StrictClient, letters: list[str]
) -> None:
    printed = run(app)
    key, url = found(app)["api_key"], found(app)["preferences_url"]
    assert key in printed
    assert f"-H 'Authorization: Bearer {key}'" in printed
    page = client.get(url.removeprefix("https://preferences.example"))
    assert page.status_code == 200
    assert 'lang="sv"' in page.get_data(as_text=True)


def test_the_demo_goes_on_when_the_shown_recipient_has_stopped_or_is_gone(
    app: Flask, session: Session, letters: list[str]
) -> None:
    from preferences.domain.acts import Method
    from preferences.services.recipients.erasure import erase_recipient

    run(app)
    anna = recipient_by_address(session, parse_address(SHOWN_RECIPIENT))
    assert anna is not None
    stop_everything(session, anna.id, method=Method.ONE_CLICK, now=datetime.now(UTC))
    session.commit()
    assert found(app)["preferences_url"]
    erase_recipient(session, anna.id, source="test", now=datetime.now(UTC))
    session.commit()
    assert found(app)["preferences_url"] == ""
    assert "the shown recipient is gone" in run(app)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"env": Environment.PRODUCTION}, "PREFERENCES_ENV=production"),
        ({"mail_transport": MailTransport.SMTP}, "PREFERENCES_MAIL_TRANSPORT=mailbox"),
    ],
)
def test_where_mail_or_data_are_real_there_is_no_demo(
    app: Flask, session: Session, letters: list[str], changes: dict[str, object], words: str
) -> None:
    with settings_changed(app, **changes):
        result = app.test_cli_runner().invoke(args=["demo"])
    assert result.exit_code == 1
    assert words in result.output
    assert session.scalar(select(func.count()).select_from(RecipientRow)) == 0
