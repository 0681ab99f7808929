"""What staff take out as files: everybody's choice for a purpose, and the active suppressions. Read in pieces, by key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select, tuple_
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import Decision, RecipientStatus
from preferences.domain.purpose import LawfulBasis, Purpose
from preferences.domain.suppression import SuppressionReason, SuppressionScope
from preferences.models.ledger import ChoiceRow, LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow
from preferences.queries.choices.eligibility import Question, decide_by_id

ROWS_AT_ONCE = 1000

_CHOICE: tuple[Any, ...] = (
    ChoiceRow.recipient_id,
    RecipientRow.external_id,
    RecipientRow.address,
    RecipientRow.name,
    RecipientRow.locale,
    RecipientRow.status,
    ChoiceRow.training_id,
    ChoiceRow.act,
    ChoiceRow.basis,
    ChoiceRow.since,
    LedgerEntryRow.method,
    ChoiceRow.paused_until,
)


@dataclass(frozen=True, slots=True, repr=False)
class ExportedChoice:
    """One choice of one person. Never logged."""

    recipient_id: RecipientId
    external_id: str | None
    address: str | None
    name: str | None
    locale: str | None
    status: RecipientStatus
    training_id: int
    act: Act | None
    basis: LawfulBasis | None
    since: datetime | None
    method: Method | None
    paused_until: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class ExportedSuppression:
    """One active suppression. The address is there while somebody with it is. Never logged."""

    id: int
    address: str | None
    reason: SuppressionReason
    scope: SuppressionScope
    purpose_id: int
    source: str
    since: datetime


def choices_for(
    session: Session, path: tuple[Purpose, ...], *, now: datetime
) -> Iterator[tuple[ExportedChoice, Decision]]:
    """Everybody who has a choice for the last purpose of this path, with whether it may be acted on now, by the one engine."""
    last = (-1, -1)
    while found := _choices_after(session, path[-1], last):
        last = (int(found[-1].recipient_id), found[-1].training_id)
        decisions: dict[tuple[int, int], Decision] = {}
        for training_id in {one.training_id for one in found}:
            ids = [int(one.recipient_id) for one in found if one.training_id == training_id]
            question = Question(path=path, at=now, asked_at=now, training_id=training_id)
            answers = decide_by_id(session, question, ids)
            decisions.update(((number, training_id), answer) for number, answer in zip(ids, answers, strict=True))
        for one in found:
            yield one, decisions[int(one.recipient_id), one.training_id]


def suppressions_with_addresses(session: Session) -> Iterator[ExportedSuppression]:
    """Every active suppression, oldest first."""
    last = 0
    statement = (
        select(
            SuppressionRow.id,
            RecipientRow.address,
            SuppressionRow.reason,
            SuppressionRow.scope,
            SuppressionRow.purpose_id,
            SuppressionRow.source,
            SuppressionRow.created_at,
        )
        .outerjoin(RecipientRow, RecipientRow.address_index == SuppressionRow.address_index)
        .where(SuppressionRow.lifted_at.is_(None))
        .order_by(SuppressionRow.id)
        .limit(ROWS_AT_ONCE)
    )
    while rows := session.execute(statement.where(SuppressionRow.id > last)).all():
        last = rows[-1][0]
        yield from (ExportedSuppression(*row) for row in rows)


def _choices_after(session: Session, purpose: Purpose, last: tuple[int, int]) -> list[ExportedChoice]:
    key = tuple_(ChoiceRow.recipient_id, ChoiceRow.training_id)
    rows = session.execute(
        select(*_CHOICE)
        .join(RecipientRow, RecipientRow.id == ChoiceRow.recipient_id)
        .outerjoin(LedgerEntryRow, LedgerEntryRow.id == ChoiceRow.entry_id)
        .where(and_(ChoiceRow.purpose_id == purpose.id, key > last))
        .order_by(ChoiceRow.recipient_id, ChoiceRow.training_id)
        .limit(ROWS_AT_ONCE)
    )
    return [ExportedChoice(*row) for row in rows]
