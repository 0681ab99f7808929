"""Rows to take in, and taking them in with plan and apply held to the same answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.address import parse_address
from preferences.domain.intake import IncomingEvidence, IncomingRecipient, Outcome, RowResult
from preferences.services.intake.intake import apply_intake, plan_intake
from preferences.services.ledger.verify import verify_ledger


def row(line: int, address: str, evidence: IncomingEvidence | None = None, **fields: Any) -> IncomingRecipient:
    return IncomingRecipient(line=line, address=parse_address(address), evidence=evidence, **fields)


def given(at: datetime, purpose_key: str = "marketing", **more: Any) -> IncomingEvidence:
    return IncomingEvidence(
        **{"purpose": purpose_key, "act": Act.GIVEN, "occurred_at": at, "source": "web form", **more}
    )


def take_in(session: Session, rows: list[IncomingRecipient], now: datetime) -> list[RowResult]:
    """Plan, apply, and hold the two to the same answer."""
    planned = plan_intake(session, rows, now=now)
    applied = apply_intake(session, rows, source="test", method=Method.IMPORT, actor=Actor.STAFF, actor_id=7, now=now)
    session.commit()
    assert [(one.line, one.outcome, one.reason) for one in planned] == [
        (one.line, one.outcome, one.reason) for one in applied
    ]
    assert verify_ledger(session).is_sound
    return applied


def outcomes(results: list[RowResult]) -> list[Outcome]:
    return [one.outcome for one in results]
