"""The bulk intake: adds and restricts, never lifts (T21, T22, T23), and records exactly what record_act would."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import given as given_examples
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.address import parse_address
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.events import EventType
from preferences.domain.intake import IncomingEvidence, IncomingRecipient, Outcome, RowResult
from preferences.domain.purpose import LawfulBasis
from preferences.domain.suppression import SuppressionReason
from preferences.models.crypto import keyring
from preferences.models.ledger import ChoiceRow, ConfirmationRow, EvidenceRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.queries.choices import active_suppressions, choice_of
from preferences.queries.purposes import catalogue
from preferences.queries.recipients import recipient_by_address
from preferences.services.consent import NewAct, record_act
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
    [result] = take_in(session, [row(1, "anna@example.se", replace(given(now), **evidence))], now)
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


def test_the_same_address_in_another_case_form_or_script_is_the_same_person(session: Session, now: datetime) -> None:
    rows = [
        row(1, "Anna@Räksmörgås.SE"),
        row(2, "anna@xn--rksmrgs-5wao1o.se"),
        row(3, "anna@ra\u0308ksmo\u0308rga\u030as.se"),
        row(4, "anna+tag@räksmörgås.se"),
    ]
    results = take_in(session, rows, now)
    assert outcomes(results) == [Outcome.NEW, Outcome.INVALID, Outcome.INVALID, Outcome.NEW]
    assert [one.detail for one in results[1:3]] == ["Duplicate of line 1."] * 2


def test_a_withdrawal_in_a_duplicate_is_never_lost(session: Session, now: datetime) -> None:
    stop = IncomingEvidence(purpose="marketing", act=Act.WITHDRAWN, occurred_at=now - timedelta(days=1))
    rows = [
        row(1, "anna@example.se", given(now - timedelta(days=3))),
        row(2, "Anna@example.se", stop, name="ignored"),
        row(3, "anna@example.se", given(now)),
        row(4, "anna@example.se", stop),
    ]
    results = take_in(session, rows, now)
    assert outcomes(results) == [Outcome.NEW, Outcome.CHANGED, Outcome.INVALID, Outcome.INVALID]
    assert results[0].recipient_id is not None
    assert choice_of(session, results[0].recipient_id, purpose(session, "marketing").id).act is Act.WITHDRAWN


def test_one_person_may_bring_an_act_for_each_purpose_on_lines_of_their_own(session: Session, now: datetime) -> None:
    objected = IncomingEvidence(purpose="events", act=Act.OBJECTED)
    everything = IncomingEvidence(purpose="everything", act=Act.OBJECTED)
    rows = [
        row(1, "anna@example.se", given(now - timedelta(days=3))),
        row(2, "anna@example.se", objected),
        row(3, "anna@example.se", everything),
        row(4, "anna@example.se", given(now - timedelta(days=2), "surveys")),
    ]
    results = take_in(session, rows, now)
    assert outcomes(results) == [Outcome.NEW, Outcome.CHANGED, Outcome.CHANGED, Outcome.HELD]
    assert "Line 3 stops it" in (results[3].detail or "")


def test_a_global_stop_is_a_suppression_and_an_act(session: Session, now: datetime) -> None:
    take_in(session, [row(1, "anna@example.se", IncomingEvidence(purpose="everything", act=Act.OBJECTED))], now)
    index = keyring().address_index(parse_address("anna@example.se").normal)
    assert [found.reason for found in active_suppressions(session, index)] == [SuppressionReason.GLOBAL_STOP]
    [event] = session.scalars(select(ChangeEventRow)).all()
    assert event.type is EventType.RECIPIENT_STOPPED


def test_an_external_id_that_is_anothers_makes_the_row_invalid(session: Session, now: datetime) -> None:
    take_in(session, [row(1, "anna@example.se", external_id="7")], now)
    results = take_in(
        session,
        [
            row(1, "bo@example.se", external_id="7"),
            row(2, "cia@example.se", external_id="8"),
            row(3, "dan@example.se", external_id="8"),
        ],
        now,
    )
    assert [(one.outcome, one.reason) for one in results] == [
        (Outcome.INVALID, "external_id_taken"),
        (Outcome.NEW, None),
        (Outcome.INVALID, "external_id_taken"),
    ]


def test_a_stop_cancels_what_waits_for_the_mailbox(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    session.add(
        ConfirmationRow(
            recipient_id=anna.id,
            asked=[],
            locale="sv",
            asked_at=now - timedelta(hours=1),
            expires_at=now + timedelta(days=7),
        )
    )
    session.commit()
    take_in(session, [row(1, "anna@example.se", IncomingEvidence(purpose="marketing", act=Act.WITHDRAWN))], now)
    session.expire_all()
    assert session.scalars(select(ConfirmationRow)).one().cancelled_at is not None


def test_an_older_stop_is_recorded_once_and_the_newer_consent_stands(session: Session, now: datetime) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.GIVEN, occurred_at=now - timedelta(days=1))
    stop = IncomingEvidence(purpose="marketing", act=Act.WITHDRAWN, occurred_at=now - timedelta(days=9))
    assert outcomes(take_in(session, [row(1, "anna@example.se", stop)], now)) == [Outcome.CHANGED]
    assert outcomes(take_in(session, [row(1, "anna@example.se", stop)], now)) == [Outcome.UNCHANGED]
    assert choice_of(session, anna.id, purpose(session, "marketing").id).act is Act.GIVEN


_COLUMNS = [column for column in LedgerEntryRow.__table__.c if column.name not in {"id", "recipient_id"}]


@given_examples(
    st.lists(
        st.tuples(
            st.sampled_from(["marketing", "surveys", "events", "everything"]),
            st.sampled_from([Act.GIVEN, Act.REFUSED, Act.WITHDRAWN, Act.OBJECTED]),
            st.integers(1, 4),
        ),
        min_size=1,
        max_size=4,
    )
)
@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bulk_acts_leave_exactly_what_record_act_leaves(
    session: Session, now: datetime, acts: list[tuple[str, Act, int]]
) -> None:
    """Ledger, choice and events of the bulk engine and of one-by-one recording are the same but for ids and salts."""
    number = session.scalar(select(func.count()).select_from(RecipientRow)) or 0
    bulk = make_recipient(session, f"bulk{number}@example.se")
    single = make_recipient(session, f"single{number}@example.se")
    for key, what, days in acts:
        evidence = IncomingEvidence(purpose=key, act=what, occurred_at=now - timedelta(days=days), source="s")
        [result] = take_in(session, [row(1, f"bulk{number}@example.se", evidence)], now)
        if result.outcome is not Outcome.CHANGED:
            continue
        new = NewAct(
            recipient_id=single.id,
            purpose=purpose(session, key),
            act=what,
            method=Method.IMPORT,
            actor=Actor.STAFF,
            actor_id=7,
            occurred_at=now - timedelta(days=days),
            evidence={"source": "s"},
        )
        record_act(session, new, now=now)
        session.commit()
    assert _left_behind(session, bulk.id) == _left_behind(session, single.id)


def _left_behind(session: Session, recipient_id: int) -> tuple[list[Any], list[Any], list[Any]]:
    entries = session.execute(
        select(*_COLUMNS[:-1], LedgerEntryRow.evidence_digest.is_not(None))
        .where(LedgerEntryRow.recipient_id == recipient_id)
        .order_by(LedgerEntryRow.id)
    )
    order = {
        entry_id: number
        for number, entry_id in enumerate(
            session.scalars(
                select(LedgerEntryRow.id).where(LedgerEntryRow.recipient_id == recipient_id).order_by(LedgerEntryRow.id)
            )
        )
    }
    choices = session.execute(
        select(ChoiceRow.purpose_id, ChoiceRow.act, ChoiceRow.basis, ChoiceRow.since, ChoiceRow.entry_id)
        .where(ChoiceRow.recipient_id == recipient_id)
        .order_by(ChoiceRow.purpose_id)
    )
    events = session.execute(
        select(ChangeEventRow.type, ChangeEventRow.entry_id, ChangeEventRow.data, ChangeEventRow.recorded_at)
        .where(ChangeEventRow.recipient_id == recipient_id)
        .order_by(ChangeEventRow.id)
    )
    return (
        [tuple(entry) for entry in entries],
        [(*choice[:-1], order[choice[-1] or 0]) for choice in choices],
        [(kind, order[entry_id], data, at) for kind, entry_id, data, at in events if entry_id is not None],
    )
