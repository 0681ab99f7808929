"""Acts recorded on real databases make the choice that the fold of the domain makes, in any order and beside each other."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.choice import FoldEntry, fold
from preferences.domain.errors import ActNotPossible, InvalidValue
from preferences.domain.events import EventType
from preferences.domain.purpose import LawfulBasis, Purpose
from preferences.domain.recipient_id import new_recipient_id
from preferences.models.ledger import EvidenceRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.transaction import transaction
from preferences.queries.choices.choices import choice_of
from preferences.queries.ledger.ledger import entries_of
from preferences.services.choices.consent import NewAct, digest_evidence, record_act
from preferences.services.ledger.verify import rebuild_choices, verify_ledger
from tests.factories import purpose

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOW = START + timedelta(days=1)
EXCEPTION = {"sale_reference": "order 7", "similar_product": "same course", "opt_out_offered": True}

ACTS = st.lists(st.tuples(st.sampled_from(Act), st.integers(0, 3), st.integers(1, 30)), min_size=1, max_size=7)
"""Act, moment (few, so that ties are common), and days until a pause ends."""


def _new(recipient: Any, what: Purpose, act: Act, minute: int, days: int = 1) -> NewAct:
    return NewAct(
        recipient_id=recipient,
        purpose=what,
        act=act,
        method=Method.API,
        occurred_at=START + timedelta(minutes=minute, microseconds=minute),
        paused_until=NOW + timedelta(days=days) if act is Act.PAUSED else None,
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=ACTS, random=st.randoms())
def test_recorded_acts_make_the_choice_that_the_fold_makes(
    app: Flask, session: Session, drawn: list[tuple[Act, int, int]], random: Random
) -> None:
    recipient, what = new_recipient_id(), purpose(session, "surveys")
    random.shuffle(drawn)
    entries = []
    for act, minute, days in drawn:
        new = _new(recipient, what, act, minute, days)
        entry_id = record_act(session, new, now=NOW)
        session.commit()
        entries.append(FoldEntry(entry_id, act, LawfulBasis.CONSENT, new.occurred_at, new.paused_until))
        assert choice_of(session, recipient, what.id) == fold(entries), "entry by entry"
    assert choice_of(session, recipient, what.id) == fold(one.for_fold() for one in entries_of(session, recipient))
    assert choice_of(session, recipient, what.id) == fold(sorted(entries, key=lambda one: one.occurred_at))
    session.commit()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9))
def test_choices_rebuilt_from_the_ledger_are_the_choices_that_stood_there(
    app: Flask, session: Session, seed: int
) -> None:
    random = Random(seed)
    everyone = [new_recipient_id() for _ in range(3)]
    keys = ["surveys", "product_news", "photo_marketing"]
    for _ in range(25):
        what = purpose(session, random.choice(keys))
        training = random.choice([0, 0, 41]) if what.key == "photo_marketing" else 0
        new = _new(random.choice(everyone), what, random.choice(list(Act)), random.randrange(4))
        record_act(session, replace(new, training_id=training), now=NOW)
    session.commit()
    verified = verify_ledger(session)
    assert verified.is_sound
    before = [choice_of(session, one, purpose(session, key).id, t) for one in everyone for key in keys for t in (0, 41)]
    assert rebuild_choices(session) == verified.choices
    session.commit()
    after = [choice_of(session, one, purpose(session, key).id, t) for one in everyone for key in keys for t in (0, 41)]
    assert after == before
    assert verify_ledger(session).is_sound
    session.commit()


@pytest.mark.parametrize("apart", [0, 1], ids=["at the same moment", "a minute apart"])
def test_opposite_acts_beside_each_other_end_in_the_fold_of_both(app: Flask, session: Session, apart: int) -> None:
    what = purpose(session, "surveys")
    recipients = [new_recipient_id() for _ in range(25)]
    barrier = threading.Barrier(2, timeout=30)
    failures: list[BaseException] = []

    def record(act: Act, minute: int) -> None:
        try:
            for recipient in recipients:
                barrier.wait()
                with app.app_context(), transaction() as own:
                    record_act(own, _new(recipient, what, act, minute), now=NOW)
        except BaseException as error:
            failures.append(error)
            barrier.abort()

    threads = [
        threading.Thread(target=record, args=(Act.WITHDRAWN, 1)),
        threading.Thread(target=record, args=(Act.GIVEN, 1 + apart)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for recipient in recipients:
        entries = entries_of(session, recipient)
        choice = choice_of(session, recipient, what.id)
        assert len(entries) == 2
        assert choice == fold(one.for_fold() for one in entries)
        assert choice.act is (Act.GIVEN if apart else Act.WITHDRAWN)
    assert verify_ledger(session).is_sound


def test_act_that_came_late_is_kept_but_changes_and_tells_nothing(session: Session) -> None:
    recipient, what = new_recipient_id(), purpose(session, "surveys")
    record_act(session, _new(recipient, what, Act.WITHDRAWN, 5), now=NOW)
    record_act(session, _new(recipient, what, Act.GIVEN, 1), now=NOW)
    session.commit()
    assert choice_of(session, recipient, what.id).act is Act.WITHDRAWN
    assert len(entries_of(session, recipient)) == 2
    told = session.scalars(select(ChangeEventRow.type).where(ChangeEventRow.recipient_id == recipient)).all()
    assert told == [EventType.CHOICE_CHANGED]


def test_refused_act_leaves_no_trace(session: Session) -> None:
    recipient, events = new_recipient_id(), purpose(session, "events")
    before = session.scalar(select(func.count()).select_from(ChangeEventRow))
    for new, error in [
        (_new(recipient, events, Act.GIVEN, 1), ActNotPossible),
        (replace(_new(recipient, events, Act.OBJECTED, 1), occurred_at=NOW + timedelta(hours=1)), InvalidValue),
        (replace(_new(recipient, events, Act.OBJECTED, 1), occurred_at=NOW.replace(tzinfo=None)), InvalidValue),
        (replace(_new(recipient, events, Act.PAUSED, 1), paused_until=None), InvalidValue),
        (replace(_new(recipient, events, Act.RESUMED, 1), paused_until=NOW), InvalidValue),
    ]:
        with pytest.raises(error):
            record_act(session, new, now=NOW)
    session.commit()
    assert entries_of(session, recipient) == []
    assert session.scalar(select(func.count()).select_from(ChangeEventRow)) == before


def test_evidence_proves_its_entry_and_is_kept_apart(session: Session) -> None:
    recipient, news = new_recipient_id(), purpose(session, "marketing")
    evidence = {"source": "fair in Örebro", "wording": "Ja, mejla mig"}
    entry_id = record_act(session, replace(_new(recipient, news, Act.GIVEN, 1), evidence=evidence), now=NOW)
    session.commit()
    row = session.get(EvidenceRow, entry_id)
    digest = session.scalar(select(LedgerEntryRow.evidence_digest).where(LedgerEntryRow.id == entry_id))
    assert row is not None
    assert {key: row.content[key] for key in evidence} == evidence
    assert digest_evidence(row.content) == digest
    assert digest_evidence({**row.content, "source": "elsewhere"}) != digest
    assert digest_evidence(evidence) != digest, "salted: a guess at the evidence cannot be checked against the digest"


def test_lifting_an_objection_restores_a_customer_exception_and_never_makes_one(session: Session) -> None:
    news, stranger, customer = purpose(session, "marketing"), new_recipient_id(), new_recipient_id()
    lifted = replace(_new(stranger, news, Act.OBJECTION_LIFTED, 3), basis=LawfulBasis.SOFT_OPT_IN)
    with pytest.raises(ActNotPossible):
        record_act(session, lifted, now=NOW)
    given = replace(_new(customer, news, Act.GIVEN, 1), basis=LawfulBasis.SOFT_OPT_IN, evidence=EXCEPTION)
    record_act(session, given, now=NOW)
    record_act(session, replace(_new(customer, news, Act.OBJECTED, 2), basis=LawfulBasis.SOFT_OPT_IN), now=NOW)
    record_act(session, replace(lifted, recipient_id=customer), now=NOW)
    session.commit()
    assert choice_of(session, customer, news.id).grants(news.lawful_basis)
    assert not choice_of(session, stranger, news.id).grants(news.lawful_basis)
