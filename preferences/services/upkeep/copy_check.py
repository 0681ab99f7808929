"""Proves that a restored copy is worth something: it can be read, its keys are ours, ledger, choices and seal fit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.models.crypto import UnreadableValue, keyring
from preferences.models.ledger import LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.models.suppression import SuppressionRow
from preferences.services.ledger.verify import Verified, verify_ledger
from preferences.services.ledger.verify_seal import SealVerified, verify_seal

from .rotation import encrypted_columns

SAMPLE = 50
"""Values of each encrypted column that are opened."""


@dataclass(frozen=True, slots=True)
class CheckedCopy:
    """What was found in a copy."""

    recipients: int
    entries: int
    suppressions: int
    unreadable: tuple[str, ...]
    """Encrypted columns of which a value does not open: other keys belong to this copy, or it was damaged."""
    ledger: Verified
    seal: SealVerified

    @property
    def is_sound(self) -> bool:
        """Whether the service could go on from it."""
        return not self.unreadable and self.ledger.is_sound and self.seal.is_sound


def check_copy(session: Session, trusted: Collection[bytes]) -> CheckedCopy:
    """Look through a restored copy that has the newest schema. Changes nothing."""
    return CheckedCopy(
        recipients=_count(session, RecipientRow),
        entries=_count(session, LedgerEntryRow),
        suppressions=_count(session, SuppressionRow),
        unreadable=tuple(one for one in _unreadable(session)),
        ledger=verify_ledger(session),
        seal=verify_seal(session, trusted),
    )


def _count(session: Session, row: type) -> int:
    return session.scalar(select(func.count()).select_from(row)) or 0


def _unreadable(session: Session) -> list[str]:
    found = []
    for column in encrypted_columns():
        keys = column.key_columns
        rows = session.execute(
            select(*keys, column.raw)
            .where(column.column.is_not(None))
            .order_by(*(key.desc() for key in keys))
            .limit(SAMPLE)
        )
        try:
            for row in rows:
                keyring().decrypt(bytes(row[-1]), column.bound_to(tuple(row[:-1])))
        except UnreadableValue:
            found.append(column.where)
    return found
