"""Recipients that come in from outside, by API or by import: what a row may do, decided before anything is written.

An intake may add or restrict, never lift (T21): where the person has stopped, a row that would grant is *held*, whatever its
time says, because only the person's own mailbox can lift a stop. What is missing is not assumed: a grant without complete
evidence is *invalid*, a row without evidence brings the recipient in without any consent (L2, L15).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from .acts import GRANTS, PAUSES, STOPS, Act
from .address import Address
from .capability import RecipientId
from .catalogue import Catalogue
from .errors import ActNotPossible, InvalidValue
from .profile import check_profile
from .purpose import LawfulBasis, Purpose
from .rules import check_act, check_evidence, check_occurred_at
from .text import is_locale, is_storable

MAX_NAME_CHARACTERS = 200
MAX_EXTERNAL_ID_CHARACTERS = 200


class Outcome(StrEnum):
    """What becomes of one row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    HELD = "held"
    INVALID = "invalid"


class IncomingEvidence(NamedTuple):
    """An act made elsewhere and what backs it. A grant needs `occurred_at` and `source`; a stop needs neither.

    This and the other two values of a row are named tuples: a million of each are made, four times as fast as dataclasses.
    """

    purpose: str
    """Key of a purpose or topic."""
    act: Act
    occurred_at: datetime | None = None
    """The person's own time, aware. A stop without one counts from now."""
    source: str = ""
    wording: str | None = None
    basis: LawfulBasis | None = None
    sale_reference: str | None = None
    similar_product: str | bool | None = None
    opt_out_offered: str | bool | None = None

    def apart_from_time(self) -> tuple[Any, ...]:
        """Everything but the time: rows of one source share it."""
        return self[:2] + self[3:]

    def at(self, occurred_at: datetime | None) -> IncomingEvidence:
        """The same evidence at another time."""
        return IncomingEvidence._make((*self[:2], occurred_at, *self[3:]))

    def content(self) -> dict[str, Any]:
        """The fields that are kept as evidence, those present."""
        fields = ("source", "wording", "sale_reference", "similar_product", "opt_out_offered")
        return {name: value for name in fields if (value := getattr(self, name))}


class IncomingRecipient(NamedTuple):
    """One row. Empty fields leave what is stored: nothing is erased by absence."""

    line: int
    address: Address
    external_id: str | None = None
    locale: str | None = None
    name: str | None = None
    profile: Mapping[str, str] = MappingProxyType({})
    evidence: IncomingEvidence | None = None


class RowResult(NamedTuple):
    """What became, or would become, of one row. `reason` is a stable code, `detail` a sentence; neither holds the address."""

    line: int
    outcome: Outcome
    recipient_id: RecipientId | None = None
    reason: str | None = None
    detail: str | None = None


class CheckedAct(NamedTuple):
    """An act that fits its purpose, with complete evidence. `path` runs from the purpose to the topic."""

    purpose: Purpose
    path: tuple[Purpose, ...]
    act: Act
    basis: LawfulBasis | None
    occurred_at: datetime
    is_dated: bool
    evidence: Mapping[str, Any]

    @property
    def stops(self) -> bool:
        """Whether it only ever reduces."""
        return self.act in STOPS

    @property
    def grants(self) -> bool:
        """Whether it may allow something."""
        return self.act in GRANTS


def check_incoming_evidence(evidence: IncomingEvidence, known: Catalogue, now: datetime) -> CheckedAct:
    """The act with its evidence, complete. Raises InvalidValue (ActNotPossible, UnknownPurpose) with what is missing."""
    purpose = known.by_key(evidence.purpose, pointer="/evidence/purpose").purpose
    if evidence.act in PAUSES:
        raise ActNotPossible("A pause is the person's own and cannot be brought in.", pointer="/evidence/act")
    is_stop = evidence.act in STOPS
    if purpose.is_archived and not is_stop:
        raise ActNotPossible(f"{purpose.key} is archived: nothing is granted for it.", pointer="/evidence/purpose")
    if not is_stop and evidence.occurred_at is None:
        raise InvalidValue("occurred_at is missing: when did the person agree?", pointer="/evidence/occurred_at")
    if not is_stop and not evidence.source.strip():
        raise InvalidValue("source is missing: where did the person agree?", pointer="/evidence/source")
    content = check_evidence(evidence.content())
    return CheckedAct(
        purpose=purpose,
        path=tuple(known.path_to(purpose)),
        act=evidence.act,
        basis=check_act(purpose, evidence.act, evidence.basis, content),
        occurred_at=check_incoming_time(evidence.occurred_at or now, evidence.act, now),
        is_dated=evidence.occurred_at is not None,
        evidence=content,
    )


def check_incoming_time(occurred_at: datetime, act: Act, now: datetime) -> datetime:
    """The person's own time. A stop whose time lies ahead counts from now, so that no stop is lost. Raises InvalidValue."""
    return check_occurred_at(min(occurred_at, now) if act in STOPS and occurred_at.tzinfo else occurred_at, now)


def check_fields(row: IncomingRecipient) -> dict[str, str]:
    """The profile, cleaned; name, external id and locale looked at. Raises InvalidValue with a pointer."""
    _check_text(row.name, MAX_NAME_CHARACTERS, "name")
    _check_text(row.external_id, MAX_EXTERNAL_ID_CHARACTERS, "external_id")
    if row.locale and not _is_locale(row.locale):
        raise InvalidValue("A language is written like sv or en_GB.", pointer="/locale")
    return check_profile(row.profile) if row.profile else {}


_is_locale = lru_cache(maxsize=256)(is_locale)


def _check_text(text: str | None, most: int, field_name: str) -> None:
    if text and (len(text) > most or not is_storable(text)):
        raise InvalidValue(
            f"{field_name} is longer than {most} characters or holds NUL or broken Unicode.", pointer=f"/{field_name}"
        )
