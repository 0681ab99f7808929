"""The ledger only grows, and choices are what it says (house rule 7)."""

from __future__ import annotations

import json
import threading

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.recipient_id import format_recipient_id
from preferences.models.transaction import snapshot, transaction
from preferences.queries.ledger.ledger import entries_of
from preferences.services.ledger.verify import rebuild_choices, verify_ledger
from tests.factories import act, make_recipient

GROWING = ["ledger_entries", "notice_versions", "notice_texts"]
CHANGE = {
    "ledger_entries": "UPDATE ledger_entries SET act = 'given'",
    "notice_versions": "UPDATE notice_versions SET lawful_basis = 'consent'",
    "notice_texts": "UPDATE notice_texts SET title = 'something else'",
}


@pytest.mark.parametrize("table", GROWING)
def test_what_only_grows_refuses_change_and_removal(session: Session, table: str) -> None:
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    for statement in (CHANGE[table], f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError, match=f"{table} is append-only"):
            session.execute(text(statement))
        session.rollback()


@pytest.mark.parametrize("table", GROWING)
def test_what_only_grows_refuses_to_be_emptied(app: Flask, session: Session, table: str) -> None:
    if session.get_bind().dialect.name != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(DatabaseError, match="append-only"):
        session.execute(text(f"TRUNCATE {table} CASCADE"))


@pytest.mark.parametrize("table", GROWING)
def test_what_only_grows_refuses_to_be_replaced(session: Session, table: str) -> None:
    """SQLite's INSERT OR REPLACE removes a row without asking the trigger on DELETE."""
    if session.get_bind().dialect.name != "sqlite":
        pytest.skip("PostgreSQL has no REPLACE")
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    with pytest.raises(DatabaseError, match=f"{table} is append-only"):
        session.execute(text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"))


def test_entries_hold_no_personal_data(session: Session) -> None:
    anna = make_recipient(session, "anna.ek@example.se", name="Anna Ek", external_id="K-77")
    act(session, anna, "marketing", Act.GIVEN, evidence={"source": "fair, met Anna Ek", "wording": "Ja tack"})
    rows = session.execute(text("SELECT * FROM ledger_entries")).all()
    for secret in ("anna", "Ek", "K-77", "fair", "Ja tack"):
        assert secret not in repr(rows)


def test_verify_finds_a_choice_that_was_changed_behind_the_ledgers_back(session: Session) -> None:
    act(session, make_recipient(session), "marketing", Act.WITHDRAWN)
    assert verify_ledger(session).is_sound
    session.execute(text("UPDATE choices SET act = 'given'"))
    found = verify_ledger(session)
    assert [one.folded.act for one in found.differences] == [Act.WITHDRAWN]


def test_verify_finds_a_choice_without_entries_and_entries_without_a_choice(session: Session) -> None:
    first, second, third = (make_recipient(session, f"r{n}@example.se") for n in range(3))
    for one in (first, second, third):
        act(session, one, "marketing", Act.WITHDRAWN)
    session.execute(text("DELETE FROM choices WHERE recipient_id = :one"), {"one": second.id})
    session.execute(
        text("UPDATE choices SET recipient_id = :none WHERE recipient_id = :one"), {"none": 1, "one": third.id}
    )
    found = {one.recipient_id: (one.stored.act, one.folded.act) for one in verify_ledger(session).differences}
    assert found == {
        second.id: (None, Act.WITHDRAWN),
        third.id: (None, Act.WITHDRAWN),
        1: (Act.WITHDRAWN, None),
    }
    rebuild_choices(session)
    assert verify_ledger(session).is_sound


def test_verification_sees_one_moment_while_others_write(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.WITHDRAWN)
    with snapshot() as seen:
        first = len(entries_of(seen, anna.id))

        def write_beside() -> None:
            with app.app_context(), transaction() as own:
                act(own, anna, "surveys", Act.REFUSED)

        thread = threading.Thread(target=write_beside)
        thread.start()
        thread.join()
        assert len(entries_of(seen, anna.id)) == first == 1
        assert verify_ledger(seen).is_sound
    with snapshot() as seen:
        assert len(entries_of(seen, anna.id)) == 2


def test_verify_command_reports_and_fails_where_choices_differ(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    act(session, anna, "marketing", Act.WITHDRAWN)
    runner = app.test_cli_runner()
    sound = runner.invoke(args=["ledger", "verify"])
    assert (sound.exit_code, sound.stdout) == (
        0,
        "1 entries, 1 choices, 0 differences.\n0 heads over 0 entries, 1 not sealed yet, 0 findings.\n",
    )
    session.execute(text("UPDATE choices SET act = 'given'"))
    session.commit()
    broken = runner.invoke(args=["ledger", "verify", "--json"])
    assert broken.exit_code == 1
    (difference,) = json.loads(broken.stdout)["differences"]
    assert difference["recipient"] == format_recipient_id(anna.id)
    assert (difference["stored"], difference["folded"]) == ("given", "withdrawn")
    assert "folded withdrawn" in runner.invoke(args=["ledger", "verify"]).stdout
    assert runner.invoke(args=["ledger", "rebuild"]).stdout == "1 choices rebuilt.\n"
    assert runner.invoke(args=["ledger", "verify"]).exit_code == 0
