"""One person with choices, suppressions and open confirmations in a single statement: the page is mostly round trips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    String,
    bindparam,
    cast,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy import type_coerce as as_type
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.capability import RecipientId
from preferences.domain.choice import EVERY_TRAINING, Choice
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.purpose import LawfulBasis, PurposeId
from preferences.domain.suppression import Suppression, SuppressionReason, SuppressionScope
from preferences.models.base import UtcDateTime
from preferences.models.crypto import BlindIndex
from preferences.models.ledger import ChoiceRow, ConfirmationRow, JsonColumn
from preferences.models.prepared import Prepared
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.recipients.recipients import RecipientView

from .choices import Standing

_RECIPIENT, _CHOICE, _SUPPRESSION, _ASKED = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class AskedRow:
    """One confirmation that the mailbox can still give."""

    asked: Sequence[dict[str, Any]]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """A recipient with all that decides about them."""

    recipient: RecipientView
    standing: Standing
    waiting: Sequence[AskedRow]
    """What the mailbox has not confirmed yet, oldest first."""


class _Part(NamedTuple):
    """A row of the statement; `kind` says which columns mean what."""

    kind: int
    purpose_id: int
    training_id: int
    word: str | None
    more: str | None
    since: datetime | None
    entry_id: int | None
    paused_at: datetime | None
    paused_until: datetime | None
    pause_entry_id: int | None
    asked: Any
    address: str | None
    address_index: bytes | None
    external_id: str | None
    name: str | None
    profile: Any
    source: str | None


def person_at_once(session: Session, recipient_id: RecipientId, *, at: datetime) -> Person | None:
    """The recipient, erased ones too, with what `choices.standing` tells and what waits for the mailbox at this moment."""
    recipient: RecipientView | None = None
    choices: dict[tuple[int, int], Choice] = {}
    suppressions: list[Suppression] = []
    waiting: list[tuple[int, AskedRow]] = []
    for row in _statement().fetch_all(session.connection(), {"recipient": recipient_id, "at": at}):
        part = _Part(*row)
        if part.kind == _RECIPIENT:
            recipient = _recipient(recipient_id, part)
        elif part.kind == _CHOICE:
            choices[part.purpose_id, part.training_id] = _choice(part)
        elif part.kind == _SUPPRESSION:
            suppressions.append(_suppression(part))
        elif part.since is not None:
            waiting.append((part.purpose_id, AskedRow(part.asked, part.since)))
    if recipient is None:
        return None
    standing = Standing(status=recipient.status, choices=choices, suppressions=tuple(suppressions))
    return Person(recipient, standing, [asked for _, asked in sorted(waiting, key=lambda one: one[0])])


def _recipient(recipient_id: RecipientId, part: _Part) -> RecipientView:
    assert part.since is not None  # noqa: S101 - created_at and updated_at are never null
    assert part.paused_at is not None  # noqa: S101
    return RecipientView(
        id=recipient_id,
        address=part.address,
        address_index=None if part.address_index is None else BlindIndex(part.address_index),
        external_id=part.external_id,
        name=part.name,
        profile=part.profile or {},
        locale=part.more,
        status=RecipientStatus(part.word or ""),
        link_epoch=part.entry_id or 0,
        source=part.source or "",
        created_at=part.since,
        updated_at=part.paused_at,
    )


def _choice(part: _Part) -> Choice:
    return Choice(
        act=Act(part.word) if part.word else None,
        basis=LawfulBasis(part.more) if part.more else None,
        since=part.since,
        entry_id=part.entry_id,
        paused_at=part.paused_at,
        paused_until=part.paused_until,
        pause_entry_id=part.pause_entry_id,
    )


def _suppression(part: _Part) -> Suppression:
    scope = SuppressionScope(part.more or "")
    return Suppression(
        SuppressionReason(part.word or ""), scope, PurposeId(part.purpose_id) if part.purpose_id else None
    )


@cache
def _statement() -> Prepared:
    """Four selects with the same columns; each fills those it has. The first one's types are those of the result."""
    person, choices = RecipientRow.__table__.c, ChoiceRow.__table__.c
    suppressions, confirmations = SuppressionRow.__table__.c, ConfirmationRow.__table__.c
    never, nobody, no_word = cast(null(), UtcDateTime()), cast(null(), BigInteger), cast(null(), String)
    no_json, no_bytes = cast(null(), JsonColumn), cast(null(), LargeBinary)
    no_personal_data = [*([no_bytes] * 5), no_word]
    everywhere: ColumnElement[Any] = literal_column(str(EVERY_TRAINING))
    the_person: list[Any] = [
        *(
            literal_column(str(_RECIPIENT)).label("kind"),
            everywhere.label("purpose_id"),
            everywhere.label("training_id"),
        ),
        *(as_type(person.status, String).label("word"), person.locale.label("more"), person.created_at.label("since")),
        *(cast(person.link_epoch, BigInteger).label("entry_id"), person.updated_at.label("paused_at")),
        *(never.label("paused_until"), nobody.label("pause_entry_id"), no_json.label("asked")),
        *(person.address, person.address_index, person.external_id, person.name, person.profile, person.source),
    ]
    chosen: list[Any] = [
        *(literal_column(str(_CHOICE)), choices.purpose_id, choices.training_id),
        *(as_type(choices.act, String), as_type(choices.basis, String), choices.since, choices.entry_id),
        *(choices.paused_at, choices.paused_until, choices.pause_entry_id, no_json, *no_personal_data),
    ]
    in_the_way: list[Any] = [
        *(literal_column(str(_SUPPRESSION)), suppressions.purpose_id, everywhere),
        *(as_type(suppressions.reason, String), as_type(suppressions.scope, String)),
        *(never, nobody, never, never, nobody, no_json, *no_personal_data),
    ]
    asked: list[Any] = [
        *(literal_column(str(_ASKED)), confirmations.id, everywhere, no_word, no_word, confirmations.expires_at),
        *(nobody, never, never, nobody, confirmations.asked, *no_personal_data),
    ]
    recipient = bindparam("recipient", type_=BigInteger)
    their_address = select(person.address_index).where(person.id == recipient).scalar_subquery()
    return Prepared(
        union_all(
            select(*the_person).where(person.id == recipient),
            select(*chosen).where(choices.recipient_id == recipient),
            select(*in_the_way).where(suppressions.address_index == their_address, suppressions.lifted_at.is_(None)),
            select(*asked).where(
                confirmations.recipient_id == recipient,
                confirmations.confirmed_at.is_(None),
                confirmations.cancelled_at.is_(None),
                confirmations.expires_at > bindparam("at", type_=confirmations.expires_at.type),
            ),
        )
    )
