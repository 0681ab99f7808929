"""Takes rights requests: a reference, a due date four weeks ahead, and a receipt by mail (GDPR 12; L5).

What can be done at once is recorded here as well, as a request that was fulfilled the moment it was made: the person sees what
they asked for and when it was done. Acts on purposes belong in the ledger, never here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from preferences.domain.audit import StaffId
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.rights import (
    MOST_A_DAY,
    MOST_OPEN,
    OPEN_STATES,
    Contact,
    IdentityState,
    NotTaken,
    RequestChannel,
    RightsKind,
    RightsState,
    due_on,
    is_reference,
    new_reference,
)
from preferences.models.recipient import RecipientRow
from preferences.models.rights import RightsRequestRow
from preferences.models.upsert import insert_into
from preferences.queries.own_data.own_data import OwnRequest
from preferences.queries.rights.rights import count_requests_since, open_requests_of, same_open_request
from preferences.queries.rights.rights_queue import RequestToWork, open_requests
from preferences.services.outbox.outbox import enqueue_mail

RECEIPT = "rights_received"
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that is stored, now or before."""

    reference: str
    due_on: date
    is_new: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Entered:
    """What staff add to a request that came by another way than the person's own page. `contact`: of who is not known here."""

    channel: RequestChannel
    staff_id: StaffId
    received_at: datetime
    identity: IdentityState = IdentityState.UNCHECKED
    identity_proof: str = ""
    contact: Contact | None = None


def take_request(
    session: Session,
    recipient_id: RecipientId | None,
    kind: RightsKind,
    *,
    details: Mapping[str, Any],
    locale: str,
    now: datetime,
    entered: Entered | None = None,
) -> Taken | NotTaken:
    """Store a request that waits for a written answer, and mail its receipt. The same one twice is one.

    What staff enter is never too much: limits are there against abuse of a page, and a letter has to be answered (GDPR 12).
    None: somebody who is not known here; only staff can enter that.
    """
    if recipient_id is not None:
        status = lock_recipient(session, recipient_id)
        if status is None or status is RecipientStatus.ERASED:
            return NotTaken.GONE
    same = _same(session, recipient_id, kind, details, entered)
    if same is not None:
        return Taken(same.reference, same.due_on, is_new=False)
    if entered is None and recipient_id is not None:
        if len(open_requests_of(session, recipient_id)) >= MOST_OPEN:
            return NotTaken.TOO_MANY_OPEN
        if not may_ask(session, recipient_id, now=now):
            return NotTaken.TOO_MANY_TODAY
    reference = _store(
        session, recipient_id, kind, RightsState.OPEN, details=details, locale=locale, now=now, entered=entered
    )
    mail_receipt(session, recipient_id, reference, locale=locale, now=now)
    return Taken(reference, due_on(entered.received_at if entered else now))


def record_done(
    session: Session,
    recipient_id: RecipientId,
    kind: RightsKind,
    *,
    details: Mapping[str, Any] | None = None,
    locale: str,
    now: datetime,
) -> str:
    """Record a request that was carried out in this transaction. Returns its reference."""
    return _store(session, recipient_id, kind, RightsState.FULFILLED, details=details, locale=locale, now=now)


def withdraw_request(session: Session, recipient_id: RecipientId, reference: str, *, now: datetime) -> bool:
    """Take back an own request that waits for an answer. False when there is none such: it may be answered meanwhile."""
    if not is_reference(reference):
        return False
    result = session.execute(
        update(RightsRequestRow)
        .where(
            RightsRequestRow.recipient_id == recipient_id,
            RightsRequestRow.reference == reference,
            RightsRequestRow.state.in_(OPEN_STATES),
        )
        .values(state=RightsState.WITHDRAWN, closed_at=now)
    )
    return bool(cast(CursorResult[Any], result).rowcount)


def may_ask(session: Session, recipient_id: RecipientId, *, now: datetime) -> bool:
    """Whether one more request may be taken in these 24 hours (T27). Blocking and erasing never ask."""
    return count_requests_since(session, recipient_id, now - _A_DAY) < MOST_A_DAY


def mail_receipt(
    session: Session, recipient_id: RecipientId | None, reference: str, *, locale: str, now: datetime
) -> None:
    """Have the receipt of a request mailed to the address on file. None: to the one that is kept with the request."""
    enqueue_mail(
        session, RECEIPT, recipient_id=recipient_id, parameters={"reference": reference, "locale": locale}, now=now
    )


def lock_recipient(session: Session, recipient_id: RecipientId) -> RecipientStatus | None:
    """The recipient's status, and nobody changes it until the end of the transaction: limits are counted one by one."""
    return session.scalar(select(RecipientRow.status).where(RecipientRow.id == recipient_id).with_for_update())


def _same(
    session: Session,
    recipient_id: RecipientId | None,
    kind: RightsKind,
    details: Mapping[str, Any],
    entered: Entered | None,
) -> OwnRequest | RequestToWork | None:
    """The open request that a form sent twice would make once more."""
    if recipient_id is not None:
        return same_open_request(session, recipient_id, kind, details)
    contact = entered.contact if entered else None
    waiting = [one for one in open_requests(session, kind=kind) if one.recipient_id is None]
    return next((one for one in waiting if one.details == details and one.contact == contact), None)


def _store(
    session: Session,
    recipient_id: RecipientId | None,
    kind: RightsKind,
    state: RightsState,
    *,
    details: Mapping[str, Any] | None,
    locale: str,
    now: datetime,
    entered: Entered | None = None,
) -> str:
    statement = insert_into(session, RightsRequestRow.__table__).on_conflict_do_nothing(index_elements=["reference"])
    values: dict[str, Any] = {
        "recipient_id": recipient_id,
        "kind": kind,
        "state": state,
        "details": details,
        "locale": locale,
        "received_at": now,
        "due_on": due_on(now),
        "closed_at": None if state in OPEN_STATES else now,
    }
    if entered is not None:
        values |= {
            "received_at": entered.received_at,
            "due_on": due_on(entered.received_at),
            "channel": entered.channel,
            "entered_by": entered.staff_id,
            "identity": entered.identity,
            "identity_proof": entered.identity_proof or None,
            "contact": asdict(entered.contact) if entered.contact else None,
        }
    while True:
        reference = new_reference()
        stored = session.execute(statement.values(reference=reference, **values).returning(RightsRequestRow.reference))
        if stored.scalar_one_or_none() is not None:
            return reference
