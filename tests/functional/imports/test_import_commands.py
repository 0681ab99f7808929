"""`flask import …`: what it prints, its reports, and one clear line for bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.models.import_batch import ImportBatchRow
from tests.factories import act, make_recipient


def consents(count: int) -> bytes:
    lines = [f"person{number}@example.se,marketing,given,2024-05-01,web" for number in range(count)]
    return "\n".join(["email,purpose,act,occurred_at,source", *lines]).encode()


Flask_ = Callable[..., Result]


@pytest.fixture
def flask(app: Flask) -> Flask_:
    """Runs `flask import …`."""

    def run(*arguments: str) -> Result:
        return app.test_cli_runner().invoke(args=["import", *arguments])

    return run


def test_the_commands_say_what_would_happen_then_do_it(flask: Flask_, tmp_path: Path) -> None:
    file = tmp_path / "kunder.csv"
    file.write_bytes("E-post;Namn;Lösenord\r\n=cmd@example.se;=1+1;x\r\ninte;;\r\n".encode("cp1252"))
    tried = flask("dry-run", str(file), "--report", str(tmp_path / "report.csv"))
    assert tried.exit_code == 0, tried.output
    assert "E-post -> email" in tried.output
    assert "not read: Lösenord" in tried.output
    assert "new 1, changed 0, unchanged 0, held 0, invalid 1" in tried.output
    report = (tmp_path / "report.csv").read_text(encoding="utf-8-sig").splitlines()
    assert report == [
        "line,outcome,reason,detail",
        "2,new,,",
        "3,invalid,syntax,This does not look like an email address.",
    ]
    number = json.loads(flask("list", "--json").output)[0]["id"]
    done = flask("apply", str(number), "--json")
    assert json.loads(done.output)["counts"]["new"] == 1
    assert json.loads(done.output)["stage"] == "applied"
    assert flask("show", str(number)).exit_code == 0
    assert "kunder.csv" in flask("list").output


def test_the_dry_run_says_how_many_would_be_revived(flask: Flask_, session: Session, tmp_path: Path) -> None:
    for number in range(2):
        act(session, make_recipient(session, f"person{number}@example.se"), "marketing", Act.WITHDRAWN)
    session.rollback()
    (tmp_path / "a.csv").write_bytes(consents(2))
    assert "2 rows would revive people who opted out: held." in flask("dry-run", str(tmp_path / "a.csv")).output


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (b"PK\x03\x04....", [], "Excel workbook"),
        (b"", [], "The file is empty"),
        (b"namn\nAnna\n", [], "No column is mapped to email"),
        (b"email\na@b.se\n", ["--mapping", "{"], "not JSON"),
        (b"email\na@b.se\n", ["--mapping", "no-such-file.json"], "cannot be read"),
    ],
)
def test_bad_input_ends_in_one_clear_line(
    flask: Flask_, session: Session, tmp_path: Path, content: bytes, options: list[str], says: str
) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    result = flask("dry-run", str(tmp_path / "a.csv"), *options)
    assert result.exit_code == 1
    assert says in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert session.scalars(select(ImportBatchRow)).all() == []


def test_an_import_that_does_not_exist_or_is_done_is_named(flask: Flask_, tmp_path: Path) -> None:
    assert "There is no import 99" in flask("apply", "99").output
    (tmp_path / "a.csv").write_bytes(b"email\n")
    number = str(json.loads(flask("dry-run", str(tmp_path / "a.csv"), "--json").output)["id"])
    assert flask("discard", number).exit_code == 0
    result = flask("apply", number)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
