"""Starting for real, in a process of its own: a refusal is one line, and setting up can be repeated."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.models.purpose import NoticeVersionRow


def _run(root: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFERENCES_")}
    environment |= {f"PREFERENCES_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-W", "error", *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "arguments",
    [
        ["-m", "flask", "--app", "app", "ledger", "verify"],
        ["-m", "flask", "--app", "app", "run"],
        ["-m", "flask", "--app", "app", "--help"],
        ["-m", "flask", "--app", "app", "no-such-command"],
        ["app.py"],
    ],
)
def test_refusal_to_start_is_one_line(root: Path, tmp_path: Path, arguments: list[str]) -> None:
    ran = _run(root, *arguments, ENV="production", INSTANCE_PATH=str(tmp_path / "none"), MAIL_PASSWORD="hemligt")
    assert ran.returncode == 1
    assert ran.stderr.splitlines() == ["Error: PREFERENCES_DATABASE_URL: is required in production"]
    assert "hemligt" not in ran.stdout
    assert not (tmp_path / "none").exists()


def test_keys_can_be_made_where_the_service_does_not_start(root: Path) -> None:
    ran = _run(root, "-m", "preferences.cli.keys", "generate", ENV="production")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("PREFERENCES_") == 5


@pytest.mark.parametrize("url", ["postgresql://nobody:hemligt@127.0.0.1:1/nowhere", "sqlite:////nowhere/at/all.db"])
def test_database_that_does_not_answer_is_one_line(root: Path, tmp_path: Path, url: str) -> None:
    ran = _run(root, "-m", "flask", "--app", "app", "ledger", "verify", INSTANCE_PATH=str(tmp_path), DATABASE_URL=url)
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    assert "PREFERENCES_DATABASE_URL" in ran.stderr
    assert "hemligt" not in ran.stderr


def test_database_that_was_not_set_up_is_one_line_that_says_how(root: Path, tmp_path: Path) -> None:
    ran = _run(root, "-m", "flask", "--app", "app", "ledger", "verify", INSTANCE_PATH=str(tmp_path))
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1, ran.stderr
    assert "flask --app app setup" in ran.stderr


def test_setting_up_again_changes_nothing(app: Flask, session: Session) -> None:
    before = session.scalar(select(func.count()).select_from(NoticeVersionRow))
    session.commit()
    assert app.test_cli_runner().invoke(args=["setup"]).stdout == "The database is ready.\n"
    assert session.scalar(select(func.count()).select_from(NoticeVersionRow)) == before
