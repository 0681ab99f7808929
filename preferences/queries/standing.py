"""Choices, suppressions and open confirmations of one person in a single statement: the page is mostly round trips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
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
from preferences.domain.choice import EVERY_TRAINING, Choice
from preferences.domain.purpose import LawfulBasis, PurposeId
from preferences.domain.suppression import Suppression, SuppressionReason, SuppressionScope
from preferences.models.base import UtcDateTime
from preferences.models.ledger import ChoiceRow, ConfirmationRow, JsonColumn
from preferences.models.prepared import Prepared
from preferences.models.suppression import SuppressionRow

from .choices import Standing
from .recipients import RecipientView

_CHOICE, _SUPPRESSION, _ASKED = 1, 2, 3


@dataclass(frozen=True, slots=True)
class AskedRow:
    """One confirmation that the mailbox can still give."""

    asked: Sequence[dict[str, Any]]
    expires_at: datetime


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


def standing_at_once(session: Session, recipient: RecipientView, *, at: datetime) -> tuple[Standing, list[AskedRow]]:
    """What `choices.standing` tells, and what waits for the mailbox, oldest first."""
    choices: dict[tuple[int, int], Choice] = {}
    suppressions: list[Suppression] = []
    waiting: list[tuple[int, AskedRow]] = []
    parameters = {"recipient": recipient.id, "address": recipient.address_index, "at": at}
    for row in _statement().fetch_all(session.connection(), parameters):
        part = _Part(*row)
        if part.kind == _CHOICE:
            choices[part.purpose_id, part.training_id] = _choice(part)
        elif part.kind == _SUPPRESSION:
            suppressions.append(_suppression(part))
        elif part.since is not None:
            waiting.append((part.purpose_id, AskedRow(part.asked, part.since)))
    standing = Standing(status=recipient.status, choices=choices, suppressions=tuple(suppressions))
    return standing, [asked for _, asked in sorted(waiting, key=lambda one: one[0])]


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
    choices, suppressions, confirmations = (
        ChoiceRow.__table__.c,
        SuppressionRow.__table__.c,
        ConfirmationRow.__table__.c,
    )
    never = cast(null(), UtcDateTime())
    nobody = cast(null(), BigInteger)
    no_json = cast(null(), JsonColumn)
    ours: list[ColumnElement[Any]] = [
        literal_column(str(_CHOICE)).label("kind"),
        choices.purpose_id,
        choices.training_id,
        as_type(choices.act, String).label("word"),
        as_type(choices.basis, String).label("more"),
        choices.since,
        choices.entry_id,
        choices.paused_at,
        choices.paused_until,
        choices.pause_entry_id,
        no_json.label("asked"),
    ]
    in_the_way = [
        literal_column(str(_SUPPRESSION)),
        suppressions.purpose_id,
        literal_column(str(EVERY_TRAINING)),
        as_type(suppressions.reason, String),
        as_type(suppressions.scope, String),
        *(never, nobody, never, never, nobody, no_json),
    ]
    asked = [
        literal_column(str(_ASKED)),
        confirmations.id,
        literal_column(str(EVERY_TRAINING)),
        cast(null(), String),
        cast(null(), String),
        confirmations.expires_at,
        *(nobody, never, never, nobody, confirmations.asked),
    ]
    return Prepared(
        union_all(
            select(*ours).where(choices.recipient_id == bindparam("recipient")),
            select(*in_the_way).where(
                suppressions.address_index == bindparam("address"), suppressions.lifted_at.is_(None)
            ),
            select(*asked).where(
                confirmations.recipient_id == bindparam("recipient"),
                confirmations.confirmed_at.is_(None),
                confirmations.cancelled_at.is_(None),
                confirmations.expires_at > bindparam("at", type_=confirmations.expires_at.type),
            ),
        )
    )
