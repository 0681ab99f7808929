"""Step-up requests and the sessions that they opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.step_up import SESSION_LASTS, Origin, StepUpRequest
from preferences.models.step_up import StepUpRow

from .recipients import RecipientView, recipient_by_id

_REQUEST = (
    StepUpRow.id,
    StepUpRow.recipient_id,
    StepUpRow.attempts,
    StepUpRow.asked_at,
    StepUpRow.expires_at,
    StepUpRow.opened_at,
    StepUpRow.ended_at,
)


@dataclass(frozen=True, slots=True)
class OwnSession:
    """An open session: whose it is, until when, and the link that led to it."""

    step_up_id: int
    recipient: RecipientView
    until: datetime
    origin: Origin

    @property
    def opened_at(self) -> datetime:
        """When the mailbox proved itself."""
        return self.until - SESSION_LASTS


def request_by_id(session: Session, step_up_id: int, recipient_id: RecipientId) -> StepUpRequest | None:
    """This person's request with this id, whatever became of it."""
    return _request(session, _requests(recipient_id).where(StepUpRow.id == step_up_id))


def newest_request(session: Session, recipient_id: RecipientId) -> StepUpRequest | None:
    """The newest request of a person, locked: its wrong codes are counted one after the other."""
    newest = _requests(recipient_id).order_by(StepUpRow.id.desc()).limit(1).with_for_update()
    return _request(session, newest)


def asked_since(session: Session, recipient_id: RecipientId, since: datetime) -> list[datetime]:
    """When the person's link and code were asked for, after `since`."""
    return list(
        session.scalars(
            select(StepUpRow.asked_at).where(StepUpRow.recipient_id == recipient_id, StepUpRow.asked_at > since)
        )
    )


def wrong_codes_since(session: Session, recipient_id: RecipientId, since: datetime) -> int:
    """How many wrong codes were typed for requests made after `since`."""
    total = select(func.coalesce(func.sum(StepUpRow.attempts), 0)).where(
        StepUpRow.recipient_id == recipient_id, StepUpRow.asked_at > since
    )
    return int(session.scalar(total) or 0)


def open_session(session: Session, digest: bytes, *, now: datetime) -> OwnSession | None:
    """The session with this digest, while it is open and the person not erased; else None."""
    row = session.execute(
        select(StepUpRow).where(
            StepUpRow.session_digest == digest,
            StepUpRow.ended_at.is_(None),
            StepUpRow.opened_at > now - SESSION_LASTS,
        )
    ).scalar_one_or_none()
    if row is None or row.opened_at is None:
        return None
    recipient = recipient_by_id(session, RecipientId(row.recipient_id))
    if recipient is None or recipient.status is RecipientStatus.ERASED:
        return None
    origin = Origin(row.link_purpose_id, row.link_message_id, row.link_issued_at)
    return OwnSession(row.id, recipient, row.opened_at + SESSION_LASTS, origin)


def _requests(recipient_id: RecipientId) -> Any:
    return select(*_REQUEST).where(StepUpRow.recipient_id == recipient_id)


def _request(session: Session, statement: Any) -> StepUpRequest | None:
    row = session.execute(statement).one_or_none()
    return None if row is None else StepUpRequest(*row)
