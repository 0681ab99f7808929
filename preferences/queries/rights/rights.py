"""Rights requests of one person, and what is left to show of an erasure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.rights import OPEN_STATES, RightsKind, RightsState, is_reference
from preferences.models.recipient import RecipientRow
from preferences.models.rights import RightsRequestRow
from preferences.models.step_up import StepUpRow
from preferences.queries.own_data.own_data import OwnRequest

_COLUMNS = tuple(getattr(RightsRequestRow, name) for name in OwnRequest.__dataclass_fields__)
_ERASURES = (RightsKind.ERASE, RightsKind.WITHDRAW_STORAGE)


@dataclass(frozen=True, slots=True)
class ErasureDone:
    """An erasure that a person asked for and got. Says nothing about who it was."""

    reference: str
    kind: RightsKind
    locale: str
    closed_at: datetime


def requests_by_reference(session: Session, recipient_id: RecipientId, references: Collection[str]) -> list[OwnRequest]:
    """This person's requests with these references, oldest first; others are left out."""
    rows = session.execute(
        select(*_COLUMNS)
        .where(
            RightsRequestRow.recipient_id == recipient_id,
            RightsRequestRow.reference.in_([one for one in references if is_reference(one)]),
        )
        .order_by(RightsRequestRow.id)
    )
    return [OwnRequest(*row) for row in rows]


def open_requests_of(session: Session, recipient_id: RecipientId) -> list[OwnRequest]:
    """This person's requests that wait for an answer, oldest first."""
    rows = session.execute(
        select(*_COLUMNS)
        .where(RightsRequestRow.recipient_id == recipient_id, RightsRequestRow.state.in_(OPEN_STATES))
        .order_by(RightsRequestRow.id)
    )
    return [OwnRequest(*row) for row in rows]


def count_requests_since(session: Session, recipient_id: RecipientId, since: datetime) -> int:
    """How many requests of this person were taken after `since`."""
    count = select(func.count()).where(
        RightsRequestRow.recipient_id == recipient_id, RightsRequestRow.received_at > since
    )
    return session.scalar(count) or 0


def same_open_request(
    session: Session, recipient_id: RecipientId, kind: RightsKind, details: Mapping[str, Any]
) -> OwnRequest | None:
    """An open request for exactly this: a form that is sent twice makes one."""
    found = open_requests_of(session, recipient_id)
    return next((one for one in found if one.kind is kind and one.details == details), None)


def erasure_by_reference(session: Session, reference: str) -> ErasureDone | None:
    """The erasure with this reference, for whoever was given it."""
    return _erasure(session, RightsRequestRow.reference == reference) if is_reference(reference) else None


def erasure_of(session: Session, recipient_id: RecipientId) -> ErasureDone | None:
    """The erasure that this person asked for, when there was one."""
    return _erasure(session, RightsRequestRow.recipient_id == recipient_id)


def erasure_by_session(session: Session, digest: bytes) -> ErasureDone | None:
    """The erasure that ended this step-up session: a button pressed twice is still answered with what it did."""
    of_the_session = select(StepUpRow.recipient_id).where(StepUpRow.session_digest == digest).scalar_subquery()
    return _erasure(session, RightsRequestRow.recipient_id == of_the_session)


def _erasure(session: Session, condition: Any) -> ErasureDone | None:
    row = session.execute(
        select(RightsRequestRow.reference, RightsRequestRow.kind, RightsRequestRow.locale, RightsRequestRow.closed_at)
        .join(RecipientRow, RecipientRow.id == RightsRequestRow.recipient_id)
        .where(
            condition,
            RecipientRow.status == RecipientStatus.ERASED,
            RightsRequestRow.kind.in_(_ERASURES),
            RightsRequestRow.state == RightsState.FULFILLED,
        )
        .order_by(RightsRequestRow.id.desc())
        .limit(1)
    ).one_or_none()
    return (
        None
        if row is None or row.closed_at is None
        else ErasureDone(row.reference, row.kind, row.locale, row.closed_at)
    )
