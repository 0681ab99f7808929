"""Purposes, topics and the texts that explain them. A topic is a purpose under another."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import NewType

from .errors import InvalidValue
from .text import is_locale, is_storable

PurposeId = NewType("PurposeId", int)
NoticeVersionId = NewType("NoticeVersionId", int)

EVERYTHING_KEY = "everything"
"""The key of the built-in purpose that stands for a global stop: its notice text is the wording beside «stop everything»."""


_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


def is_purpose_key(key: str) -> bool:
    """Whether a purpose can have this key at all."""
    return _KEY.fullmatch(key) is not None


class LawfulBasis(StrEnum):
    """GDPR 6(1): one basis per purpose (L3). `soft_opt_in` is the customer exception of ePrivacy 13(2) (MFL 19 §)."""

    CONSENT = "consent"
    SOFT_OPT_IN = "soft_opt_in"
    LEGITIMATE_INTEREST = "legitimate_interest"


class About(StrEnum):
    """What a purpose is about: sending mail, publishing something, or everything (the global stop)."""

    MAIL = "mail"
    PUBLICATION = "publication"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Purpose:
    """A purpose as the decision needs it. `lawful_basis` is that of the newest notice version."""

    id: PurposeId
    key: str
    parent_id: PurposeId | None
    about: About
    lawful_basis: LawfulBasis
    customer_exception: bool
    """Whether `soft_opt_in` with complete evidence is accepted in place of consent (L15)."""
    notice_version_id: NoticeVersionId
    archived_at: datetime | None = None

    @property
    def is_archived(self) -> bool:
        """An archived purpose refuses everything; its choices and suppressions stay (T25)."""
        return self.archived_at is not None


@dataclass(frozen=True, slots=True)
class NoticeText:
    """The exact words shown in one language (GDPR 13; L2, L7, L13)."""

    locale: str
    title: str
    what: str
    why: str
    who: str
    how_long: str


MAX_TITLE_CHARACTERS = 200
MAX_TEXT_CHARACTERS = 4000


def check_texts(texts: Sequence[NoticeText]) -> None:
    """A notice is complete in every language it has, each once (L1, L7, D14). Raises InvalidValue with a pointer."""
    if not texts:
        raise InvalidValue("A notice needs a text in at least one language.", pointer="/texts")
    seen: set[str] = set()
    for text in texts:
        if not is_locale(text.locale) or text.locale in seen:
            raise InvalidValue(
                "A language is a code such as sv or en, once each.", pointer=f"/texts/{text.locale[:16]}"
            )
        seen.add(text.locale)
        for field in fields(NoticeText)[1:]:
            value, pointer = getattr(text, field.name), f"/texts/{text.locale}/{field.name}"
            most = MAX_TITLE_CHARACTERS if field.name == "title" else MAX_TEXT_CHARACTERS
            if not value.strip():
                raise InvalidValue(f"`{field.name}` is empty: people must be told.", pointer=pointer)
            if len(value) > most or not is_storable(value):
                raise InvalidValue(f"`{field.name}` has more than {most} characters, or broken ones.", pointer=pointer)
