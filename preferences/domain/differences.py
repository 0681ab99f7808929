"""What differs between two texts, word by word, for whoever decides whether to publish the newer one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

FEW_WORDS = 400


class Kind(StrEnum):
    """What became of a run of words."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Run:
    """Words in a row with the same fate, with the spaces and line breaks between them."""

    kind: Kind
    text: str


def differences(before: str, after: str) -> list[Run]:
    """The texts woven together: dropping what was added gives `before`, dropping what was removed gives `after`.

    In long texts, words that stand everywhere are no landmarks: hostile repetition costs no more than prose.
    """
    old, new = _words(before), _words(after)
    start = _same(old, new)
    end = _same(old[start:][::-1], new[start:][::-1])
    head, tail = "".join(old[:start]), "".join(old[len(old) - end :])
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    found = [Run(Kind.SAME, head)] if head else []
    matcher = SequenceMatcher(None, old, new, autojunk=max(len(old), len(new)) > FEW_WORDS)
    for verb, i1, i2, j1, j2 in matcher.get_opcodes():
        if verb == "equal":
            found.append(Run(Kind.SAME, "".join(old[i1:i2])))
        else:
            found += _runs(old[i1:i2], new[j1:j2])
    return [*found, Run(Kind.SAME, tail)] if tail else found


def _same(one: list[str], other: list[str]) -> int:
    """How many words both begin with."""
    return next(
        (number for number, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _runs(removed: list[str], added: list[str]) -> Iterator[Run]:
    if removed:
        yield Run(Kind.REMOVED, "".join(removed))
    if added:
        yield Run(Kind.ADDED, "".join(added))


def _words(text: str) -> list[str]:
    """Words with the white space after them; what stands before the first is one by itself."""
    return re.findall(r"\S+\s*|^\s+", text)
