"""The reason for an opt-out: asked after it is stored, one tap, optional, and never needed for anything (D4, L4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from preferences.domain.capability import Claims
from preferences.domain.reasons import StopReason
from preferences.models.stop_reason import StopReasonRow
from preferences.models.upsert import insert_into
from preferences.queries.choices.stop_reasons import OwnStop, own_stops

ASKED_FOR = timedelta(days=1)
"""So long after the opt-out its page asks; later it would be a prompt to think again (D1)."""


def stops_to_explain(session: Session, about: Claims, *, now: datetime) -> list[OwnStop]:
    """The opt-outs that a token names (services.choices.undo: the save of a page), as long as their reason may be told."""
    last = about.reference + about.purpose_id
    return own_stops(session, about.recipient_id, about.reference, last, since=now - ASKED_FOR)


def reason_given(stops: Sequence[OwnStop]) -> StopReason | None:
    """The reason that was given for these."""
    return next((one.reason for one in stops if one.reason is not None), None)


def give_reason(session: Session, about: Claims, reason: StopReason, *, now: datetime) -> int:
    """Store the reason for every opt-out that the token names; another tap changes it. Returns how many there were.

    It is tied to the entry, its purpose, and the message whose link was used; it says nothing about who.
    """
    stops = stops_to_explain(session, about, now=now)
    for one in stops:
        statement = insert_into(session, StopReasonRow.__table__).values(
            entry_id=one.entry_id,
            purpose_id=one.purpose_id,
            message_id=one.message_id,
            reason=reason,
            recorded_at=now,
        )
        session.execute(
            statement.on_conflict_do_update(index_elements=["entry_id"], set_={"reason": reason, "recorded_at": now})
        )
    return len(stops)
