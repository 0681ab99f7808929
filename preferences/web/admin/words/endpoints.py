"""What may be shown of an endpoint: its host, because the rest of a URL may hold a secret; answers without addresses."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from preferences.domain.address import mask_address

MOST_ANSWER = 300
_ADDRESS = re.compile(r"[^\s<>\"'(),;:=\[\]{}]{1,64}@[^\s<>\"'(),;:=\[\]{}]{1,253}")


def host_of(url: str) -> str:
    """The host that is called, with its port where one is named."""
    parts = urlsplit(url)
    return parts.netloc or url[:60]


def masked_answer(excerpt: str | None) -> str:
    """The beginning of an answer, with every address in it masked: an endpoint may repeat whom it was told of."""
    shown = "".join(one if one.isprintable() else " " for one in (excerpt or "")[: MOST_ANSWER * 2])
    return _ADDRESS.sub(lambda found: mask_address(found[0]), shown)[:MOST_ANSWER].strip()
