"""docs/commands.md has a section for every command of ours: its options, each with its flag, and an example (house rule 13)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from flask import Flask
from flask.cli import FlaskGroup


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command of ours with its full name; those of Flask and of extensions have documents of their own."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        elif command.callback is not None and _module(command).startswith("preferences."):
            yield " ".join((*path, name)), command


def _module(command: click.Command) -> str:
    callback: Any = command.callback
    while hasattr(callback, "__wrapped__"):
        callback = callback.__wrapped__
    return getattr(callback, "__module__", "")


@pytest.fixture
def sections(root: Path) -> dict[str, str]:
    """The document's sections by the name in their heading."""
    page = (root / "docs" / "commands.md").read_text()
    parts = re.split(r"^### `([^`]+)`\n", page, flags=re.MULTILINE)
    return {heading.split(" [")[0]: text for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def _named(heading: str) -> str:
    return " ".join(word for word in heading.split() if word == word.lower())


def test_every_command_has_a_section_with_its_options_and_an_example(app: Flask, sections: dict[str, str]) -> None:
    by_name = {_named(heading): text for heading, text in sections.items()}
    missing: list[str] = []
    for name, command in _commands(app.cli):
        if name not in by_name:
            missing.append(name)
            continue
        for one in command.params:
            if (
                isinstance(one, click.Option)
                and not one.hidden
                and not any(f"`{flag}" in by_name[name] for flag in one.opts)
            ):
                missing.append(f"{name} {one.opts[0]}")
        if not re.search(rf"^\$ .*flask --app app {re.escape(name)}\b", by_name[name], re.MULTILINE):
            missing.append(f"{name}: an example")
    assert missing == []


def test_every_section_is_about_a_command_that_exists(app: Flask, sections: dict[str, str]) -> None:
    known = {name for name, _ in _commands(app.cli)}
    assert {_named(heading) for heading in sections} <= known


def test_every_command_says_what_it_does(app: Flask) -> None:
    for name, command in _commands(app.cli):
        assert command.help, name
        assert all(one.help for one in command.params if isinstance(one, click.Option)), name


def test_help_of_every_command_can_be_printed(app: Flask) -> None:
    for name, _ in _commands(app.cli):
        assert app.test_cli_runner().invoke(args=[*name.split(), "--help"]).exit_code == 0, name


def test_commands_do_not_shadow_those_of_flask(app: Flask) -> None:
    assert not set(FlaskGroup(add_default_commands=True).commands) & set(app.cli.commands)
