"""Where a long address may be broken into lines: after its @, its dots and its slashes, rather than in the middle of a word."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup, escape

_AFTER = re.compile(r"(?<=[@./])(?=\w)")


def breakable(text: Any) -> Markup:
    """The text, escaped, with a `<wbr>` wherever a line may end inside an address."""
    return Markup(_AFTER.sub("<wbr>", str(escape(text))))  # noqa: S704 - escaped on the line itself
