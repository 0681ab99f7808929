"""Pages of a long list by key, not by number: the last page costs what the first does, and new rows shift nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request, url_for

R = TypeVar("R")

ROWS = 50
BEFORE = "before"
"""In the address: the key of the last row that the page before showed."""


@dataclass(frozen=True, slots=True)
class Rows(Generic[R]):
    """What one page shows. `older` and `first` are addresses; empty where there is nothing to go to."""

    rows: Sequence[R]
    older: str
    first: str


def page_of(found: Sequence[R], key: Callable[[R], Any], *, rows: int = ROWS) -> Rows[R]:
    """The page out of `rows` + 1 found rows: the one too many only tells that there is more. Filters stay in the addresses."""
    shown = found[:rows]
    older = _address(**{BEFORE: key(shown[-1])}) if len(found) > rows else ""
    return Rows(shown, older, _address() if request.args.get(BEFORE) else "")


def _address(**values: Any) -> str:
    kept = {name: value for name, value in request.args.items() if name not in {BEFORE, "done"}}
    return url_for(request.endpoint or "", **{**(request.view_args or {}), **kept, **values})
