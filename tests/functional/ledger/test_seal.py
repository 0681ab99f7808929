"""The ledger is sealed: every entry once, under signed heads that follow each other, by one sealer at a time."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.merkle import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion
from preferences.domain.seal import read_head
from preferences.models.ledger import LedgerEntryRow
from preferences.models.seal import SealedEntryRow, SealHeadRow
from preferences.models.transaction import transaction
from preferences.queries.ledger.seal import newest_head
from preferences.queries.ledger.tree import StoredTree
from preferences.services.ledger.sealing import EVERY, SealKeys, is_signed, seal_is_due, seal_next
from preferences.worker.seal_lane import SealLane
from tests.factories import act, make_recipient
from tests.support.seals import seal, seal_keys, sealed_parts, verified, write_entries

GROWING = {
    "sealed_entries": "UPDATE sealed_entries SET entry_id = 99",
    "seal_nodes": "UPDATE seal_nodes SET number = 99",
    "seal_heads": "UPDATE seal_heads SET tree_size = 99",
}


@pytest.mark.parametrize("table", GROWING)
def test_the_seal_only_grows(session: Session, table: str) -> None:
    write_entries(session, 256)
    seal(session)
    for statement in (GROWING[table], f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError, match=f"{table} is append-only"):
            session.execute(text(statement))
        session.rollback()


def test_heads_follow_each_other_and_are_signed(session: Session) -> None:
    write_entries(session, 5)
    first = seal(session)
    assert seal_next(session, seal_keys(), now=datetime.now(UTC)) is None, "an empty head says nothing"
    session.rollback()
    write_entries(session, 3)
    second = seal(session)
    assert (first.head.number, first.head.tree_size, first.head.previous) == (1, 5, None)
    assert (second.head.number, second.head.tree_size, second.head.previous) == (2, 8, first.head.digest)
    for one in (first, second):
        assert is_signed(one.head, one.signature, seal_keys().newest)
        assert read_head(json.loads(json.dumps(one.as_json()))) == one


def test_every_entry_can_be_proved_in_every_later_head(session: Session) -> None:
    ids = write_entries(session, 300)
    roots = {}
    for limit in (1, 2, 130, 167):
        made = seal_next(session, seal_keys(), now=datetime.now(UTC), limit=limit)
        assert made is not None
        session.commit()
        roots[made.head.tree_size] = made.head.root
    assert list(roots) == [1, 3, 133, 300]
    tree = StoredTree(session)
    for position, entry_id in list(enumerate(ids))[::37]:
        parts = sealed_parts(session, entry_id)
        assert parts.position == position
        assert parts.head is not None
        assert parts.head.signed.head.tree_size == min(size for size in roots if size > position)
        for size, root in roots.items():
            if position < size:
                path = inclusion_proof(position, size, tree.node_at)
                assert verify_inclusion(parts.entry.leaf, position, size, path, root)
    for earlier in roots:
        path = consistency_proof(earlier, 300, tree.node_at)
        assert verify_consistency(earlier, 300, path, roots[earlier], roots[300])


def test_a_seal_is_due_after_an_hour_or_after_many_entries(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    assert not seal_is_due(session, now=now)
    write_entries(session, 1)
    assert seal_is_due(session, now=now)
    seal(session)
    assert not seal_is_due(session, now=now + 2 * EVERY), "nothing new"
    write_entries(session, 2)
    assert not seal_is_due(session, now=now + EVERY / 2)
    assert seal_is_due(session, now=now + EVERY + timedelta(minutes=1))
    monkeypatch.setattr("preferences.services.ledger.sealing.MANY", 2)
    assert seal_is_due(session, now=now + EVERY / 2)


def test_the_worker_seals_when_it_is_due(app: Flask, session: Session) -> None:
    moments = [datetime.now(UTC)]
    lane = SealLane(threading.Event(), lambda: moments[-1])
    assert lane.run_batch() == 0
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    assert lane.run_batch() == 1
    act(session, make_recipient(session, "bo@example.se"), "marketing", Act.WITHDRAWN)
    assert lane.run_batch() == 0
    moments.append(moments[0] + EVERY)
    assert lane.run_batch() == 1
    assert verified(session).is_sound


def test_sealers_at_once_make_one_line_of_heads(app: Flask, session: Session) -> None:
    write_entries(session, 40)
    barrier = threading.Barrier(6)

    def work(_turn: int) -> None:
        with app.app_context():
            barrier.wait(timeout=30)
            for _ in range(20):
                with transaction() as own:
                    seal_next(own, seal_keys(), now=datetime.now(UTC), limit=3)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    write_entries(session, 1)
    seal(session)
    assert session.scalar(select(func.count()).select_from(SealedEntryRow)) == 41
    assert verified(session).is_sound


def test_an_entry_committed_late_is_sealed_later_and_never_left_out(app: Flask, session: Session) -> None:
    """PostgreSQL gives out ids before they can be seen; SQLite has one writer and cannot be late."""
    if session.get_bind().dialect.name != "postgresql":
        pytest.skip("SQLite has one writer")
    first = write_entries(session, 1)[0]
    values = session.execute(select(*LedgerEntryRow.__table__.columns).where(LedgerEntryRow.id == first)).one()
    session.commit()
    with Session(app.extensions["sqlalchemy"].engine) as late:
        fields = {name: value for name, value in values._mapping.items() if name != "id"}
        late_id = late.execute(insert(LedgerEntryRow).values(fields).returning(LedgerEntryRow.id)).scalar_one()
        newer = write_entries(session, 1)[0]
        assert first < late_id < newer
        seal(session)
        for _ in range(3):
            write_entries(session, 1)
            seal(session)
        last = newest_head(session)
        assert last is not None
        assert last.settled_entry_id < late_id
        session.commit()
        late.commit()
    seal(session)
    assert sealed_parts(session, late_id).position == 5
    write_entries(session, 1)
    seal(session)
    settled = newest_head(session)
    assert settled is not None
    assert settled.settled_entry_id >= newer
    assert verified(session).is_sound
    assert verified(session).sealed == 7


def test_a_new_key_is_signed_in_by_the_old_one(session: Session) -> None:
    old, new = b"o" * 32, b"n" * 32
    write_entries(session, 1)
    first = seal(session, keys=SealKeys([old]))
    write_entries(session, 1)
    second = seal(session, keys=SealKeys([old, new]))
    assert second.head.public_key != first.head.public_key
    assert second.endorsement is not None
    assert is_signed(second.head, second.endorsement, first.head.public_key)
    write_entries(session, 1)
    assert seal(session, keys=SealKeys([new])).endorsement is None
    from preferences.services.ledger.verify_seal import verify_seal

    session.commit()
    assert verify_seal(session, SealKeys([new]).public).is_sound


def test_the_old_key_is_kept_until_the_new_one_has_signed(app: Flask, session: Session) -> None:
    write_entries(session, 1)
    seal(session, keys=SealKeys([b"o" * 32]))
    refused = app.test_cli_runner().invoke(args=["keys", "retire", "seal"])
    assert (refused.exit_code, "no head is signed by the newest key yet" in refused.stderr) == (1, True)
    write_entries(session, 1)
    seal(session)
    assert app.test_cli_runner().invoke(args=["keys", "retire", "seal"]).exit_code == 0


def test_commands_seal_and_list(app: Flask, session: Session) -> None:
    run = app.test_cli_runner().invoke
    assert run(args=["ledger", "seal"]).stdout == "Nothing to seal.\n"
    assert run(args=["ledger", "heads"]).stdout == "Nothing is sealed yet.\n"
    write_entries(session, 3)
    assert run(args=["ledger", "seal"]).stdout.startswith("Head 1: 3 entries, ")
    write_entries(session, 2)
    (made,) = json.loads(run(args=["ledger", "seal", "--json"]).stdout)["heads"]
    listed = json.loads(run(args=["ledger", "heads", "--limit", "1", "--json"]).stdout)
    assert listed == [made]
    assert read_head(made).head.tree_size == 5
    assert run(args=["ledger", "heads"]).stdout.count("\n") == 2


def test_heads_hold_no_personal_data(session: Session) -> None:
    anna = make_recipient(session, "anna.ek@example.se", name="Anna Ek")
    act(session, anna, "marketing", evidence={"source": "met Anna Ek"})
    seal(session)
    rows = [session.execute(select(*table.__table__.columns)).all() for table in (SealHeadRow, SealedEntryRow)]
    for secret in ("anna", "Ek", "met"):
        assert secret not in repr(rows)
