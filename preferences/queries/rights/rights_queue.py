"""Rights requests as staff work through them: by due date, by state, by reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session

from preferences.domain.audit import StaffId
from preferences.domain.capability import RecipientId
from preferences.domain.rights import (
    ALERT_DAYS,
    NEEDS_IDENTITY,
    OPEN_STATES,
    Contact,
    IdentityState,
    RequestChannel,
    RightsKind,
    RightsState,
    is_reference,
)
from preferences.models.rights import RightsRequestRow


@dataclass(frozen=True, slots=True, repr=False)
class RequestToWork:
    """One request with everything that staff need to answer it. Holds what the person wrote: never logged."""

    id: int
    reference: str
    recipient_id: RecipientId | None
    """None: somebody who is not known here."""
    kind: RightsKind
    state: RightsState
    details: Mapping[str, Any] | None
    locale: str
    received_at: datetime
    due_on: date
    extension_reason: str | None
    closed_at: datetime | None
    answer: str | None
    channel: RequestChannel
    entered_by: StaffId | None
    identity: IdentityState
    identity_proof: str | None
    contact: Contact | None

    def __repr__(self) -> str:
        """The reference and the state only."""
        return f"<RequestToWork {self.reference} {self.state}>"

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.state in OPEN_STATES

    @property
    def lacks_identity(self) -> bool:
        """Whether it waits for somebody to check who asks. Of who is not known here there is nothing to give away."""
        return (
            self.recipient_id is not None and self.identity is IdentityState.UNCHECKED and self.kind in NEEDS_IDENTITY
        )

    def days_left(self, today: date) -> int:
        """Days until it is due; negative when overdue."""
        return (self.due_on - today).days


_NAMES = tuple(RequestToWork.__dataclass_fields__)
_COLUMNS = tuple(getattr(RightsRequestRow, name) for name in _NAMES)


def request_by_reference(session: Session, reference: str) -> RequestToWork | None:
    """The request that staff name; None for anything that is no reference of one."""
    if not is_reference(reference):
        return None
    row = session.execute(select(*_COLUMNS).where(RightsRequestRow.reference == reference)).one_or_none()
    return None if row is None else _to_work(row)


def open_requests(
    session: Session,
    *,
    kind: RightsKind | None = None,
    channel: RequestChannel | None = None,
    until: date | None = None,
    limit: int = 500,
) -> Sequence[RequestToWork]:
    """What waits for an answer, soonest due first. `until`: due on that day or before."""
    statement = select(*_COLUMNS).where(RightsRequestRow.state.in_(OPEN_STATES), *_narrowed(kind, channel))
    if until is not None:
        statement = statement.where(RightsRequestRow.due_on <= until)
    rows = session.execute(statement.order_by(RightsRequestRow.due_on, RightsRequestRow.id).limit(limit))
    return [_to_work(row) for row in rows]


def requests_of_recipient(session: Session, recipient_id: RecipientId | None) -> Sequence[RequestToWork]:
    """Everything one person asked for, newest first. Nothing for None: who is not known here may be several people."""
    if recipient_id is None:
        return ()
    rows = session.execute(
        select(*_COLUMNS).where(RightsRequestRow.recipient_id == recipient_id).order_by(RightsRequestRow.id.desc())
    )
    return [_to_work(row) for row in rows]


def closed_requests(
    session: Session,
    *,
    kind: RightsKind | None = None,
    channel: RequestChannel | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[RequestToWork]:
    """What is over, newest first; `before` is the id of the last one of the page before."""
    statement = select(*_COLUMNS).where(RightsRequestRow.state.not_in(OPEN_STATES), *_narrowed(kind, channel))
    if before is not None:
        statement = statement.where(RightsRequestRow.id < before)
    rows = session.execute(statement.order_by(RightsRequestRow.id.desc()).limit(limit))
    return [_to_work(row) for row in rows]


def count_open_requests(session: Session) -> int:
    """How many wait for an answer."""
    return session.scalar(select(func.count()).where(RightsRequestRow.state.in_(OPEN_STATES))) or 0


def requests_due_soon(session: Session, *, today: date) -> Sequence[RequestToWork]:
    """Everything that a reminder lists: open, and due within the longest reminder's days or overdue."""
    return open_requests(session, until=today + timedelta(days=max(ALERT_DAYS)))


def has_newly_due(session: Session, *, after: date, today: date) -> bool:
    """Whether any open request came to one of its reminders after the one day, up to and with the other."""
    return any(
        after < one.due_on - timedelta(days=days) <= today
        for one in requests_due_soon(session, today=today)
        for days in ALERT_DAYS
    )


def _narrowed(kind: RightsKind | None, channel: RequestChannel | None) -> list[ColumnElement[bool]]:
    found = []
    if kind is not None:
        found.append(RightsRequestRow.kind == kind)
    if channel is not None:
        found.append(RightsRequestRow.channel == channel)
    return found


def _to_work(row: Row[Any]) -> RequestToWork:
    named = dict(zip(_NAMES, row, strict=True))
    named["contact"] = None if named["contact"] is None else Contact(**named["contact"])
    return RequestToWork(**named)
