"""Who may call a view. Every view says so; one that does not is refused, and a test walks the URL map."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from flask import abort, current_app, request

View = TypeVar("View", bound=Callable[..., Any])


class Access(StrEnum):
    """The kinds of authority a request can carry."""

    PUBLIC = "public"
    TOKEN = "token"  # noqa: S105 - the signed link in the path is the only credential (T6)
    STEP_UP = "step_up"
    """An open session of a person who has proved the mailbox; preferences/web/session.py keeps everybody else out."""
    MAILER = "mailer"
    OPERATOR = "operator"
    """A monitor, with the bearer key of PREFERENCES_METRICS_KEY."""
    HALF_STAFF = "half_staff"
    """Somebody on the staff whose password was right, and whose second factor is still missing."""
    RETURNING = "returning"
    """A browser that comes back from the identity provider; the state that it set out with, signed in its cookie, says so."""
    STAFF = "staff"
    """Somebody on the staff who is signed in. Such a view names a permission, too (web/admin/guard.py)."""
    HOOK = "hook"
    """An ESP, by the scheme of its provider; the view verifies before it reads anything."""
    LOCAL = "local"
    """Development only: the local mailbox."""


def access(kind: Access) -> Callable[[View], View]:
    """Declare what a view asks of its caller."""

    def declare(view: View) -> View:
        view.access = kind  # type: ignore[attr-defined]
        return view

    return declare


def declared_access(view: Callable[..., Any]) -> Access | None:
    """What a view declared, if anything."""
    return getattr(view, "access", None)


def deny_undeclared() -> None:
    """Before every request: a view that declares no access does not run."""
    if request.endpoint is None or request.endpoint == "static":
        return
    if declared_access(current_app.view_functions[request.endpoint]) is None:
        abort(403)
