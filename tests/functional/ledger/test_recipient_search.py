"""A search finds those who fit, however it begins: with the people, or with few entries of the ledger. Its pages hold still."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import GRANTS, Act, Method
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import ActNotPossible
from preferences.models.ledger import ChoiceRow, LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.queries.numbers.opt_out_counts import OPT_OUTS
from preferences.queries.recipients import few_entries
from preferences.queries.recipients.recipient_search import RecipientFilter, find_recipients
from preferences.services.choices.consent import NewAct, record_act
from tests.factories import make_recipient, purpose

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
NOW = START + timedelta(days=30)
KEYS = ("marketing", "events", "surveys")
BEGINNINGS = {
    "people": {"FEW": -1, "NARROW": -1},
    "few of a kind": {"FEW": 20_000, "NARROW": -1},
    "a short period": {"FEW": -1, "NARROW": 250_000},
}


@pytest.fixture
def crowd(session: Session) -> Session:
    """Thirty people at two places, some blocked, and what they did on thirty days."""
    dice = random.Random(4)
    statuses = (RecipientStatus.ACTIVE, RecipientStatus.ACTIVE, RecipientStatus.RESTRICTED)
    people = [
        make_recipient(session, f"p{one}@{'big' if one % 3 else 'small'}.example", status=statuses[one % 3])
        for one in range(30)
    ]
    purposes = [purpose(session, key) for key in KEYS]
    for number in range(240):
        at = START + timedelta(hours=3 * number)
        act = dice.choice([one for one in Act if one is not Act.REVOKED])
        new = NewAct(
            recipient_id=dice.choice(people).id,
            purpose=dice.choice(purposes),
            act=act,
            method=dice.choice((Method.ONE_CLICK, Method.API, Method.MAILTO)),
            occurred_at=at,
            reference=dice.choice((0, 7, 8)),
            paused_until=at + timedelta(days=9) if act is Act.PAUSED else None,
        )
        with suppress(ActNotPossible):  # an objection to what rests on consent, and the other way about
            record_act(session, new, now=at)
    session.commit()
    return session


def who_fits(session: Session, wanted: RecipientFilter) -> list[int]:
    """The same in Python: every act and choice of everybody, one by one."""
    entries = {one.id: one for one in session.scalars(select(LedgerEntryRow))}

    def did(one: LedgerEntryRow) -> bool:
        return (
            (wanted.method in {None, one.method})
            and (not wanted.said or one.act in wanted.said)
            and (wanted.message_id in {None, one.reference})
            and (wanted.since is None or one.recorded_at >= wanted.since)
            and (wanted.until is None or one.recorded_at < wanted.until)
        )

    asks_for_acts = replace(wanted, text="", status=None, purpose_id=None, act=None).is_set
    doers = {one.recipient_id for one in entries.values() if did(one) and wanted.purpose_id in {None, one.purpose_id}}
    choices = [one for one in session.scalars(select(ChoiceRow)) if wanted.purpose_id in {None, one.purpose_id}]
    standing = {
        one.recipient_id for one in choices if wanted.act and (by := stands_by(one, wanted.act)) and did(entries[by])
    }
    fits = []
    for one in session.scalars(select(RecipientRow).order_by(RecipientRow.id.desc())):
        known = {
            "act": wanted.act is None or one.id in standing,
            "acts": wanted.act is not None or not asks_for_acts or one.id in doers,
            "purpose": wanted.purpose_id is None or one.id in {choice.recipient_id for choice in choices},
            "status": wanted.status in {None, one.status},
            "text": not wanted.text or (one.address or "").endswith(wanted.text),
        }
        if all(known.values()):
            fits.append(one.id)
    return fits


def stands_by(one: ChoiceRow, act: Act) -> int | None:
    """The entry by which the choice is so; None where it is not."""
    if act is not Act.PAUSED:
        return one.entry_id if one.act == act else None
    is_newest = one.since is None or (one.paused_at is not None and one.paused_at >= one.since)
    return one.pause_entry_id if one.paused_until and one.paused_until > NOW and is_newest else None


def in_pages(session: Session, wanted: RecipientFilter, of: int) -> list[int]:
    found: list[int] = []
    while page := find_recipients(session, wanted, now=NOW, before=found[-1] if found else None, limit=of):
        found += [one.id for one in page]
    return found


def filters(purposes: Sequence[int]) -> list[RecipientFilter]:
    dice, found = random.Random(9), []
    for _ in range(60):
        since = dice.choice((None, START + timedelta(days=dice.randrange(25))))
        found.append(
            RecipientFilter(
                text=dice.choice(("", "", "@big.example")),
                status=dice.choice((None, None, RecipientStatus.RESTRICTED)),
                purpose_id=dice.choice((None, *purposes)),
                act=dice.choice((None, None, *Act)),
                method=dice.choice((None, Method.MAILTO, Method.ESP)),
                said=dice.choice((frozenset(), GRANTS, frozenset(OPT_OUTS))),
                message_id=dice.choice((None, None, 7, 99)),
                since=since,
                until=dice.choice((None, since and since + timedelta(days=4))),
            )
        )
    return found


@pytest.mark.parametrize("begins_with", BEGINNINGS)
def test_a_search_finds_those_who_fit_however_it_begins(
    app: Flask, crowd: Session, begins_with: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, most in BEGINNINGS[begins_with].items():
        monkeypatch.setattr(few_entries, name, most)
    lengths = set()
    for wanted in filters([purpose(crowd, key).id for key in KEYS]):
        fits = who_fits(crowd, wanted)
        assert in_pages(crowd, wanted, 4) == fits, wanted
        lengths.add(min(len(fits), 5))
        crowd.rollback()
    assert {0, 1, 5} <= lengths, "searches that nobody, one and many fit"
