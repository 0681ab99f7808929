"""Whatever a command refuses, it says in one line, with a non-zero exit and without a traceback."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from preferences.cli.one_line import answer_in_one_line
from preferences.domain.errors import ConfigurationError, InvalidValue, NotFound
from preferences.models.crypto import UnreadableValue


def _group(error: BaseException) -> click.Group:
    @click.group()
    def outer() -> None:
        """Outer."""

    @outer.group()
    def inner() -> None:
        """Inner."""

    @inner.command()
    def fail() -> None:
        """Fail."""
        raise error

    answer_in_one_line(outer)
    answer_in_one_line(outer)
    return outer


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (InvalidValue("This is wrong.", pointer="/key"), "Error: This is wrong. (/key)"),
        (NotFound("There is no such thing."), "Error: There is no such thing."),
        (ConfigurationError("PREFERENCES_PORT", "is odd"), "Error: PREFERENCES_PORT: is odd"),
        (
            UnreadableValue("no key for a value in recipients.name"),
            "Error: no key for a value in recipients.name: see docs/keys.md",
        ),
        (click.ClickException("said already"), "Error: said already"),
    ],
)
def test_refusal_is_one_line(error: Exception, says: str) -> None:
    ran = CliRunner().invoke(_group(error), ["inner", "fail"])
    assert (ran.exit_code, ran.stdout, ran.stderr) == (1, "", says + "\n")


@pytest.mark.parametrize("kind", [OperationalError, ProgrammingError, IntegrityError])
def test_trouble_with_the_database_is_one_line_without_statement_or_parameters(kind: type[OperationalError]) -> None:
    error = kind("INSERT INTO recipients …", {"name": "Anna"}, Exception("Key (name)=(Anna) exists"))
    ran = CliRunner().invoke(_group(error), ["inner", "fail"])
    assert ran.exit_code == 1
    assert len(ran.stderr.splitlines()) == 1
    assert "Anna" not in ran.output
    assert "INSERT" not in ran.output


def test_mistake_of_our_own_keeps_its_traceback() -> None:
    ran = CliRunner().invoke(_group(ZeroDivisionError()), ["inner", "fail"])
    assert isinstance(ran.exception, ZeroDivisionError)
