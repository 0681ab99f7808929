"""A backup is of one moment, holds no key, is proved by restoring it, and goes back into nothing but an empty database."""

from __future__ import annotations

import json
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.integrations import database_copies
from preferences.models.crypto import Keyring, keyring, use_keyring
from preferences.models.transaction import transaction
from tests.conftest import KEY
from tests.factories import act, make_recipient
from tests.support import databases
from tests.support.full_person import make_full_person
from tests.support.seals import seal, write_entries
from tests.support.tampering import tamper


def _run(app: Flask, *arguments: object) -> Any:
    return app.test_cli_runner().invoke(args=[str(one) for one in arguments])


def _is_postgresql(app: Flask) -> bool:
    return str(app.config["SQLALCHEMY_DATABASE_URI"]).startswith("postgresql")


@pytest.fixture
def copy(app: Flask, session: Session, tmp_path: Path) -> Path:
    """A copy of a database with somebody in it, sealed."""
    make_full_person(session)
    seal(session)
    path = tmp_path / "copy.backup"
    made = _run(app, "backup", path)
    assert made.exit_code == 0, made.stderr
    assert "The keys are not in it" in made.stderr
    return path


@pytest.fixture
def empty_url(app: Flask, tmp_path: Path) -> Iterator[str]:
    """A database of the same kind with nothing in it."""
    if not _is_postgresql(app):
        yield f"sqlite:///{tmp_path / 'restored.db'}"
        return
    url = databases.fresh_database("preferences_restored")
    yield url
    databases.drop_database("preferences_restored")


def test_a_copy_is_sound_and_for_its_owner_alone(app: Flask, copy: Path) -> None:
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    checked = _run(app, "restore", "--check", copy)
    assert checked.exit_code == 0, checked.output
    assert checked.stdout.endswith("The copy is sound.\n")
    told = json.loads(_run(app, "restore", "--check", copy, "--json").stdout)
    assert (told["recipients"], told["heads"], told["findings"], told["unreadable"]) == (1, 1, 0, [])
    assert (told["migrations_behind"], told["sound"]) == (0, True)
    assert [one.name for one in copy.parent.iterdir() if one.name.startswith(".")] == []


def test_a_copy_holds_no_key_and_nothing_personal_in_the_clear(app: Flask, copy: Path) -> None:
    content = copy.read_bytes()
    settings = app.extensions["preferences.settings"]
    for secret in (*settings.data_keys, *settings.seal_keys, settings.index_key, KEY[1:].encode(), b"Akesson@"):
        assert secret not in content


def test_a_copy_goes_back_into_an_empty_database_and_into_no_other(
    app: Flask, session: Session, copy: Path, empty_url: str
) -> None:
    restored = _run(app, "restore", copy, "--into", empty_url)
    assert restored.exit_code == 0, restored.stderr
    assert "run `setup` and `ledger verify`" in restored.stdout
    count = "SELECT count(*) FROM ledger_entries"
    wanted = session.execute(text(count)).scalar_one()
    if _is_postgresql(app):
        with psycopg.connect(empty_url) as connection:
            assert connection.execute(count).fetchone() == (wanted,)
            with pytest.raises(psycopg.Error, match="append-only"):
                connection.execute("DELETE FROM ledger_entries")
    else:
        with closing(sqlite3.connect(empty_url.removeprefix("sqlite:///"))) as connection:
            assert connection.execute(count).fetchone() == (wanted,)
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute("DELETE FROM ledger_entries")
    again = _run(app, "restore", copy, "--into", empty_url)
    assert (again.exit_code, "not empty" in again.stderr) == (1, True)
    own = _run(app, "restore", copy, "--into", app.config["SQLALCHEMY_DATABASE_URI"])
    assert (own.exit_code, "not empty" in own.stderr) == (1, True)


def test_a_copy_of_a_tampered_ledger_is_not_called_sound(app: Flask, session: Session, tmp_path: Path) -> None:
    write_entries(session, 3)
    seal(session)
    tamper(session, "UPDATE ledger_entries SET locale = 'xx'")
    assert _run(app, "backup", tmp_path / "copy").exit_code == 0
    checked = _run(app, "restore", "--check", tmp_path / "copy")
    assert checked.exit_code == 1
    assert checked.stdout.endswith("The copy is NOT sound.\n")


def test_a_copy_that_other_keys_belong_to_is_not_called_sound(app: Flask, copy: Path) -> None:
    settings = app.extensions["preferences.settings"]
    ours = keyring()
    use_keyring(Keyring([b"other key of thirty-two bytes ok"], settings.index_key))
    try:
        checked = _run(app, "restore", "--check", copy)
    finally:
        use_keyring(ours)
    assert checked.exit_code == 1
    assert "Values in recipients.address do not open" in checked.stderr


def test_a_copy_is_of_one_moment_while_others_write(app: Flask, session: Session, tmp_path: Path) -> None:
    people = [make_recipient(session, f"r{number}@example.se") for number in range(3)]
    stop = threading.Event()

    def write() -> None:
        with app.app_context():
            while not stop.is_set():
                for one in people:
                    with transaction() as own:
                        act(own, one, "surveys", Act.REFUSED)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        results = [_run(app, "backup", tmp_path / f"copy{number}") for number in range(2)]
    finally:
        stop.set()
        writer.join()
    assert [one.exit_code for one in results] == [0, 0], results[0].output
    told = json.loads(_run(app, "restore", "--check", tmp_path / "copy1", "--json").stdout)
    assert (told["differences"], told["sound"]) == (0, True)


@pytest.mark.parametrize(
    "content", [b"", b"x", b"SQLite format 3\x00" + b"\x00" * 900, b"PGDMP" + b"\x00" * 90, b"\xff" * 9000]
)
def test_what_is_no_copy_is_one_line(app: Flask, tmp_path: Path, content: bytes, empty_url: str) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    for arguments in (["--check"], ["--into", empty_url]):
        ran = _run(app, "restore", path, *arguments)
        assert (ran.exit_code, ran.stderr.count("\n"), ran.stderr[:6]) == (1, 1, "Error:"), ran.output
    assert database_copies.is_empty(empty_url)


def test_a_database_of_somebody_else_is_not_taken_for_ours(app: Flask, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE notes (text)")
    ran = _run(app, "restore", "--check", tmp_path / "other.db")
    assert (ran.exit_code, "not one of this service" in ran.stderr) == (1, True)


def test_refusals_are_one_line_and_leave_what_is_there(
    app: Flask, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    there.write_bytes(b"mine")
    refused = _run(app, "backup", there)
    assert (refused.exit_code, "there already" in refused.stderr, there.read_bytes()) == (1, True, b"mine")
    assert _run(app, "backup", tmp_path / "no" / "folder").exit_code == 1
    assert _run(app, "restore", there).exit_code == 2
    assert _run(app, "restore", there, "--check", "--into", "sqlite:///x").exit_code == 2
    if _is_postgresql(app):
        monkeypatch.setenv("PATH", "")
        without = _run(app, "backup", tmp_path / "new")
        assert (without.exit_code, "pg_dump is not installed" in without.stderr) == (1, True)
        monkeypatch.undo()
    assert [one.name for one in tmp_path.iterdir() if one.name != "there"] == []


def test_a_password_never_stands_on_a_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Any] = []

    def note(command: list[str], **more: Any) -> Any:
        seen.append((command, more["env"].get("PGPASSWORD")))
        raise OSError("not run")

    monkeypatch.setattr("subprocess.run", note)
    monkeypatch.setattr("shutil.which", lambda _: "/bin/true")
    with pytest.raises(OSError, match="not run"):
        database_copies.copy_database("postgresql+psycopg://anna:s3cret%40@db.example:5433/prefs", tmp_path / "x")
    ((command, password),) = seen
    assert password == "s3cret@"
    assert "s3cret" not in " ".join(command)
    assert "host=db.example" in command[-1]
