"""Suppressing twice is suppressing once: one row, one event, and the second caller is told so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.suppression import SuppressionReason
from preferences.models.outbox import ChangeEventRow
from preferences.services.choices.suppression import lift_suppression, suppress

ADDRESS = b"0123456789abcdef"


def test_repeating_a_suppression_changes_nothing_and_says_so(session: Session, now: datetime) -> None:
    def again() -> bool:
        return suppress(session, address_index=ADDRESS, reason=SuppressionReason.MANUAL, source="test", now=now)

    assert [again(), again()] == [True, False]
    assert lift_suppression(session, address_index=ADDRESS, reason=SuppressionReason.MANUAL, now=now)
    assert [again(), again()] == [True, False]
    assert session.scalar(select(func.count()).select_from(ChangeEventRow)) == 3, (
        "the stop, its end, and the stop again"
    )
