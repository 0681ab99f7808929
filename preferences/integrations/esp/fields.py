"""Picks values out of events that may hold anything anywhere. Nothing here raises: what is not there, or not so, is empty."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

MOST_CHARACTERS = 1000
LINK_NAMES = frozenset({"preferences_link", "x_preferences_link", "list_unsubscribe"})
MESSAGE_NAMES = frozenset({"preferences_message", "x_preferences_message"})
"""Names under which mailers send our link and their own reference along, in metadata or headers, in any case, `-` or `_`."""

_TOKEN = re.compile(r"(?:^|/u/)([A-Za-z0-9_-]{28}\.[A-Za-z0-9_-]{22})(?![A-Za-z0-9_.-])", re.ASCII)
_NAMED = re.compile(r"<([^<>]*)>\s*\Z")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b", re.ASCII)
_CODE = re.compile(r"\b([245]\d\d)\b", re.ASCII)


def at(item: Any, *path: str | int) -> Any:
    """What lies at the end of the path; None where the path ends earlier."""
    for step in path:
        if isinstance(step, int):
            item = item[step] if isinstance(item, list) and -len(item) <= step < len(item) else None
        else:
            item = item.get(step) if isinstance(item, Mapping) else None
    return item


def text(item: Any, *path: str | int) -> str:
    """The text or number at the end of the path, as bounded text."""
    value = at(item, *path)
    if isinstance(value, str):
        return value[:MOST_CHARACTERS]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30 else ""


def mailbox(item: Any, *path: str | int) -> str:
    """The address at the end of the path, without the name that may stand before it."""
    written = text(item, *path)
    named = _NAMED.search(written)
    return named[1] if named else written


def listed(item: Any, *path: str | int) -> list[Any]:
    """The list at the end of the path."""
    value = at(item, *path)
    return value if isinstance(value, list) else []


def moment(value: Any) -> datetime | None:
    """A time as providers write it: seconds since 1970, ISO 8601, or date and time without a zone, which is then UTC."""
    if isinstance(value, str):
        stripped = value.strip()
        if not re.fullmatch(r"\d{1,14}(\.\d{1,9})?", stripped, re.ASCII):
            return _written(stripped)
        value = float(stripped)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 10**14 or math.isnan(value):
        return None
    return datetime.fromtimestamp(value / 1000 if value >= 10**11 else value, tz=UTC)


def _written(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value[:64]))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def status_in(*texts: str) -> str:
    """The first enhanced status code (RFC 3463) in these texts, else the first reply code (RFC 5321), else nothing."""
    for pattern in (_STATUS, _CODE):
        for one in texts:
            found = pattern.search(one)
            if found:
                return found[1]
    return ""


def references(*sources: Any) -> dict[str, str]:
    """`link` and `message` of an event, out of metadata and headers in any of the shapes providers give them."""
    found: dict[str, str] = {}
    for name, value in _pairs(sources):
        kind = _kind(name)
        for one in _texts(value) if kind and kind not in found else ():
            token = _TOKEN.search(one.strip())
            if kind == "message":
                found[kind] = one.strip()[:200]
                break
            if token:
                found[kind] = token[1]
                break
    return found


@lru_cache(maxsize=1024)
def _kind(name: str) -> str:
    """What stands under this name: nothing of ours under most. Kept, because the names of a batch are always the same."""
    plain = name[:100].lower().replace("-", "_")
    return "link" if plain in LINK_NAMES else "message" if plain in MESSAGE_NAMES else ""


def _pairs(sources: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Names and values of objects, of lists of objects with `name` and `value`, and of lists of pairs."""
    for source in sources:
        if isinstance(source, dict):
            yield from source.items()
        elif isinstance(source, list):
            for entry in source[:200]:
                if isinstance(entry, dict):
                    yield text(entry, "name"), at(entry, "value")
                elif isinstance(entry, list) and len(entry) == 2:
                    yield text(entry, 0), entry[1]


def _texts(value: Any) -> list[str]:
    """A text, or the texts of a list."""
    values = value[:20] if isinstance(value, list) else [value]
    return [one[:MOST_CHARACTERS] for one in values if isinstance(one, str)]


def written_in(value: str) -> Any:
    """The object or list that a mailer has written as JSON into a text field; None where it wrote something else."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
