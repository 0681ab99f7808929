"""Settings as a page may show them: never a secret, of keys how many and their ids, of addresses of services no password."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from flask_babel import gettext, ngettext

from preferences.config import PREFIX, Settings

ALSO_SECRET = frozenset({"mail_username"})
"""Some providers want a token as user name."""

_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """One setting: its variable, what it is for in the language of the page, its value, and whether that is the default."""

    name: str
    what: str
    value: str
    is_default: bool


def shown_settings(settings: Settings) -> Iterator[ShownSetting]:
    """Every setting in the order of the documentation."""
    for field in fields(Settings):
        value, what = getattr(settings, field.name), field.metadata["what"]
        is_secret = bool(field.metadata["secret"]) or field.name in ALSO_SECRET
        yield ShownSetting(
            PREFIX + field.name.upper(),
            _LINK.sub(r"\1", gettext(what)).replace("`", ""),
            _hidden(value) if is_secret else _in_words(value),
            field.default is not MISSING and value == field.default,
        )


def key_id(key: bytes) -> str:
    """A name for a key that says nothing about it: eight digits of a digest of 256 random bits."""
    return hashlib.sha256(b"preferences.shown.key-id" + key).hexdigest()[:8]


def _hidden(value: Any) -> str:
    """Whether a secret is set; of keys how many, and their ids."""
    keys = (value,) if isinstance(value, bytes) and value else value
    if not keys:
        return ""
    if isinstance(keys, tuple):
        ids = ", ".join(key_id(one) for one in keys)
        count = ngettext("%(num)s key", "%(num)s keys", len(keys))
        return f"{count}: {ids}"
    return str(gettext("set, not shown"))


def _in_words(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(one) for one in value)
    text = "" if value is None else str(value)
    return without_password(text) if "://" in text else text


def without_password(url: str) -> str:
    """An address without user, password and query, any of which may hold a secret."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return str(gettext("set, not shown"))
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"
