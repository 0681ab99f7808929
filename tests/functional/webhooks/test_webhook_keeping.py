"""What is kept of webhooks, and for whom: bulk changes told whole, erased people forgotten, old attempts dropped (M13, L10)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.events import EventType
from preferences.domain.webhooks import AttemptCode, PayloadKind, SignatureScheme
from preferences.models.crypto import Keyring, keyring, use_keyring
from preferences.models.endpoint import DeliveryRow
from preferences.models.mailer import MailerRow
from preferences.models.outbox import ChangeEventRow
from preferences.services.outbox.outbox import tell_change
from preferences.services.recipients.erasure import erase_recipient
from preferences.services.webhooks.deliveries import KEPT_FOR, forget_old_deliveries
from preferences.services.webhooks.endpoints import remove_endpoint
from tests.factories import act, make_key, make_recipient
from tests.functional.api.support import Api
from tests.support.client import StrictClient
from tests.support.mailing import settings_changed
from tests.support.receiver import Receiver, receiving
from tests.support.webhooks import Clock, attempts, deliveries, endpoint_row, make_endpoint, work


@pytest.fixture
def receiver(app: Flask) -> Iterator[Receiver]:
    with receiving() as found, settings_changed(app, webhook_private_hosts=("127.0.0.1",)):
        yield found


@pytest.fixture
def clock() -> Clock:
    """A few seconds ahead, so that everything recorded by now is due."""
    return Clock(datetime.now(UTC) + timedelta(seconds=30))


def test_every_row_of_a_bulk_call_is_told(
    client: StrictClient, session: Session, receiver: Receiver, clock: Clock
) -> None:
    api = Api(client, make_key(session), session)
    make_endpoint(session, receiver.url)
    proof = {
        "purpose": "marketing",
        "act": "given",
        "occurred_at": "2026-01-01T00:00:00Z",
        "source": "shop",
        "wording": "Ja",
    }
    rows = [{"email": f"p{number}@example.se", "evidence": proof} for number in range(120)]
    taken = api.put("/recipients", {"recipients": rows}).json["results"]
    work(clock)
    assert sorted(receiver.events) == list(session.scalars(select(ChangeEventRow.id).order_by(ChangeEventRow.id)))
    told = {message.body["data"]["recipient"] for message in receiver.messages}
    assert told == {one["id"] for one in taken}
    assert {message.body["data"]["act"] for message in receiver.messages} == {"given"}


def test_without_a_wish_for_the_type_or_an_endpoint_nothing_waits(session: Session) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.WITHDRAWN)
    make_endpoint(session, "https://hooks.example/", types=[EventType.POLICY_PUBLISHED])
    act(session, anna, "surveys", Act.WITHDRAWN)
    assert deliveries(session) == []
    tell_change(session, EventType.POLICY_PUBLISHED, recipient_id=None, now=datetime.now(UTC))
    session.commit()
    assert [one.recipient_id for one in deliveries(session)] == [None]


def test_what_an_endpoint_answered_about_an_erased_person_is_forgotten(
    session: Session, receiver: Receiver, clock: Clock
) -> None:
    make_endpoint(session, receiver.url, payload=PayloadKind.ADDRESSES)
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    receiver.answer = (200, {}, b"anna@example.se, thank you")
    act(session, anna, "marketing", Act.WITHDRAWN)
    act(session, bo, "marketing", Act.WITHDRAWN)
    work(clock)
    raw = session.connection().exec_driver_sql("SELECT excerpt FROM webhook_attempts").scalars().all()
    assert not any(b"anna" in bytes(one) for one in raw)
    session.rollback()
    erase_recipient(session, anna.id, source="test", now=clock.now)
    session.commit()
    of_anna = {one.id for one in deliveries(session) if one.recipient_id == anna.id}
    kept = {one.delivery_id: one.excerpt for one in attempts(session)}
    assert {kept[one] for one in of_anna & kept.keys()} == {None}
    assert [text for one, text in kept.items() if one not in of_anna] == ["anna@example.se, thank you"]


def test_old_attempts_and_deliveries_go_and_what_waits_for_a_working_endpoint_stays(
    session: Session, receiver: Receiver, clock: Clock
) -> None:
    make_endpoint(session, receiver.url)
    gone, _ = make_endpoint(session, "https://hooks.example/")
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    receiver.answers = [(204, {}, b"")]
    work(clock)
    receiver.answer = (500, {}, b"")
    act(session, make_recipient(session, "bo@example.se"), "marketing", Act.WITHDRAWN)
    remove_endpoint(session, gone.id)
    session.add(DeliveryRow(endpoint_id=gone.id, event_id=1, created_at=clock.now, next_at=clock.now))
    session.commit()
    assert forget_old_deliveries(session, now=clock.now) == 1, "what was on its way to the removed one"
    session.commit()
    assert len(attempts(session)) == 1
    assert forget_old_deliveries(session, now=clock.now + KEPT_FOR + timedelta(days=1)) == 2
    session.commit()
    assert attempts(session) == []
    assert [one.done_at for one in deliveries(session)] == [None]


def test_a_lost_data_key_is_a_failure_that_is_tried_again(session: Session, receiver: Receiver, clock: Clock) -> None:
    make_endpoint(session, receiver.url)
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    before = keyring()
    use_keyring(Keyring([b"another key, 32 bytes long ......"[:32]], b"x" * 32))
    try:
        work(clock)
    finally:
        use_keyring(before)
    assert [one.code for one in attempts(session)] == [AttemptCode.INTERNAL]
    clock.move(seconds=10)
    work(clock)
    assert len(receiver.messages) == 1


def test_an_archived_mailer_is_not_called(session: Session, receiver: Receiver, clock: Clock) -> None:
    make_endpoint(session, receiver.url)
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    session.execute(update(MailerRow).values(archived_at=clock.now))
    session.commit()
    assert work(clock) == 0
    assert receiver.messages == []


def test_ed25519_messages_verify_with_the_public_key(session: Session, receiver: Receiver, clock: Clock) -> None:
    view, public = make_endpoint(session, receiver.url, scheme=SignatureScheme.V1A)
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    work(clock)
    [message] = receiver.messages
    signed = f"{message.id}.{message.headers['webhook-timestamp']}.".encode() + message.raw
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    key.verify(base64.b64decode(message.headers["webhook-signature"].removeprefix("v1a,")), signed)
    assert endpoint_row(session, view.id).failures == 0
