"""Every command answers bad input, a wrong setting or a missing database with one clear line and a non-zero exit."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import IO, Any

import click
from flask.cli import NoAppException
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from preferences.domain.errors import ConfigurationError, PreferencesError
from preferences.models.crypto import UnreadableValue

_MARK = "_answers_in_one_line"


class Misconfigured(ConfigurationError, NoAppException):
    """A ConfigurationError that every `flask` command prints as one line, `--help` too, and that ends it with status 1.

    Left to itself, `flask` would print the message of a NoAppException and go on to say that there is no such command.
    """

    exit_code = 1

    def format_message(self) -> str:
        """Never returns: see above."""
        raise click.ClickException(self.detail)

    def show(self, file: IO[Any] | None = None) -> None:
        """The one line."""
        click.ClickException(self.detail).show(file)


def answer_in_one_line(group: click.Group) -> None:
    """Have every command below this group turn refusals into one line. Safe to repeat."""
    for command in group.commands.values():
        if isinstance(command, click.Group):
            answer_in_one_line(command)
        if command.callback is not None and not hasattr(command.callback, _MARK):
            command.callback = _refusing(command.callback)


def _refusing(callback: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(callback)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return callback(*args, **kwargs)
        except click.ClickException:
            raise
        except PreferencesError as error:
            at = f" ({error.pointer})" if error.pointer else ""
            raise click.ClickException(error.detail + at) from error
        except UnreadableValue as error:
            raise click.ClickException(f"{error}: see docs/keys.md") from error
        except IntegrityError as error:
            raise click.ClickException(
                "the change contradicts what somebody else has just stored; look, and repeat"
            ) from error
        except (OperationalError, ProgrammingError) as error:
            raise click.ClickException(
                "the database does not answer, or has no tables yet: check PREFERENCES_DATABASE_URL, "
                f"then run `flask --app app setup` ({type(error.orig).__name__})"
            ) from error

    setattr(call, _MARK, True)
    return call
