"""Finds the people that somebody pasted: addresses, recipients' ids and other systems' ids, all at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.address import NormalAddress, normal_form
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import InvalidValue
from preferences.domain.recipient_id import read_recipient_id
from preferences.models.crypto import keyring
from preferences.models.recipient import RecipientRow

MOST_NAMES = 2_000
"""So many are looked up at a time; more come through an import."""

MOST_CHARACTERS = 320
"""Of one of them: the longest address."""

_AT_A_TIME = 500
_BETWEEN = re.compile(r"[\n\r,;\t]+")
_ANGLED = re.compile(r"[^<>]*<([^<>\s]+@[^<>\s]+)>")


@dataclass(frozen=True, slots=True, repr=False)
class People:
    """Who was meant. Never logged."""

    found: Mapping[str, RecipientId]
    """By what was written; erased people are not among them."""
    unknown: Sequence[str]
    """What nobody is known by, in the order written."""


def read_names(text: str) -> list[str]:
    """The single names in a pasted text: one a line, or between commas, semicolons or tabs; each once, in order.

    `Anna Ek <anna@example.se>` is read as its address. Raises InvalidValue for more than 2,000.
    """
    parts = (" ".join(_visible(part).split()) for part in _BETWEEN.split(text))
    names = list(dict.fromkeys(_address_in(part)[:MOST_CHARACTERS] for part in parts if part))
    if len(names) > MOST_NAMES:
        raise InvalidValue(f"At most {MOST_NAMES} can be looked up at a time.", pointer="/who")
    return names


def find_people(session: Session, names: Sequence[str]) -> People:
    """Who is meant by each name: by address, by recipient id, by another system's id, in this order."""
    known: dict[str, RecipientId] = {}
    keys = keyring()
    addresses = {name: keys.address_index(normal) for name in names if (normal := _normal(name))}
    known |= _by(session, RecipientRow.address_index, addresses)
    ids = {name: number for name in names if name not in known and (number := read_recipient_id(name)) is not None}
    known |= _by(session, RecipientRow.id, ids)
    others = {name: keys.external_index(name) for name in names if name not in known}
    known |= _by(session, RecipientRow.external_index, others)
    return People({name: known[name] for name in names if name in known}, [one for one in names if one not in known])


def _by(session: Session, column: Any, wanted: Mapping[str, Any]) -> dict[str, RecipientId]:
    """Who is known by these keys, by what was written."""
    found: dict[Any, RecipientId] = {}
    for part in _parts(set(wanted.values())):
        asked = select(column, RecipientRow.id).where(column.in_(part), RecipientRow.status != RecipientStatus.ERASED)
        found |= {key: RecipientId(number) for key, number in session.execute(asked)}
    return {name: found[key] for name, key in wanted.items() if key in found}


def _parts(keys: Collection[Any]) -> Iterator[list[Any]]:
    remaining = iter(keys)
    while part := list(islice(remaining, _AT_A_TIME)):
        yield part


def _normal(name: str) -> NormalAddress | None:
    return normal_form(name) if "@" in name else None


def _address_in(part: str) -> str:
    found = _ANGLED.fullmatch(part)
    return found[1] if found else part


def _visible(text: str) -> str:
    return "".join(one for one in text if one.isprintable())
