"""Migrations lead from nothing to exactly what the models say, and back, and lose nothing on the way."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import CheckConstraint, Engine, func, inspect, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.extensions import alembic
from preferences.models.base import Base
from preferences.models.recipient import RecipientRow
from preferences.queries.ledger.ledger import entries_of
from preferences.queries.purposes.purposes import forget_catalogue
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.services.ledger.verify import verify_ledger
from preferences.services.purposes.builtin_purposes import ensure_builtin_purposes
from preferences.web.plumbing import utc_now
from tests.factories import act, make_recipient

GROWING = {
    "ledger_entries",
    "notice_versions",
    "notice_texts",
    "sealed_entries",
    "seal_nodes",
    "seal_heads",
    "audit_entries",
    "policy_versions",
    "policy_texts",
}


def _upgrade(app: Flask, target: str = "heads") -> None:
    with app.app_context():
        alembic.upgrade(target)


def _downgrade(app: Flask, target: str) -> None:
    with app.app_context():
        alembic.downgrade(target)


def _chain(app: Flask) -> list[str]:
    """Revisions from the first to the newest."""
    with app.app_context():
        return [script.revision for script in reversed(alembic.log())]


def _session(app: Flask) -> Session:
    session = Session(app.extensions["sqlalchemy"].engine, expire_on_commit=False)
    forget_catalogue(session)
    return session


def _schema(app: Flask) -> dict[str, Any]:
    """Everything that a reflected schema says, in an order of its own. Asked of all tables at once: it is asked often."""
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
        seen = inspect(engine)
        triggers = _triggers(engine)
        columns, keys, indexes = seen.get_multi_columns(), seen.get_multi_pk_constraint(), seen.get_multi_indexes()
        uniques, checks = seen.get_multi_unique_constraints(), seen.get_multi_check_constraints()
        references = seen.get_multi_foreign_keys()
        return {
            at[1]: [
                sorted((c["name"], str(c["type"]), c["nullable"], str(c["default"])) for c in columns[at]),
                keys[at]["constrained_columns"],
                sorted(str(i["name"]) for i in indexes[at]),
                sorted(str(u["name"]) for u in uniques[at]),
                sorted(f"{c['name']} {c['sqltext']}" for c in checks[at]),
                sorted(str(f["name"]) for f in references[at]),
                sorted(name for table, name in triggers if table == at[1]),
            ]
            for at in sorted(columns)
            if at[1] != "alembic_version"
        }


def _triggers(engine: Engine) -> set[tuple[str, str]]:
    """Each trigger with its table."""
    question = {
        "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT relname, tgname FROM pg_trigger JOIN pg_class ON tgrelid = pg_class.oid WHERE NOT tgisinternal",
    }[engine.dialect.name]
    with engine.connect() as connection:
        return {(table, name) for table, name in connection.execute(text(question))}


def test_upgrade_from_nothing_gives_what_the_models_say(empty: Flask) -> None:
    _upgrade(empty)
    with empty.app_context():
        assert alembic.compare_metadata() == []


def test_check_constraints_are_those_of_the_models(empty: Flask) -> None:
    """A vocabulary that grew without a migration would refuse its new word; autogenerate does not compare these."""
    _upgrade(empty)
    with empty.app_context():
        engine = empty.extensions["sqlalchemy"].engine
        for name, table in Base.metadata.tables.items():
            found = {one["name"]: str(one["sqltext"]) for one in inspect(engine).get_check_constraints(name)}
            wanted = {one.name: str(one.sqltext) for one in table.constraints if isinstance(one, CheckConstraint)}
            assert set(found) == set(wanted), name
            for constraint, sql in wanted.items():
                words = set(re.findall(r"'([a-z_.]+)'", sql))
                assert set(re.findall(r"'([a-z_.]+)'", found[constraint])) == words, constraint


def test_history_is_one_line(empty: Flask) -> None:
    with empty.app_context():
        assert len(alembic.heads()) == 1, "two migrations follow the same one: put them in a row"
        assert [script.revision for script in alembic.branches()] == []
    assert _chain(empty) == sorted(_chain(empty))


def test_every_step_can_be_taken_back_and_again(empty: Flask) -> None:
    chain = _chain(empty)
    schemas = []
    for revision in chain:
        _upgrade(empty, revision)
        schemas.append(_schema(empty))
    for number in range(len(chain) - 1, 0, -1):
        _downgrade(empty, chain[number - 1])
        assert _schema(empty) == schemas[number - 1], f"down from {chain[number]}"
        _upgrade(empty, chain[number])
        assert _schema(empty) == schemas[number], f"up again to {chain[number]}"
        _downgrade(empty, chain[number - 1])
    _downgrade(empty, "base")
    assert _schema(empty) == {}


def test_upgrading_twice_changes_nothing(empty: Flask) -> None:
    _upgrade(empty)
    before = _schema(empty)
    _upgrade(empty)
    assert _schema(empty) == before


def test_data_survives_every_step_down_to_the_core_and_up_again(empty: Flask) -> None:
    _upgrade(empty)
    with empty.app_context(), _session(empty) as session:
        ensure_builtin_purposes(session, now=utc_now())
        anna = make_recipient(
            session, "anna@example.se", name="Anna", external_id="K1", profile={"company_name": "Å AB"}
        )
        act(session, anna, "marketing", Act.GIVEN, evidence={"source": "fair"})
        act(session, anna, "events", Act.OBJECTED)
        before = entries_of(session, anna.id)
    chain = _chain(empty)
    for revision in reversed(chain[1:-1]):
        _downgrade(empty, revision)
    for revision in chain[2:]:
        _upgrade(empty, revision)
    with empty.app_context(), _session(empty) as session:
        assert recipient_by_id(session, anna.id) == anna
        assert entries_of(session, anna.id) == before
        assert verify_ledger(session).is_sound
        assert session.scalar(select(func.count()).select_from(RecipientRow)) == 1


def test_triggers_stand_guard_over_everything_that_only_grows(empty: Flask) -> None:
    _upgrade(empty)
    kind = empty.extensions["sqlalchemy"]
    with empty.app_context():
        verbs = {"sqlite": ("no_update", "no_delete", "no_replace"), "postgresql": ("no_change", "no_truncate")}[
            kind.engine.dialect.name
        ]
        found = _triggers(kind.engine)
        for table in GROWING:
            assert found >= {(table, f"{table}_{verb}") for verb in verbs}


def test_guard_stands_again_after_a_step_down_and_up(empty: Flask) -> None:
    _upgrade(empty)
    chain = _chain(empty)
    _downgrade(empty, chain[0])
    _upgrade(empty)
    with empty.app_context(), _session(empty) as session:
        ensure_builtin_purposes(session, now=utc_now())
        session.commit()
        with pytest.raises(DatabaseError, match="append-only"):
            session.execute(text("DELETE FROM notice_texts"))


def test_names_follow_the_convention(empty: Flask) -> None:
    """What a later migration has to change, it must be able to name (house rule 10)."""
    _upgrade(empty)
    for table, (_, _, indexes, uniques, checks, foreign_keys, _) in _schema(empty).items():
        for name in indexes:
            assert name.startswith((f"ix_{table}_", f"uq_{table}_")), name
        assert all(name.startswith(f"uq_{table}_") for name in uniques)
        assert all(name.startswith(f"ck_{table}_") for name in checks)
        assert all(name.startswith(f"fk_{table}_") for name in foreign_keys)


def test_migrations_import_no_models(root: Path) -> None:
    """A migration must do in ten years what it did on its day, whatever has become of the models."""
    for path in (root / "migrations").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.split(".")[0] in {"preferences", "app", "tests"}], path.name
