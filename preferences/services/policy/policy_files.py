"""A version of the privacy policy as a company writes it: one TOML file, read strictly. See docs/policy.md."""

from __future__ import annotations

import tomllib

from preferences.domain.errors import InvalidValue
from preferences.domain.policy import PolicyText

MAX_BYTES = 512 * 1024
_FIELDS = {"changes", "body"}


def read_policy(name: str, content: bytes) -> list[PolicyText]:
    """The texts by language that a file holds: `[texts.sv]` with `changes` and `body`. Raises InvalidValue."""
    if len(content) > MAX_BYTES:
        raise InvalidValue(f"{name} is larger than {MAX_BYTES // 1024} kB.")
    try:
        data = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InvalidValue(f"{name} cannot be read: {str(error)[:120] or type(error).__name__}.") from error
    texts = data.get("texts")
    if set(data) != {"texts"} or not isinstance(texts, dict):
        raise InvalidValue(
            f"{name} must hold a table `texts` with a language each, and nothing else.", pointer="/texts"
        )
    found = []
    for locale, entry in texts.items():
        if (
            not isinstance(entry, dict)
            or set(entry) != _FIELDS
            or not all(isinstance(entry[one], str) for one in _FIELDS)
        ):
            raise InvalidValue("A language has `changes` and `body`, both text.", pointer=f"/texts/{locale[:16]}")
        found.append(PolicyText(locale, entry["changes"].strip(), entry["body"].strip()))
    return found
