"""Asks the mailbox for fresh proof, and opens the short session that the proof is good for (T11, L6).

The mail goes to the address on file, never to one typed in. Limits are counted in the table, so they hold for every process
(T27). Wherever a request came to nothing the caller answers the same.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.orm import Session

from preferences.domain.capability import Claims, RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.step_up import (
    LIMITS,
    NO_ORIGIN,
    REQUEST_LASTS,
    WRONG_CODES_A_DAY,
    Origin,
    RequestState,
    new_code,
    read_code,
)
from preferences.models.crypto import keyring
from preferences.models.recipient import RecipientRow
from preferences.models.step_up import StepUpRow
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.queries.recipients.step_up import asked_since, newest_request, request_by_id, wrong_codes_since
from preferences.services.outbox.outbox import enqueue_mail

TEMPLATE = "step_up"
KEPT_FOR = timedelta(days=30)
_A_DAY = timedelta(days=1)


class AskOutcome(StrEnum):
    """What became of asking. For logs and tests; a page answers the same to all of them."""

    MAILED = "mailed"
    LIMITED = "limited"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """A session was opened. The secret goes into the cookie and nowhere else."""

    secret: str
    recipient_id: RecipientId


def ask_step_up(
    session: Session, recipient_id: RecipientId, *, origin: Origin = NO_ORIGIN, locale: str, now: datetime
) -> AskOutcome:
    """Mail a fresh link and code to the address on file. An earlier request is replaced; a limited one changes nothing."""
    status = session.scalar(select(RecipientRow.status).where(RecipientRow.id == recipient_id).with_for_update())
    if status is None or status is RecipientStatus.ERASED:
        return AskOutcome.UNKNOWN
    asked = asked_since(session, recipient_id, now - max(span for span, _ in LIMITS))
    if any(sum(moment > now - span for moment in asked) >= most for span, most in LIMITS):
        return AskOutcome.LIMITED
    _replace_waiting(session, recipient_id, now)
    code = new_code() if wrong_codes_since(session, recipient_id, now - _A_DAY) < WRONG_CODES_A_DAY else None
    digest = keyring().code_digest(recipient_id, code) if code else secrets.token_bytes(32)
    step_up_id = session.execute(
        insert(StepUpRow).returning(StepUpRow.id),
        {
            "recipient_id": recipient_id,
            "code_digest": digest,
            "asked_at": now,
            "expires_at": now + REQUEST_LASTS,
            "link_purpose_id": origin.purpose_id,
            "link_message_id": origin.message_id,
            "link_issued_at": origin.issued_at,
        },
    ).scalar_one()
    parameters = {"step_up_id": step_up_id, "code": code, "locale": locale}
    enqueue_mail(session, TEMPLATE, recipient_id=recipient_id, parameters=parameters, now=now)
    return AskOutcome.MAILED


def state_of_link(session: Session, claims: Claims, *, now: datetime) -> RequestState:
    """What the link in the mail can still do. Changes nothing."""
    recipient = recipient_by_id(session, claims.recipient_id)
    found = request_by_id(session, claims.reference, claims.recipient_id)
    if recipient is None or recipient.status is RecipientStatus.ERASED or found is None:
        return RequestState.UNKNOWN
    if claims.epoch != recipient.link_epoch:
        return RequestState.EXPIRED
    return found.state(now)


def open_by_link(session: Session, claims: Claims, *, now: datetime) -> Opened | RequestState:
    """Open the session of the link in the mail, once; otherwise why not."""
    state = state_of_link(session, claims, now=now)
    if state is not RequestState.OPEN:
        return state
    return _open(session, claims.reference, claims.recipient_id, now) or RequestState.USED


def open_by_code(session: Session, recipient_id: RecipientId, typed: str, *, now: datetime) -> Opened | RequestState:
    """Open the session of the newest request by its code. `open`: the code is wrong and another may be tried.

    Compared in constant time; every wrong one is counted, and the fifth ends the request.
    """
    found = newest_request(session, recipient_id)
    state = RequestState.UNKNOWN if found is None else found.state(now)
    if found is None or state is not RequestState.OPEN:
        return state
    stored = session.scalar(select(StepUpRow.code_digest).where(StepUpRow.id == found.id)) or b""
    code = read_code(typed)
    if code is None:
        return state
    if hmac.compare_digest(stored, keyring().code_digest(recipient_id, code)):
        return _open(session, found.id, recipient_id, now) or RequestState.USED
    session.execute(update(StepUpRow).where(StepUpRow.id == found.id).values(attempts=StepUpRow.attempts + 1))
    after = request_by_id(session, found.id, recipient_id)
    return RequestState.UNKNOWN if after is None else after.state(now)


def session_digest(secret: str) -> bytes:
    """What is stored of a session's secret (256 random bits need no slow hash)."""
    return hashlib.sha256(secret.encode()).digest()


def end_session(session: Session, step_up_id: int, *, now: datetime) -> None:
    """Sign out of one session."""
    session.execute(
        update(StepUpRow).where(StepUpRow.id == step_up_id, StepUpRow.ended_at.is_(None)).values(ended_at=now)
    )


def end_step_ups(session: Session, recipient_id: RecipientId, *, now: datetime) -> None:
    """End every session and every request of a person: after an erasure or a change of address no old proof is good."""
    session.execute(
        update(StepUpRow)
        .where(StepUpRow.recipient_id == recipient_id, StepUpRow.ended_at.is_(None))
        .values(ended_at=now)
    )


def forget_step_ups(session: Session, *, now: datetime) -> int:
    """Delete requests made 30 days ago; nobody needs to know any longer who looked. Returns how many."""
    result = session.execute(delete(StepUpRow).where(StepUpRow.asked_at < now - KEPT_FOR))
    return cast("CursorResult[Any]", result).rowcount


def is_waiting(session: Session, step_up_id: int, recipient_id: RecipientId, *, now: datetime) -> bool:
    """Whether the mail of this request is still worth sending."""
    found = request_by_id(session, step_up_id, recipient_id)
    return found is not None and found.state(now) is RequestState.OPEN


def _replace_waiting(session: Session, recipient_id: RecipientId, now: datetime) -> None:
    session.execute(
        update(StepUpRow)
        .where(StepUpRow.recipient_id == recipient_id, StepUpRow.opened_at.is_(None), StepUpRow.ended_at.is_(None))
        .values(ended_at=now)
    )


def _open(session: Session, step_up_id: int, recipient_id: RecipientId, now: datetime) -> Opened | None:
    """Claim the request. None when another claim came first: a request opens one session."""
    secret = secrets.token_urlsafe(32)
    claimed = session.execute(
        update(StepUpRow)
        .where(StepUpRow.id == step_up_id, StepUpRow.opened_at.is_(None), StepUpRow.ended_at.is_(None))
        .values(opened_at=now, session_digest=session_digest(secret))
    )
    return Opened(secret, recipient_id) if cast("CursorResult[Any]", claimed).rowcount else None
