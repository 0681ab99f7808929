"""The bulk intake: adds and restricts, never lifts (T21, T22, T23), and records exactly what record_act would."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.address import parse_address
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.intake import IncomingEvidence, Outcome
from preferences.domain.purpose import LawfulBasis
from preferences.domain.suppression import SuppressionReason
from preferences.models.crypto import keyring
from preferences.models.ledger import ChoiceRow, EvidenceRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.queries.choices.choices import active_suppressions, choice_of
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import recipient_by_address
from preferences.services.choices.suppression import suppress
from tests.factories import act, make_recipient, purpose
from tests.support.intake import given, outcomes, row, take_in


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


def test_a_known_recipient_is_updated_and_empty_fields_leave_what_is_there(session: Session, now: datetime) -> None:
    first = row(1, "anna@example.se", name="Anna", locale="sv", profile={"company_name": "A AB", "telephone": "1"})
    take_in(session, [first], now)
    [result] = take_in(session, [row(1, "anna@example.se", external_id="7", profile={"telephone": "2"})], now)
    assert result.outcome is Outcome.CHANGED
    found = recipient_by_address(session, parse_address("anna@example.se"))
    assert found is not None
    assert (found.name, found.locale, found.external_id) == ("Anna", "sv", "7")
    assert found.profile == {"company_name": "A AB", "telephone": "2"}


@pytest.mark.parametrize(
    ("reason", "held"),
    [
        (SuppressionReason.GLOBAL_STOP, True),
        (SuppressionReason.COMPLAINT, True),
        (SuppressionReason.HARD_BOUNCE, False),
        (SuppressionReason.MANUAL, False),
    ],
)
def test_what_the_person_did_holds_a_grant_and_what_a_machine_noticed_stays(
    session: Session, now: datetime, reason: SuppressionReason, held: bool
) -> None:
    index = keyring().address_index(parse_address("anna@example.se").normal)
    suppress(session, address_index=index, reason=reason, source="esp:ses", now=now)
    session.commit()
    [result] = take_in(session, [row(1, "anna@example.se", given(now))], now)
    assert (result.outcome is Outcome.HELD) is held
    assert [found.reason for found in active_suppressions(session, index)] == [reason]


def test_a_restricted_person_is_not_edited_but_may_be_stopped(session: Session, now: datetime) -> None:
    make_recipient(session, status=RecipientStatus.RESTRICTED)
    results = take_in(session, [row(1, "anna@example.se", name="New")], now)
    assert [(one.outcome, one.reason) for one in results] == [(Outcome.HELD, "restricted")]
    stop = IncomingEvidence(purpose="marketing", act=Act.WITHDRAWN)
    assert outcomes(take_in(session, [row(1, "anna@example.se", stop, name="New")], now)) == [Outcome.CHANGED]
    found = recipient_by_address(session, parse_address("anna@example.se"))
    assert found is not None
    assert found.name is None


def test_a_pause_is_not_ended_by_a_grant(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.PAUSED, paused_until=now + timedelta(days=30))
    [result] = take_in(session, [row(1, "anna@example.se", given(now))], now)
    assert (result.outcome, result.reason) == (Outcome.HELD, "paused")


def test_a_topic_is_not_granted_where_its_purpose_was_stopped(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.WITHDRAWN, occurred_at=now - timedelta(days=9))
    topic = catalogue(session).topics(purpose(session, "marketing"))[0].purpose
    [result] = take_in(session, [row(1, "anna@example.se", given(now, topic.key))], now)
    assert (result.outcome, result.reason) == (Outcome.HELD, "withdrawn")


def test_an_objection_is_never_lifted_by_an_intake(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    act(session, anna, "events", Act.OBJECTED, occurred_at=now - timedelta(days=9))
    lifted = IncomingEvidence(purpose="events", act=Act.OBJECTION_LIFTED, occurred_at=now, source="phone")
    results = take_in(session, [row(1, "anna@example.se", lifted), row(2, "bo@example.se", lifted)], now)
    assert outcomes(results) == [Outcome.HELD, Outcome.NEW]
    assert len(session.scalars(select(LedgerEntryRow)).all()) == 1, (
        "where there is no objection there is nothing to lift"
    )


@pytest.mark.parametrize(
    ("evidence", "detail"),
    [
        ({"occurred_at": None}, "occurred_at is missing"),
        ({"source": "  "}, "source is missing"),
        ({"purpose": "newsletter"}, "no purpose or topic"),
        ({"purpose": "events"}, "does not fit"),
        ({"basis": LawfulBasis.SOFT_OPT_IN}, "customer exception needs `sale_reference`"),
        ({"act": Act.PAUSED}, "pause"),
        ({"wording": "w" * 6000}, "too long"),
    ],
)
def test_incomplete_evidence_makes_the_row_invalid_and_nothing_is_assumed(
    session: Session, now: datetime, evidence: dict[str, Any], detail: str
) -> None:
    [result] = take_in(session, [row(1, "anna@example.se", given(now)._replace(**evidence))], now)
    assert result.outcome is Outcome.INVALID
    assert detail in (result.detail or "")
    assert session.scalars(select(RecipientRow)).all() == []


def test_evidence_in_the_future_is_refused_for_a_grant_and_counts_from_now_for_a_stop(
    session: Session, now: datetime
) -> None:
    ahead = now + timedelta(days=2)
    stop = IncomingEvidence(purpose="marketing", act=Act.WITHDRAWN, occurred_at=ahead)
    results = take_in(session, [row(1, "anna@example.se", given(ahead)), row(2, "bo@example.se", stop)], now)
    assert outcomes(results) == [Outcome.INVALID, Outcome.NEW]
    [entry] = session.scalars(select(LedgerEntryRow)).all()
    assert entry.occurred_at == now


def test_a_stop_without_a_source_names_the_one_who_brought_it(session: Session, now: datetime) -> None:
    stops = [
        IncomingEvidence(purpose="marketing", act=Act.WITHDRAWN, occurred_at=now - timedelta(days=3)),
        IncomingEvidence(purpose="marketing", act=Act.WITHDRAWN, occurred_at=now - timedelta(days=2)),
        IncomingEvidence(purpose="marketing", act=Act.WITHDRAWN, source="letter"),
    ]
    take_in(session, [row(number, f"p{number}@example.se", stop) for number, stop in enumerate(stops, 1)], now)
    assert [one.content["source"] for one in session.scalars(select(EvidenceRow).order_by(EvidenceRow.entry_id))] == [
        "test",
        "test",
        "letter",
    ]
