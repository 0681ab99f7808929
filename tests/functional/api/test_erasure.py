"""Erasure keeps its promise: nothing personal is left, the proof is, and the address stays stopped (GDPR 17, T22)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.eligibility import Reason, Refused
from preferences.domain.photo import TakedownState, TakedownWhat
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.rights import RightsKind, due_on
from preferences.models.ledger import ConfirmationRow, EvidenceRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow, OutboxJobRow
from preferences.models.photo import TakedownRow
from preferences.models.recipient import RecipientRow
from preferences.models.rights import AddressChangeRow, RightsRequestRow
from preferences.models.sign_up import SignUpRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.choices.choices import standing
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.confirmations import Asked, ask_to_turn_on
from preferences.services.ledger.verify import verify_ledger
from tests.factories import act, make_key, make_recipient, purpose
from tests.functional.api.support import Api
from tests.support.client import StrictClient


@pytest.fixture
def api(client: StrictClient, session: Session) -> Api:
    return Api(client, make_key(session), session)


@pytest.fixture
def anna(session: Session, now: datetime) -> RecipientView:
    anna = make_recipient(
        session, external_id="K-1", name="Anna", locale="sv", profile={"telephone": "070"}, source="subscribe:spring"
    )
    act(session, anna, "marketing", Act.GIVEN, evidence={"source": "card from Anna"})
    ask_to_turn_on(session, anna.id, [Asked(purpose(session, "surveys"), Act.GIVEN)], locale="sv", now=now)
    session.commit()
    return anna


def test_nothing_personal_is_left(api: Api, session: Session, anna: RecipientView) -> None:
    answer = api.delete(f"/recipients/{format_recipient_id(anna.id)}").json
    assert answer["status"] == "erased"
    row = session.query(RecipientRow).one()
    personal = (
        "address",
        "address_index",
        "domain_index",
        "external_id",
        "external_index",
        "name",
        "profile",
        "locale",
    )
    assert [getattr(row, name) for name in personal] == [None] * len(personal)
    assert row.source == "erased"
    assert session.query(EvidenceRow).count() == 0
    assert session.query(ConfirmationRow).one().cancelled_at is not None
    job = session.query(OutboxJobRow).one()
    assert (job.payload, job.outcome, job.done_at is not None) == ({}, "dropped: erased", True)
    shown = api.get(f"/recipients/{format_recipient_id(anna.id)}").json
    assert (shown["status"], shown["email"], shown["profile"]) == ("erased", None, {})


def test_the_proof_is_left(api: Api, session: Session, anna: RecipientView) -> None:
    api.delete(f"/recipients/{format_recipient_id(anna.id)}")
    entry = session.query(LedgerEntryRow).one()
    assert (entry.recipient_id, entry.act, len(entry.evidence_digest or b"")) == (anna.id, Act.GIVEN, 32)
    assert verify_ledger(session).is_sound


def test_the_address_stays_stopped_whoever_asks(api: Api, session: Session, anna: RecipientView) -> None:
    api.delete(f"/recipients/{format_recipient_id(anna.id)}")
    where = standing(session, recipient_id=None, status=None, address_index=anna.address_index)
    decision = where.decide([purpose(session, "events")], anna.created_at)
    assert isinstance(decision, Refused)
    assert decision.reason is Reason.SUPPRESSED_ERASED
    assert session.query(SuppressionRow).one().source == "api:newsletter"


def test_mailers_are_told_once_and_repeats_change_nothing(api: Api, session: Session, anna: RecipientView) -> None:
    path = f"/recipients/{format_recipient_id(anna.id)}"
    first, again = api.delete(path).json, api.delete(path).json
    assert first == again
    told = [event.type for event in session.query(ChangeEventRow).order_by(ChangeEventRow.id)]
    assert told == ["choice.changed", "recipient.erased"]


def test_no_column_of_any_table_holds_the_address(api: Api, session: Session, anna: RecipientView) -> None:
    """Apart from ciphertext: what is left unencrypted is searched as text, and no ciphertext is left of this person."""
    api.delete(f"/recipients/{format_recipient_id(anna.id)}")
    for table in ("recipients", "ledger_entries", "choices", "suppressions", "change_events", "confirmations"):
        for row in session.execute(text(f"SELECT * FROM {table}")):
            assert "anna" not in repr(tuple(row)).lower(), table


def test_what_was_written_elsewhere_is_gone_too(api: Api, session: Session, anna: RecipientView, now: datetime) -> None:
    due, soon = due_on(now), now + timedelta(days=1)
    own: dict[str, Any] = {"recipient_id": anna.id, "locale": "sv"}
    takedown: dict[str, Any] = {"recipient_id": anna.id, "what": TakedownWhat.IMAGE, "requested_at": now}
    session.add_all(
        [
            RightsRequestRow(
                **own, reference="R-1", kind=RightsKind.CORRECT, details={"x": "1"}, received_at=now, due_on=due
            ),
            AddressChangeRow(**own, new_address="new@example.se", new_index=b"0" * 16, asked_at=now, expires_at=soon),
            SignUpRow(
                form_key="f",
                address="anna@example.se",
                address_index=anna.address_index,
                name="Anna",
                asked=[],
                locale="sv",
                asked_at=now,
                expires_at=soon,
            ),
            TakedownRow(**takedown, reference="T-1", url="https://x.example", state=TakedownState.DONE, closed_at=now),
            TakedownRow(**takedown, reference="T-2", url="https://y.example"),
        ]
    )
    session.commit()
    api.delete(f"/recipients/{format_recipient_id(anna.id)}")
    assert session.query(RightsRequestRow).one().details is None
    change = session.query(AddressChangeRow).one()
    assert (change.new_address, change.cancelled_at is not None) == (None, True)
    sign_up = session.query(SignUpRow).one()
    assert (sign_up.address, sign_up.name) == (None, None)
    urls = {one.reference: one.url for one in session.query(TakedownRow)}
    assert urls == {"T-1": None, "T-2": "https://y.example"}


def test_other_people_are_left_alone(api: Api, session: Session, anna: RecipientView) -> None:
    bo = make_recipient(session, "bo@example.se", name="Bo")
    act(session, bo, "marketing", Act.GIVEN, evidence={"source": "shop"})
    api.delete(f"/recipients/{format_recipient_id(anna.id)}")
    assert api.get(f"/recipients/{format_recipient_id(bo.id)}").json["name"] == "Bo"
    assert session.query(EvidenceRow).count() == 1
