"""By day or one by one, the numbers are the same: whatever was counted so far, in every time zone, with late commits."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from preferences.domain.acts import GRANTS, Act, Actor, Method
from preferences.domain.days import day_around, start_of_day
from preferences.models.bulk import is_sqlite
from preferences.models.daily_numbers import CountedRow, DailyActsRow
from preferences.models.ledger import LedgerEntryRow
from preferences.models.transaction import snapshot, transaction
from preferences.queries.numbers.by_day import answers_in, opt_outs_by_message
from preferences.queries.numbers.opt_out_counts import OPT_OUTS
from preferences.queries.numbers.periods import Period
from preferences.services.ledger.daily_numbers import count_next, counting_is_due
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import make_recipient

ZONES = ("Europe/Stockholm", "Asia/Kathmandu", "America/St_Johns")
SPRING = date(2026, 3, 29)
"""The clocks go forward in Sweden."""


def write(session: Session, moments: list[datetime], dice: random.Random) -> None:
    """Acts of all kinds, recorded at these moments in this order. Committed."""
    rows = [
        {
            "recipient_id": dice.randrange(1, 9),
            "purpose_id": dice.choice((1, 2)),
            "act": (act := dice.choice([one for one in Act if one is not Act.PAUSED])),
            "method": dice.choice((Method.ONE_CLICK, Method.API)),
            "actor": Actor.RECIPIENT,
            "occurred_at": moment,
            "recorded_at": moment,
            "reference": dice.choice((None, 0, 7, 8)) if act in OPT_OUTS else None,
        }
        for moment in moments
    ]
    session.execute(insert(LedgerEntryRow), rows)
    session.commit()


def count(zone: str, times: int = 3, *, limit: int = 4) -> int:
    """What a worker does in so many looks."""
    done = 0
    for _ in range(times):
        with transaction() as session:
            done += count_next(session, zone, now=datetime.now(UTC), limit=limit)
    return done


def plain(session: Session, period: Period, purpose_id: int | None) -> tuple[Counter[Any], Counter[Any]]:
    """The ledger itself, counted in Python: answers, and opt-outs by message."""
    answers, messages = Counter[Any](), Counter[Any]()
    for one in session.scalars(select(LedgerEntryRow)):
        if period.since <= one.recorded_at < period.until and purpose_id in {None, one.purpose_id}:
            if one.act in GRANTS or one.act in OPT_OUTS:
                answers[period.number_of(one.recorded_at), one.purpose_id, one.act, one.method] += 1
            if one.act in OPT_OUTS and one.reference:
                messages[one.reference] += 1
    session.rollback()
    return answers, messages


def agree(session: Session, zone: str, days: tuple[date, ...]) -> None:
    """What the page reads is what the ledger holds, about one purpose and about all."""
    period = Period(tuple(start_of_day(day, zone) for day in days), zone)
    for purpose_id in (None, 1):
        answers, messages = plain(session, period, purpose_id)
        with snapshot() as reader:
            found = answers_in(reader, period, purpose_id=purpose_id)
            by_message = opt_outs_by_message(reader, period, purpose_id=purpose_id)
        assert Counter({(one.stretch, one.purpose_id, one.act, one.method): one.count for one in found}) == answers
        assert {one.message_id: one.count for one in by_message} == dict(messages)


def test_numbers_are_those_of_the_ledger_however_far_it_was_counted(app: Flask, session: Session) -> None:
    for seed, zone in enumerate(ZONES):
        dice, middle = random.Random(seed), SPRING + timedelta(weeks=2 * seed)
        around = [start_of_day(middle + timedelta(days=day), zone) for day in range(-3, 4)]
        moments = [moment + timedelta(microseconds=dice.choice((-1, 0, 1))) for moment in around]
        moments += [around[0] + timedelta(seconds=dice.randrange(7 * 86400)) for _ in range(12)]
        days = tuple(middle + timedelta(days=day) for day in (-2, -1, 0, 1, 3))
        agree(session, zone, days)
        write(session, sorted(moments), dice)
        for _ in range(4):  # nothing, a part, and everything is counted by day
            agree(session, zone, days)
            count(zone, 2)
        agree(session, "Asia/Tokyo", days)
        count(zone, 9, limit=99)
        assert not counting_is_due(session, zone)
        session.rollback()
    write(session, moments[:3], dice)  # recorded long ago, committed only now
    agree(session, zone, days)
    count(zone, 9, limit=99)
    agree(session, zone, days)


def test_every_entry_is_counted_once_whatever_happens(app: Flask, session: Session) -> None:
    zone, noon = ZONES[0], datetime(2026, 3, 4, 11, tzinfo=UTC)
    anna = make_recipient(session)
    write(session, [noon + timedelta(hours=number) for number in range(9)], random.Random(7))
    count(zone, 2)
    with pytest.raises(ZeroDivisionError), transaction() as doomed:  # a worker that crashes in the middle
        raise ZeroDivisionError(count_next(doomed, zone, now=noon))
    count(zone, 9, limit=99)
    assert count(zone, 9) == 0
    with transaction() as erasing:
        erase_recipient(erasing, anna.id, source="page", now=noon)
    total = sum(session.scalars(select(DailyActsRow.number)))
    entries = len(session.scalars(select(LedgerEntryRow.id)).all())
    assert total == entries
    session.rollback()
    with transaction() as lost:  # a ledger that ends before the mark is another ledger: from the beginning
        lost.get_one(CountedRow, zone).entry_id += 50
    count(zone, 9, limit=99)
    agree(session, zone, (date(2026, 3, 4), date(2026, 3, 5), date(2026, 3, 6)))


def test_entry_of_a_transaction_that_still_runs_is_waited_for(app: Flask, session: Session) -> None:
    if is_sqlite(session):
        pytest.skip("SQLite has one writer")
    zone, noon = ZONES[0], datetime(2026, 3, 4, 11, tzinfo=UTC)
    days = (date(2026, 3, 4), date(2026, 3, 5))
    with Session(app.extensions["sqlalchemy"].engine) as slow:
        late = {"recipient_id": 1, "purpose_id": 1, "act": Act.GIVEN, "method": Method.API, "actor": Actor.MAILER}
        slow.execute(insert(LedgerEntryRow), {**late, "occurred_at": noon, "recorded_at": noon})  # the smaller id
        write(session, [noon] * 3, random.Random(1))
        assert count(zone, 4) == 0
        slow.commit()
    agree(session, zone, days)
    assert count(zone, 4) == 4
    agree(session, zone, days)


@given(st.integers(0, 40 * 366 * 24 * 60), st.sampled_from(ZONES))
def test_a_moment_lies_in_the_day_that_is_told(minutes: int, zone: str) -> None:
    moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    began = day_around(moment, zone)
    later = {start_of_day(began.date() + timedelta(days=number), zone) for number in range(4)}
    assert began <= moment < min(one for one in later if one > began)
