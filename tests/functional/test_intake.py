"""The bulk intake: adds and restricts, never lifts (T21, T22, T23), and records exactly what record_act would."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.address import parse_address
from preferences.domain.intake import IncomingEvidence, IncomingRecipient, Outcome, RowResult
from preferences.domain.suppression import SuppressionReason
from preferences.models.crypto import keyring
from preferences.models.ledger import ChoiceRow, EvidenceRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.queries.choices import active_suppressions, choice_of
from preferences.queries.recipients import recipient_by_address
from preferences.services.intake import apply_intake, plan_intake
from preferences.services.suppression import suppress
from preferences.services.verify import verify_ledger
from tests.factories import act, make_recipient, purpose


def row(line: int, address: str, evidence: IncomingEvidence | None = None, **fields: Any) -> IncomingRecipient:
    return IncomingRecipient(line=line, address=parse_address(address), evidence=evidence, **fields)


def given(at: datetime, purpose_key: str = "marketing", **more: Any) -> IncomingEvidence:
    return IncomingEvidence(
        **{"purpose": purpose_key, "act": Act.GIVEN, "occurred_at": at, "source": "web form", **more}
    )


def take_in(session: Session, rows: list[IncomingRecipient], now: datetime) -> list[RowResult]:
    """Plan, apply, and hold the two to the same answer."""
    planned = plan_intake(session, rows, now=now)
    applied = apply_intake(session, rows, source="test", method=Method.IMPORT, actor=Actor.STAFF, actor_id=7, now=now)
    session.commit()
    assert [(one.line, one.outcome, one.reason) for one in planned] == [
        (one.line, one.outcome, one.reason) for one in applied
    ]
    assert verify_ledger(session).is_sound
    return applied


def outcomes(results: list[RowResult]) -> list[Outcome]:
    return [one.outcome for one in results]


def test_rows_without_evidence_bring_recipients_in_without_any_consent(session: Session, now: datetime) -> None:
    results = take_in(session, [row(1, "Anna@Example.SE", name="Anna", profile={"company_name": "A AB"})], now)
    assert outcomes(results) == [Outcome.NEW]
    found = recipient_by_address(session, parse_address("anna@example.se"))
    assert found is not None
    assert (found.address, found.name, found.profile) == ("Anna@Example.SE", "Anna", {"company_name": "A AB"})
    assert session.scalars(select(LedgerEntryRow)).all() == []


def test_evidence_is_recorded_as_an_act_with_its_choice_and_event(session: Session, now: datetime) -> None:
    at = now - timedelta(days=30)
    [result] = take_in(session, [row(1, "anna@example.se", given(at, wording="Ja tack"))], now)
    assert result.recipient_id is not None
    choice = choice_of(session, result.recipient_id, purpose(session, "marketing").id)
    assert (choice.act, choice.since) == (Act.GIVEN, at)
    [evidence] = session.scalars(select(EvidenceRow)).all()
    assert evidence.content["wording"] == "Ja tack"
    assert len(session.scalars(select(ChangeEventRow)).all()) == 1


def test_taking_the_same_rows_in_again_changes_nothing(session: Session, now: datetime) -> None:
    rows = [
        row(1, "anna@example.se", given(now - timedelta(days=1)), name="Anna", locale="sv", external_id="17"),
        row(2, "bo@example.se", IncomingEvidence(purpose="marketing", act=Act.WITHDRAWN)),
        row(3, "cia@example.se", IncomingEvidence(purpose="everything", act=Act.OBJECTED)),
    ]
    assert outcomes(take_in(session, rows, now)) == [Outcome.NEW] * 3
    assert outcomes(take_in(session, rows, now + timedelta(hours=1))) == [Outcome.UNCHANGED] * 3
    assert len(session.scalars(select(LedgerEntryRow)).all()) == 3


@pytest.mark.parametrize("stop", [Act.WITHDRAWN, Act.REFUSED, Act.OBJECTED, Act.REVOKED])
def test_a_stop_is_never_lifted_whatever_the_time_of_the_grant(session: Session, now: datetime, stop: Act) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", stop, occurred_at=now - timedelta(days=5), method=Method.ONE_CLICK)
    [result] = take_in(session, [row(1, "ANNA@example.se", given(now), name="New")], now)
    assert (result.outcome, result.reason) == (Outcome.HELD, stop.value)
    assert "by the recipient (one_click)" in (result.detail or "")
    assert choice_of(session, anna.id, purpose(session, "marketing").id).act is stop
    found = recipient_by_address(session, parse_address("anna@example.se"))
    assert found is not None
    assert found.name is None


def test_an_erased_address_is_held_and_nothing_of_it_is_stored(session: Session, now: datetime) -> None:
    index = keyring().address_index(parse_address("anna@example.se").normal)
    suppress(session, address_index=index, reason=SuppressionReason.ERASED, source="page", now=now)
    session.commit()
    rows = [
        row(1, "anna@example.se"),
        row(2, "Anna@Example.se", IncomingEvidence(purpose="marketing", act=Act.WITHDRAWN)),
    ]
    results = take_in(session, rows, now)
    assert [(one.outcome, one.reason) for one in results] == [(Outcome.HELD, "suppressed_erased")] * 2
    assert "Erased at their request" in (results[0].detail or "")
    assert session.scalars(select(RecipientRow)).all() == []
    assert session.scalars(select(ChoiceRow)).all() == []
    assert len(active_suppressions(session, index)) == 1
