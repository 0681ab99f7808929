"""Choices and suppressions of one recipient, and the decision they make together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.choice import NO_CHOICE, Choice
from preferences.domain.eligibility import Decision, Level, RecipientStatus, decide, steps_of
from preferences.domain.purpose import Purpose, PurposeId
from preferences.domain.suppression import Suppression, SuppressionReason
from preferences.models.ledger import EVERY_TRAINING, ChoiceRow
from preferences.models.suppression import SuppressionRow

CHOICE_COLUMNS = (
    ChoiceRow.act,
    ChoiceRow.basis,
    ChoiceRow.since,
    ChoiceRow.entry_id,
    ChoiceRow.paused_at,
    ChoiceRow.paused_until,
    ChoiceRow.pause_entry_id,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one recipient stands: status, every choice, every active suppression. Enough to decide anything."""

    status: RecipientStatus | None
    choices: dict[tuple[int, int], Choice]
    suppressions: tuple[Suppression, ...]

    def choice(self, purpose: Purpose, training_id: int = EVERY_TRAINING) -> Choice:
        """The choice for a purpose, and for one training where given."""
        return self.choices.get((purpose.id, training_id), NO_CHOICE)

    def decide(self, path: list[Purpose], at: datetime, training_id: int = EVERY_TRAINING) -> Decision:
        """Eligibility for the last purpose of the path (from general to specific)."""
        levels = [Level(step, self.choice(step.purpose, step.training_id)) for step in steps_of(path, training_id)]
        return decide(levels=levels, status=self.status, suppressions=self.suppressions, at=at)

    @property
    def stopped_everything(self) -> bool:
        """Whether the person said: nothing more."""
        return any(found.reason is SuppressionReason.GLOBAL_STOP for found in self.suppressions)


def standing(
    session: Session, *, recipient_id: RecipientId | None, status: RecipientStatus | None, address_index: bytes | None
) -> Standing:
    """Everything that decides about one recipient or bare address."""
    choices: dict[tuple[int, int], Choice] = {}
    if recipient_id is not None:
        rows = session.execute(
            select(ChoiceRow.purpose_id, ChoiceRow.training_id, *CHOICE_COLUMNS).where(
                ChoiceRow.recipient_id == recipient_id
            )
        )
        choices = {(row[0], row[1]): Choice(*row[2:]) for row in rows}
    return Standing(status=status, choices=choices, suppressions=active_suppressions(session, address_index))


def choice_of(
    session: Session, recipient_id: RecipientId, purpose_id: int, training_id: int = EVERY_TRAINING
) -> Choice:
    """One choice; `NO_CHOICE` where nothing was ever recorded."""
    row = session.execute(
        select(*CHOICE_COLUMNS).where(
            ChoiceRow.recipient_id == recipient_id,
            ChoiceRow.purpose_id == purpose_id,
            ChoiceRow.training_id == training_id,
        )
    ).one_or_none()
    return NO_CHOICE if row is None else Choice(*row)


def active_suppressions(session: Session, address_index: bytes | None) -> tuple[Suppression, ...]:
    """What stands in the way of this address now."""
    if address_index is None:
        return ()
    rows = session.execute(
        select(SuppressionRow.reason, SuppressionRow.scope, SuppressionRow.purpose_id).where(
            SuppressionRow.address_index == address_index, SuppressionRow.lifted_at.is_(None)
        )
    )
    return tuple(
        Suppression(reason, scope, PurposeId(purpose_id) if purpose_id else None) for reason, scope, purpose_id in rows
    )
