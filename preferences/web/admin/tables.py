"""Tables that become cards on a telephone: each cell carries the name of its column, and every part says what it is.

Browsers take a table's meaning away from rows and cells that are laid out as blocks, so the roles are written out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

_CELL = re.compile(r"<(t[dh])\b")
MOST_IN_A_ROW = 3


def is_in_cards(heads: Sequence[Any]) -> bool:
    """Whether a telephone is too narrow for these columns: four of them, or three that are no numbers."""
    words = [head for head in heads if _text(head) is head]
    return len(heads) > MOST_IN_A_ROW or len(words) >= MOST_IN_A_ROW


def in_cards(cells: Markup, heads: Sequence[Any]) -> Markup:
    """The cells of a row with the names of their columns; `heads` are those of the table, as `data_table` takes them."""
    names = iter(heads)

    def named(found: re.Match[str]) -> str:
        role = "rowheader" if found[1] == "th" else "cell"
        return f'<{found[1]} role="{role}" data-label="{escape(_text(next(names, "")))}"'

    return Markup(_CELL.sub(named, cells))  # noqa: S704 - the cells were escaped, and so is what is added


def _text(head: Any) -> Any:
    """The words of a head, which may come with its class."""
    return head[0] if isinstance(head, (list, tuple)) else head
