"""The purposes every installation starts with (product.md), read from `builtin_purposes.toml`."""

from __future__ import annotations

import tomllib
from datetime import datetime
from importlib.resources import files
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.models.purpose import PurposeRow

from .purpose_files import parse_definition
from .purposes import add_purpose


def ensure_builtin_purposes(session: Session, *, now: datetime) -> int:
    """Add those that are not there yet, by key; never touches one that is (the company may have rewritten or archived it).

    Returns how many were added.
    """
    present = set(session.scalars(select(PurposeRow.key)))
    added = 0
    for position, (key, entry) in enumerate(load_builtin_purposes().items()):
        if key in present:
            continue
        add_purpose(session, parse_definition({"key": key, "position": position, **entry}), now=now)
        added += 1
    return added


def load_builtin_purposes() -> dict[str, Any]:
    """The file's content, in its order: parents before their topics."""
    return tomllib.loads(
        files("preferences.services.purposes").joinpath("builtin_purposes.toml").read_text(encoding="utf-8")
    )
