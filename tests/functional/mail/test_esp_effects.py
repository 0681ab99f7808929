"""What ESP events change: bounces stop delivery, complaints and unsubscribes are the person's acts, nothing is ever lifted."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import RecipientId
from preferences.domain.events import EventType
from preferences.domain.suppression import SuppressionReason
from preferences.models.crypto import keyring
from preferences.models.ledger import LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.choices.choices import choice_of
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.services.choices.suppression import lift_suppression
from preferences.services.ledger.verify import verify_ledger
from preferences.services.outbox.messages import number_message
from tests.factories import act, link, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.esp.events import bounce, complaint, unsubscribe
from tests.support.esp.hooks import make_hook, outcomes, post, work
from tests.support.esp.samples import SAMPLES

POSTMARK = SAMPLES["postmark"]
SENDGRID = SAMPLES["sendgrid"]


def suppressions(session: Session, address: str = "anna@example.se") -> list[str]:
    index = keyring().address_index(address)  # type: ignore[arg-type]
    active = select(SuppressionRow.reason).where(
        SuppressionRow.address_index == index, SuppressionRow.lifted_at.is_(None)
    )
    found = sorted(reason.value for reason in session.scalars(active))
    session.commit()  # reading takes SQLite's one write lock
    return found


def entries(session: Session) -> list[tuple[str, str, datetime]]:
    rows = session.scalars(
        select(LedgerEntryRow).where(LedgerEntryRow.method == Method.ESP).order_by(LedgerEntryRow.id)
    )
    found = [(row.act.value, row.method.value, row.occurred_at) for row in rows]
    session.commit()
    return found


def told(session: Session) -> list[str]:
    return list(session.scalars(select(ChangeEventRow.type).order_by(ChangeEventRow.id)))


def test_a_hard_bounce_stops_delivery_and_is_not_the_persons_choice(
    session: Session, client: StrictClient, now: datetime
) -> None:
    make_recipient(session)
    make_hook(session, POSTMARK)
    post(client, POSTMARK, bounce(now))
    work()
    assert suppressions(session) == ["hard_bounce"]
    assert entries(session) == []
    assert told(session) == [EventType.RECIPIENT_SUPPRESSED]
    assert outcomes(session) == ["suppressed: hard_bounce"]


def test_m12_soft_bounces_are_counted_and_stop_nobody(session: Session, client: StrictClient, now: datetime) -> None:
    make_recipient(session)
    make_hook(session, POSTMARK)
    for number in range(7):
        post(client, POSTMARK, bounce(now, kind="SoftBounce", number=number))
    work()
    assert suppressions(session) == []
    assert outcomes(session) == ["soft bounce"] * 7


def test_m11_a_complaint_withdraws_marketing_and_stops_informational_mail(
    session: Session, client: StrictClient, now: datetime
) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.GIVEN, occurred_at=now - timedelta(days=9))
    make_hook(session, POSTMARK)
    post(client, POSTMARK, complaint(now))
    work()
    assert suppressions(session) == ["complaint"]
    assert entries(session) == [("withdrawn", "esp", now)]
    assert choice_of(session, anna.id, purpose(session, "marketing").id).act is Act.WITHDRAWN


def test_m11_a_redacted_complaint_finds_the_person_by_our_link(
    session: Session, client: StrictClient, now: datetime
) -> None:
    anna = make_recipient(session)
    act(session, anna, "product_news", Act.GIVEN, occurred_at=now - timedelta(days=9))
    make_hook(session, SENDGRID)
    token = link(anna, purpose(session, "product_news"), reference=7)
    event = {"event": "spamreport", "email": "redacted", "sg_event_id": "1", "preferences_link": token}
    post(client, SENDGRID, [{**event, "timestamp": int(now.timestamp())}])
    work()
    assert suppressions(session) == ["complaint"]
    [entry] = session.scalars(select(LedgerEntryRow).where(LedgerEntryRow.method == Method.ESP))
    top = purpose(session, "product_news").parent_id or purpose(session, "product_news").id
    assert (entry.recipient_id, entry.purpose_id, entry.reference) == (anna.id, top, 7)


def test_t10_an_unsubscribe_at_the_esp_stops_what_the_mail_was_about_by_the_persons_time(
    session: Session, client: StrictClient, now: datetime
) -> None:
    anna, then = make_recipient(session), now - timedelta(hours=5)
    act(session, anna, "marketing", Act.GIVEN, occurred_at=now - timedelta(days=9))
    make_hook(session, POSTMARK, purpose="marketing")
    post(client, POSTMARK, unsubscribe(then))
    work()
    choice = choice_of(session, anna.id, purpose(session, "marketing").id)
    assert (choice.act, choice.since) == (Act.WITHDRAWN, then)
    assert suppressions(session) == []
    assert told(session)[-1] == EventType.CHOICE_CHANGED


def test_an_unsubscribe_from_something_unsaid_stops_everything(
    session: Session, client: StrictClient, now: datetime
) -> None:
    make_recipient(session)
    make_hook(session, POSTMARK)
    post(client, POSTMARK, unsubscribe(now))
    work()
    assert suppressions(session) == ["global_stop"]
    assert entries(session) == [("objected", "esp", now)]
    assert told(session) == [EventType.RECIPIENT_STOPPED]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_t28_events_in_any_order_and_twice_end_in_the_same_state(
    session: Session, client: StrictClient, now: datetime, order: tuple[int, ...]
) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.GIVEN, occurred_at=now - timedelta(hours=2))
    make_hook(session, POSTMARK, purpose="marketing")
    sent = [unsubscribe(now - timedelta(hours=hours)) for hours in (3, 1, 2)]
    for number in (*order, *order):
        post(client, POSTMARK, sent[number])
        work()
    choice = choice_of(session, anna.id, purpose(session, "marketing").id)
    assert (choice.act, choice.since) == (Act.WITHDRAWN, now - timedelta(hours=1))
    assert verify_ledger(session).is_sound


def test_t28_on_a_tie_the_opt_out_wins_and_a_later_yes_stays(
    session: Session, client: StrictClient, now: datetime
) -> None:
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    for one, when in ((anna, now - timedelta(hours=1)), (bo, now - timedelta(minutes=59))):
        act(session, one, "marketing", Act.GIVEN, occurred_at=when)
    make_hook(session, POSTMARK, purpose="marketing")
    for address in ("anna@example.se", "bo@example.se"):
        post(client, POSTMARK, unsubscribe(now - timedelta(hours=1), address))
    work()
    marketing = purpose(session, "marketing").id
    assert choice_of(session, anna.id, marketing).act is Act.WITHDRAWN
    assert choice_of(session, bo.id, marketing).act is Act.GIVEN
    assert outcomes(session) == ["stopped: marketing", "overtaken"]


def test_an_old_unsubscribe_does_not_bring_back_a_stop_that_the_person_has_lifted(
    session: Session, client: StrictClient, now: datetime
) -> None:
    anna = make_recipient(session)
    act(session, anna, "everything", Act.OBJECTION_LIFTED, occurred_at=now - timedelta(hours=1))
    make_hook(session, POSTMARK)
    post(client, POSTMARK, unsubscribe(now - timedelta(hours=2)))
    work()
    assert suppressions(session) == []
    post(client, POSTMARK, unsubscribe(now))
    work()
    assert suppressions(session) == ["global_stop"]


def test_an_old_bounce_does_not_bring_back_what_was_lifted_since(
    session: Session, client: StrictClient, now: datetime
) -> None:
    make_hook(session, POSTMARK)
    post(client, POSTMARK, bounce(now - timedelta(days=2), number=1))
    work()
    index = keyring().address_index("anna@example.se")  # type: ignore[arg-type]
    lift_suppression(session, address_index=index, reason=SuppressionReason.HARD_BOUNCE, now=now - timedelta(days=1))
    session.commit()
    post(client, POSTMARK, bounce(now - timedelta(days=2), number=2))
    work()
    assert suppressions(session) == []
    post(client, POSTMARK, bounce(now, number=3))
    work()
    assert suppressions(session) == ["hard_bounce"]


def test_resubscribing_at_the_esp_lifts_nothing(session: Session, client: StrictClient, now: datetime) -> None:
    anna = make_recipient(session)
    make_hook(session, POSTMARK, purpose="marketing")
    post(client, POSTMARK, unsubscribe(now - timedelta(hours=1)))
    post(client, POSTMARK, bounce(now - timedelta(hours=1)))
    post(client, POSTMARK, unsubscribe(now, SuppressSending=False))
    work()
    assert choice_of(session, anna.id, purpose(session, "marketing").id).stops
    assert suppressions(session) == ["hard_bounce"]
    assert outcomes(session)[-1] == "counted"


def test_t22_addresses_that_nobody_knows_are_stopped_by_keyed_hash(
    session: Session, client: StrictClient, now: datetime
) -> None:
    make_hook(session, POSTMARK)
    for event in (
        bounce(now, address="New@Example.se"),
        complaint(now, "New@Example.se"),
        unsubscribe(now, "new@example.se"),
    ):
        post(client, POSTMARK, event)
    work()
    assert suppressions(session, "new@example.se") == ["complaint", "global_stop", "hard_bounce"]
    assert entries(session) == []


def test_an_address_that_is_none_is_never_taken_for_somebody_erased(
    app: Flask, session: Session, client: StrictClient, now: datetime
) -> None:
    for name in ("anna", "bo"):
        make_recipient(session, f"{name}@example.se")
        app.test_cli_runner().invoke(args=["recipients", "erase", f"{name}@example.se", "--yes"])
    make_hook(session, POSTMARK)
    for event in (bounce(now, address="nobody"), complaint(now, "nobody"), unsubscribe(now, "nobody")):
        post(client, POSTMARK, event)
    work()
    assert outcomes(session) == ["no address"] * 3


@pytest.mark.parametrize(
    "address", ["", "nobody", "anna@", "\x00@example.se", "a" * 500 + "@example.se", "<anna@example.se>"]
)
def test_what_is_no_address_is_kept_and_does_nothing(
    session: Session, client: StrictClient, now: datetime, address: str
) -> None:
    make_hook(session, POSTMARK)
    assert post(client, POSTMARK, bounce(now, address=address)).status_code == 200
    work()
    assert outcomes(session) == ["no address"]


def test_a_time_in_the_future_or_none_counts_as_now(session: Session, client: StrictClient, now: datetime) -> None:
    make_recipient(session)
    make_hook(session, POSTMARK, purpose="marketing")
    post(client, POSTMARK, unsubscribe(now + timedelta(days=400)))
    post(client, POSTMARK, {**unsubscribe(now, "bo@example.se"), "ChangedAt": "soon"})
    work()
    [(_, _, at)] = entries(session)
    assert now <= at <= now + timedelta(minutes=1)
    assert suppressions(session, "bo@example.se") == ["global_stop"]


def test_the_mailers_own_reference_names_the_message(session: Session, client: StrictClient, now: datetime) -> None:
    make_recipient(session)
    make_hook(session, POSTMARK, purpose="marketing")
    mailer = mailer_by_key(session, "newsletter")
    assert mailer is not None
    number = number_message(session, mailer.id, "autumn", now=now)
    session.commit()
    post(client, POSTMARK, unsubscribe(now, Metadata={"preferences_message": "autumn"}))
    work()
    assert session.scalar(select(LedgerEntryRow.reference).where(LedgerEntryRow.method == Method.ESP)) == number


def test_an_unsubscribe_of_somebody_erased_is_over(
    app: Flask, session: Session, client: StrictClient, now: datetime
) -> None:
    anna = make_recipient(session)
    make_hook(session, POSTMARK)
    post(client, POSTMARK, unsubscribe(now))
    app.test_cli_runner().invoke(args=["recipients", "erase", "anna@example.se", "--yes"])
    work()
    assert outcomes(session) == ["dropped: erased"]
    raw = session.connection().exec_driver_sql("SELECT payload FROM esp_events").scalar_one()
    assert raw is None
    assert session.scalar(select(LedgerEntryRow.id).where(LedgerEntryRow.recipient_id == RecipientId(anna.id))) is None
