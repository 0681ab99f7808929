"""Somebody with the whole database changes, removes, inserts and reorders: verification finds it and names the first entry."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.merkle import Frontier
from preferences.models.ledger import LedgerEntryRow
from preferences.services.ledger.sealing import SealKeys
from preferences.services.ledger.verify_seal import SealFinding, Wrong, verify_seal
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import act, make_recipient, purpose
from tests.support.seals import seal, seal_keys, sealed_parts, verified, write_entries
from tests.support.tampering import tamper

COLUMNS = {
    "recipient_id": "recipient_id + 1",
    "purpose_id": "(SELECT id FROM purposes WHERE key = 'marketing')",
    "training_id": "7",
    "act": "'given'",
    "basis": "'consent'",
    "method": "'mailto'",
    "actor": "'system'",
    "actor_id": "7",
    "notice_version_id": "(SELECT min(id) FROM notice_versions)",
    "locale": "'en'",
    "occurred_at": "(SELECT min(created_at) FROM purposes)",
    "recorded_at": "(SELECT min(created_at) FROM purposes)",
    "reference": "7",
    "evidence_digest": "(SELECT leaf FROM sealed_entries WHERE position = 0)",
}


def _wrong(session: Session) -> set[tuple[Wrong, int | None]]:
    return {(one.wrong, one.entry) for one in verified(session).findings}


def test_a_ledger_as_it_was_sealed_is_sound(session: Session) -> None:
    write_entries(session, 5)
    seal(session)
    found = verified(session)
    assert (found.heads, found.sealed, found.unsealed, found.count, found.first) == (1, 5, 0, 0, None)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_change_of_any_column_is_found(session: Session, column: str) -> None:
    ids = write_entries(session, 5)
    seal(session, limit=2)
    tamper(session, f"UPDATE ledger_entries SET {column} = {COLUMNS[column]} WHERE id = :id", id=ids[2])
    found = verified(session)
    assert found.findings == (SealFinding(Wrong.CHANGED, ids[2], 2),)
    assert found.first == found.findings[0]


def test_every_column_of_an_entry_is_sealed(session: Session) -> None:
    assert {column.name for column in LedgerEntryRow.__table__.columns} == {*COLUMNS, "id", "paused_until"}


def test_an_end_of_a_pause_that_was_moved_is_found(session: Session) -> None:
    entry = act(
        session, make_recipient(session), "marketing", Act.PAUSED, paused_until=datetime.now(UTC) + timedelta(days=9)
    )
    seal(session)
    tamper(session, "UPDATE ledger_entries SET paused_until = recorded_at")
    assert _wrong(session) == {(Wrong.CHANGED, entry)}


def test_a_removed_entry_is_found(session: Session) -> None:
    ids = write_entries(session, 4)
    seal(session)
    tamper(session, "DELETE FROM ledger_entries WHERE id = :id", id=ids[1])
    assert _wrong(session) == {(Wrong.REMOVED, ids[1])}


def test_an_inserted_entry_is_found(session: Session) -> None:
    ids = write_entries(session, 2)
    seal(session)
    write_entries(session, 1)
    seal(session)
    names = "recipient_id, purpose_id, training_id, act, method, actor, occurred_at, recorded_at"
    tamper(
        session,
        f"INSERT INTO ledger_entries (id, {names}) SELECT -5, {names} FROM ledger_entries WHERE id = :id",
        id=ids[0],
    )
    found = verified(session)
    assert found.findings == (SealFinding(Wrong.INSERTED, -5),)
    assert found.first is not None
    assert found.first.entry == -5


def test_two_entries_that_change_places_are_found(session: Session) -> None:
    first, second = write_entries(session, 1), write_entries(session, 1, recipient_id=78)
    seal(session)
    tamper(session, "UPDATE ledger_entries SET recipient_id = 155 - recipient_id")
    assert _wrong(session) == {(Wrong.CHANGED, first[0]), (Wrong.CHANGED, second[0])}


def test_leaves_that_change_places_with_their_entries_are_found(session: Session) -> None:
    ids = write_entries(session, 4)
    seal(session)
    tamper(
        session,
        "UPDATE sealed_entries SET position = 99 WHERE position = 1",
        "UPDATE sealed_entries SET position = 1 WHERE position = 2",
        "UPDATE sealed_entries SET position = 2 WHERE position = 99",
    )
    found = verified(session)
    assert found.findings == (SealFinding(Wrong.TREE, ids[0], 0, 1),)


def _forge(session: Session, entry: int) -> None:
    """Change an entry, and its leaf so that it fits again."""
    tamper(session, "UPDATE ledger_entries SET act = 'given' WHERE id = :id", id=entry)
    forged = sealed_parts(session, entry).entry
    tamper(session, "UPDATE sealed_entries SET leaf = :leaf WHERE entry_id = :id", id=entry, leaf=forged.leaf)


def test_a_change_with_its_leaf_rewritten_is_found_and_narrowed_to_its_head(session: Session) -> None:
    ids = write_entries(session, 9)
    seal(session, limit=3)
    _forge(session, ids[4])
    assert verified(session).findings == (SealFinding(Wrong.TREE, ids[3], 3, 2),)


def test_a_change_with_its_leaf_rewritten_is_narrowed_to_256_entries(session: Session) -> None:
    ids = write_entries(session, 600)
    seal(session)
    _forge(session, ids[300])
    found = verified(session).findings
    assert found == (SealFinding(Wrong.TREE, ids[256], 256),)


def test_a_whole_forged_tree_needs_the_key(session: Session) -> None:
    ids = write_entries(session, 3)
    seal(session)
    _forge(session, ids[1])
    leaves = session.execute(text("SELECT leaf FROM sealed_entries ORDER BY position")).scalars()
    tree = Frontier()
    for leaf in leaves:
        tree.append(bytes(leaf))
    tamper(session, "UPDATE seal_heads SET root = :root", root=tree.root)
    assert verified(session).findings == (SealFinding(Wrong.HEAD, head=1),)


def test_a_ledger_sealed_anew_with_another_key_is_found(session: Session) -> None:
    write_entries(session, 3)
    seal(session, keys=SealKeys([b"another key of thirty-two bytes!"]))
    assert verified(session).findings == (SealFinding(Wrong.HEAD, head=1),)


def test_a_head_that_is_taken_out_is_found(session: Session) -> None:
    write_entries(session, 6)
    seal(session, limit=2)
    tamper(session, "DELETE FROM seal_heads WHERE number = 2")
    assert (Wrong.HEAD, None) in _wrong(session)


def test_sealed_entries_cut_off_the_end_are_found(session: Session) -> None:
    write_entries(session, 6)
    seal(session, limit=3)
    tamper(session, "DELETE FROM sealed_entries WHERE position = 5")
    assert SealFinding(Wrong.TREE, head=2) in verified(session).findings


def test_a_leaf_added_behind_the_last_head_is_found(session: Session) -> None:
    ids = write_entries(session, 3)
    seal(session)
    extra = write_entries(session, 1)
    tamper(
        session, "INSERT INTO sealed_entries SELECT 3, :id, leaf FROM sealed_entries WHERE position = 0", id=extra[0]
    )
    assert {one for one, _ in _wrong(session)} == {Wrong.CHANGED, Wrong.TREE}
    assert ids


def test_the_end_cut_off_with_its_heads_shows_against_a_head_kept_elsewhere(session: Session) -> None:
    write_entries(session, 6)
    kept = seal(session, limit=3)
    tamper(
        session,
        "DELETE FROM ledger_entries WHERE id IN (SELECT entry_id FROM sealed_entries WHERE position > 2)",
        "DELETE FROM sealed_entries WHERE position > 2",
        "DELETE FROM seal_heads WHERE number = 2",
    )
    assert verified(session).is_sound
    found = verify_seal(session, seal_keys().public, published=[kept])
    assert found.findings == (SealFinding(Wrong.HEAD, head=2),)


def test_a_notice_text_that_was_changed_is_found_at_the_first_entry_that_showed_it(session: Session) -> None:
    shown = {"notice_version_id": purpose(session, "surveys").notice_version_id, "locale": "sv"}
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.WITHDRAWN)
    entry = act(session, anna, "surveys", Act.GIVEN, **shown)
    seal(session)
    tamper(session, "UPDATE notice_texts SET what = 'Something else' WHERE locale = 'sv'")
    assert _wrong(session) == {(Wrong.CHANGED, entry)}


def test_changed_evidence_is_found_and_erased_evidence_is_not_missed(session: Session) -> None:
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    first = act(session, anna, "marketing", evidence={"source": "fair"})
    act(session, bo, "marketing", evidence={"source": "shop"})
    seal(session)
    assert verified(session).is_sound
    tamper(session, "UPDATE evidence SET content = (SELECT content FROM evidence WHERE entry_id <> :id)", id=first)
    assert (Wrong.EVIDENCE, first) in _wrong(session)
    erase_recipient(session, anna.id, source="test", now=datetime.now(UTC))
    erase_recipient(session, bo.id, source="test", now=datetime.now(UTC))
    assert verified(session).is_sound


def test_the_command_names_the_first_wrong_entry_and_fails(app: Flask, session: Session, tmp_path: Path) -> None:
    anna = make_recipient(session)
    ids = [act(session, anna, "surveys", one) for one in (Act.GIVEN, Act.WITHDRAWN, Act.GIVEN)]
    kept = tmp_path / "head.json"
    kept.write_text(json.dumps(seal(session).as_json()))
    run = app.test_cli_runner().invoke
    sound = run(args=["ledger", "verify", "--head", str(kept)])
    assert (sound.exit_code, sound.stdout.splitlines()[1]) == (
        0,
        "1 heads over 3 entries, 0 not sealed yet, 0 findings.",
    )
    tamper(session, "UPDATE ledger_entries SET locale = 'xx' WHERE id > :id", id=ids[0])
    broken = run(args=["ledger", "verify"])
    assert broken.exit_code == 1
    assert f"The first wrong entry is {ids[1]}.\n  changed: entry {ids[1]}, sealed as 1\n" in broken.stdout
    told = json.loads(run(args=["ledger", "verify", "--json"]).stdout)
    assert (told["first_wrong_entry"], len(told["findings"]), told["heads"]) == (ids[1], 2, 1)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "null", '{"head": {"format": "ledger-head/2"}}', "\x00", "[" * 9000]
)
def test_a_file_that_is_no_head_is_one_line(app: Flask, tmp_path: Path, content: str) -> None:
    path = tmp_path / "head.json"
    path.write_text(content)
    ran = app.test_cli_runner().invoke(args=["ledger", "verify", "--head", str(path)])
    assert (ran.exit_code, ran.stderr.count("\n")) == (1, 1)
    assert "is not a published head" in ran.stderr
