"""The privacy policy in the company's own words: versions per language, and what changed (GDPR 13; L7, L21)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .errors import InvalidValue
from .text import is_locale, is_storable

MOST_BODY_CHARACTERS = 60_000
MOST_CHANGES_CHARACTERS = 4_000


class Weight(StrEnum):
    """Whether people must be told of a version by email before it counts (L21)."""

    MINOR = "minor"
    MAJOR = "major"


class BlockKind(StrEnum):
    """What a part of the text is. The text has no other layout."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class PolicyText:
    """One version in one language. `changes` says in a few sentences what is new; `body` is the whole text."""

    locale: str
    changes: str
    body: str


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph, or a list with its items."""

    kind: BlockKind
    lines: tuple[str, ...]


def check_policy_texts(texts: Sequence[PolicyText], *, wanted: Sequence[str]) -> None:
    """Every language of the service has its text, each once, and none is empty. Raises InvalidValue with a pointer."""
    seen: set[str] = set()
    for text in texts:
        if not is_locale(text.locale) or text.locale in seen:
            raise InvalidValue(
                "A language is a code such as sv or en, once each.", pointer=f"/texts/{text.locale[:16]}"
            )
        seen.add(text.locale)
        for field, most in (("changes", MOST_CHANGES_CHARACTERS), ("body", MOST_BODY_CHARACTERS)):
            value, pointer = getattr(text, field), f"/texts/{text.locale}/{field}"
            if not value.strip():
                raise InvalidValue(f"`{field}` is empty: people must be told.", pointer=pointer)
            if len(value) > most or not is_storable(value):
                raise InvalidValue(f"`{field}` has more than {most} characters, or broken ones.", pointer=pointer)
    missing = [locale for locale in wanted if locale not in seen]
    if missing:
        raise InvalidValue(f"There is no text in {', '.join(missing)} (PREFERENCES_LOCALES).", pointer="/texts")


def blocks_of(body: str) -> Iterator[Block]:
    """The parts of a text: blank lines part them, `# ` begins a heading, `- ` an item; everything else is a paragraph."""
    for part in re.split(r"\n\s*\n", body.replace("\r\n", "\n").strip()):
        lines = [line.strip() for line in part.split("\n") if line.strip()]
        if not lines:
            continue
        if all(line.startswith("- ") for line in lines):
            yield Block(BlockKind.LIST, tuple(line[2:].strip() for line in lines))
            continue
        if lines[0].startswith("# "):
            yield Block(BlockKind.HEADING, (lines.pop(0)[2:].strip(),))
        if lines:
            yield Block(BlockKind.PARAGRAPH, (" ".join(lines),))
