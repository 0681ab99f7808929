"""Purposes from files and on the command line: strict, one clear line on bad input, nothing moved or deleted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask import Flask

FILE = """
key = "webinars"
about = "mail"
lawful_basis = "consent"
[texts.sv]
title = "Webbinarier"
what = "Vi bjuder in dig."
why = "För att visa."
who = "Bara vi."
how_long = "Tills du tackar nej."
[texts.en]
title = "Webinars"
what = "We invite you."
why = "To show you."
who = "Only us."
how_long = "Until you say no."
"""


def test_commands_add_publish_archive_and_list(app: Flask, tmp_path: Path) -> None:
    run = app.test_cli_runner().invoke
    file = tmp_path / "webinars.toml"
    file.write_text("\ufeff" + FILE)
    assert run(args=["purposes", "add", str(file)]).stdout == "webinars added, version 1.\n"
    assert run(args=["purposes", "publish", str(file)]).stderr.startswith(
        "Error: Version 1 of 'webinars' says exactly this"
    )
    file.write_text(FILE.replace("Webbinarier", "Webbsändningar"))
    assert json.loads(run(args=["purposes", "publish", str(file), "--json"]).stdout) == {
        "key": "webinars",
        "version": 2,
    }
    assert run(args=["purposes", "archive", "webinars"]).stdout == "webinars archived.\n"
    listed = {one["key"]: one for one in json.loads(run(args=["purposes", "list", "--json", "--archived"]).stdout)}
    assert listed["webinars"]["version"] == 2
    assert listed["webinars"]["archived_at"]
    assert listed["webinars"]["titles"] == {"sv": "Webbsändningar", "en": "Webinars"}
    assert listed["product_news"]["parent"] == "marketing"
    assert re.search(r"webinars .* archived \d{4}-", run(args=["purposes", "list", "--archived"]).stdout)
    shown = run(args=["purposes", "list"]).stdout
    assert "webinars" not in shown
    assert re.search(r"^  product_news +consent +version 1, en\+sv, customer exception$", shown, re.MULTILINE)


def test_json_file_is_read_too(app: Flask, tmp_path: Path) -> None:
    import tomllib

    file = tmp_path / "webinars.json"
    file.write_text(json.dumps(tomllib.loads(FILE)))
    assert app.test_cli_runner().invoke(args=["purposes", "add", str(file)]).exit_code == 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.toml", "key = ", "a.toml cannot be read"),
        ("a.toml", "\x00", "a.toml cannot be read"),
        ("a.toml", b"key = '\xff\xfe'", "a.toml cannot be read"),
        ("a.toml", FILE.encode("utf-16"), "a.toml cannot be read"),
        ("a.toml", "", "`key` must be text"),
        ("a.toml", FILE.replace("about", "abuot"), "no field named 'abuot'"),
        ("a.toml", FILE.replace('"mail"', '"post"'), "`about` must be one of mail, publication, everything"),
        ("a.toml", FILE.replace('"consent"', '"legal_duty"'), "`lawful_basis` must be one of"),
        ("a.toml", FILE.replace('"consent"', "1"), "`lawful_basis` must be text"),
        ("a.toml", FILE.replace('lawful_basis = "consent"', 'lawful_basis = "consent"\nposition = -1'), "`position`"),
        ("a.toml", FILE.replace('lawful_basis = "consent"', 'lawful_basis = "consent"\nposition = true'), "`position`"),
        ("a.toml", FILE.replace('"Bara vi."', '"  "'), "`who` is empty"),
        ("a.toml", FILE.replace('who = "Bara vi."\n', ""), "`who` must be text, and is required"),
        ("a.toml", FILE.replace("[texts.en]", "[texts.de]"), "no text in en (PREFERENCES_LOCALES)"),
        ("a.toml", FILE.split("[texts.sv]")[0], "`texts` must be a table"),
        ("a.toml", FILE + "x" * 300_000, "larger than 256 kB"),
        ("a.json", "{", "a.json cannot be read"),
        ("a.json", "[" * 100_000, "a.json cannot be read"),
        ("a.json", "[]", "must hold one table"),
        ("a.json", '{"key": "a", "key": "b"}', "a field stands there twice"),
        (
            "a.json",
            '{"key": "a", "about": "mail", "lawful_basis": "consent", "texts": {"sv": []}}',
            "`sv` must be a table",
        ),
    ],
)
def test_bad_file_is_refused_in_one_line(
    app: Flask, tmp_path: Path, name: str, content: str | bytes, says: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    for command in ("add", "publish"):
        ran = app.test_cli_runner().invoke(args=["purposes", command, str(file)])
        assert ran.exit_code == 1
        assert ran.stdout == ""
        assert ran.stderr.startswith("Error: ")
        assert len(ran.stderr.splitlines()) == 1
        assert says in ran.stderr


@pytest.mark.parametrize(
    ("replaced", "by", "says"),
    [
        ('about = "mail"', 'about = "publication"', "webinars is about mail"),
        ('about = "mail"', 'about = "mail"\nparent = "marketing"', "webinars stands under no purpose"),
        ('key = "webinars"', 'key = "unheard_of"', "no purpose or topic named 'unheard_of'"),
    ],
)
def test_published_version_cannot_move_a_purpose(app: Flask, tmp_path: Path, replaced: str, by: str, says: str) -> None:
    file = tmp_path / "a.toml"
    file.write_text(FILE)
    app.test_cli_runner().invoke(args=["purposes", "add", str(file)])
    file.write_text(FILE.replace(replaced, by))
    ran = app.test_cli_runner().invoke(args=["purposes", "publish", str(file)])
    assert ran.exit_code == 1
    assert says in ran.stderr


def test_file_that_is_not_there_is_a_usage_error(app: Flask, tmp_path: Path) -> None:
    ran = app.test_cli_runner().invoke(args=["purposes", "add", str(tmp_path / "none.toml")])
    assert ran.exit_code == 2
    assert "does not exist" in ran.stderr
