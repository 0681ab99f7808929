"""Rows of one batch about the same person, and rows against what is on record; equal to recording one by one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck
from hypothesis import given as given_examples
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.address import parse_address
from preferences.domain.events import EventType
from preferences.domain.intake import IncomingEvidence, Outcome
from preferences.domain.suppression import SuppressionReason
from preferences.models.crypto import keyring
from preferences.models.ledger import ChoiceRow, ConfirmationRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.queries.choices.choices import active_suppressions, choice_of
from preferences.services.choices.consent import NewAct, record_act
from tests.factories import act, make_recipient, purpose
from tests.support.intake import given, outcomes, row, take_in


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
