"""Staff answer rights requests: extend with the reason told in time, fulfil or refuse in writing (GDPR 12(3)–(4); L5).

Every step is mailed to the person in the language they asked in, by the outbox, in the same transaction.
"""

from __future__ import annotations

from contextlib import closing
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.corrections import NAME
from preferences.domain.errors import Conflict, InvalidValue, NotFound
from preferences.domain.events import EventType
from preferences.domain.rights import (
    ALERT_DAYS,
    CORRECTIONS,
    MOST_ANSWER,
    MOST_DETAILS,
    AnswerBy,
    RightsState,
    is_reference,
    latest_extension,
)
from preferences.models.outbox import JobKind, OutboxJobRow
from preferences.models.recipient import RecipientRow
from preferences.models.rights import RightsRequestRow
from preferences.queries.rights.rights_queue import (
    RequestToWork,
    has_newly_due,
    request_by_reference,
    requests_due_soon,
)
from preferences.services.outbox.outbox import enqueue_mail, tell_change
from preferences.services.staff.staff_mail import REQUESTS_DUE, enqueue_staff_mail

from .rights import lock_recipient

EXTENDED, ANSWERED = "rights_extended", "rights_answered"
"""The two mails to the person."""

ANSWERS = frozenset({RightsState.FULFILLED, RightsState.REFUSED})


class UnknownRequest(NotFound):
    """No rights request has this reference."""

    code: ClassVar[str] = "unknown_request"
    title: ClassVar[str] = "Unknown rights request"


class IdentityUnchecked(Conflict):
    """It may not be done before somebody has checked who asks (GDPR 12(6); L6)."""

    code: ClassVar[str] = "identity_unchecked"
    title: ClassVar[str] = "Nobody has checked who asks"


class RequestClosed(Conflict):
    """It has been answered or taken back already."""

    code: ClassVar[str] = "request_closed"
    title: ClassVar[str] = "The rights request is closed"


class RequestExtended(InvalidValue):
    """It was given more time before; the law allows that once."""

    code: ClassVar[str] = "request_extended"
    title: ClassVar[str] = "The rights request was extended before"


def extend_request(
    session: Session, reference: str, *, until: date, reason: str, now: datetime, by: AnswerBy = AnswerBy.MAIL
) -> RequestToWork:
    """Give the answer more time, once, before the first date has passed; the person is told why (GDPR 12(3)).

    Raises UnknownRequest, RequestClosed, InvalidValue for a reason or date that the law does not allow.
    """
    found = open_request(session, reference)
    told = reason.strip()
    if not told or len(told) > MOST_DETAILS:
        raise InvalidValue(f"An extension needs its reason, at most {MOST_DETAILS} characters.", pointer="/reason")
    if found.state is RightsState.EXTENDED:
        raise RequestExtended("It was extended before; the law allows that once.", pointer="/until")
    if now.date() > found.due_on:
        raise InvalidValue(f"It was due on {found.due_on}; an extension must be told before.", pointer="/until")
    latest = latest_extension(found.received_at)
    if not found.due_on < until <= latest:
        raise InvalidValue(f"The new date must be after {found.due_on}, and at the latest {latest}.", pointer="/until")
    session.execute(
        update(RightsRequestRow)
        .where(RightsRequestRow.id == found.id)
        .values(state=RightsState.EXTENDED, due_on=until, extension_reason=told)
    )
    if by is AnswerBy.MAIL:
        _mail(session, EXTENDED, found, now)
    return _again(session, reference)


def answer_request(
    session: Session,
    reference: str,
    outcome: RightsState,
    *,
    answer: str,
    now: datetime,
    by: AnswerBy = AnswerBy.MAIL,
) -> RequestToWork:
    """Close it as fulfilled or refused, and mail the answer as written; `by` letter, nothing is mailed.

    Raises UnknownRequest, RequestClosed, InvalidValue, and IdentityUnchecked where it may not be fulfilled yet.

    A refusal says why, and the mail adds where to complain (GDPR 12(4)). What was wanted of the profile is written by
    `apply_wanted`, in the same transaction, before.
    """
    if outcome not in ANSWERS:
        raise InvalidValue("A request is answered as fulfilled or refused.", pointer="/outcome")
    found = open_request(session, reference)
    written = checked_answer(answer)
    if outcome is RightsState.FULFILLED:
        check_identity(found)
    session.execute(
        update(RightsRequestRow)
        .where(RightsRequestRow.id == found.id)
        .values(state=outcome, answer=written, closed_at=now)
    )
    if by is AnswerBy.MAIL:
        _mail(session, ANSWERED, found, now)
    return _again(session, reference)


def apply_wanted(session: Session, reference: str, *, now: datetime) -> tuple[str, ...]:
    """Write the profile fields that a request to correct or complete asks for. Returns their names; mailers are told (GDPR 19).

    Raises UnknownRequest, RequestClosed, InvalidValue when the request names no values.
    """
    named = request_by_reference(session, reference)
    if named is not None and named.recipient_id is not None:
        lock_recipient(session, named.recipient_id)
    found = open_request(session, reference)
    check_identity(found)
    wanted = (found.details or {}).get("wanted")
    asks = found.kind in CORRECTIONS and found.recipient_id is not None
    if not asks or not isinstance(wanted, dict) or not wanted:
        raise InvalidValue("The request names no fields to write.")
    row = session.execute(
        select(RecipientRow.name, RecipientRow.profile).where(RecipientRow.id == found.recipient_id)
    ).one()
    after = {**(row.profile or {}), NAME: row.name or "", **{str(name): str(value) for name, value in wanted.items()}}
    profile = {name: value for name, value in after.items() if name != NAME and value}
    session.execute(
        update(RecipientRow)
        .where(RecipientRow.id == found.recipient_id)
        .values(name=after[NAME] or None, profile=profile, updated_at=now)
    )
    fields = tuple(sorted(str(name) for name in wanted))
    tell_change(
        session,
        EventType.RECIPIENT_CORRECTED,
        recipient_id=found.recipient_id,
        now=now,
        data={"fields": list(fields)},
    )
    return fields


def remind_of_requests(session: Session, *, now: datetime) -> int:
    """Mail staff when a request comes 14, 7 or 2 days before its due date, or passes it. Returns how many mails (0 or 1).

    Days on which no worker ran are made up for: what counts is the last reminder, which the outbox remembers for 30 days.
    """
    today = now.date()
    if not requests_due_soon(session, today=today):
        return 0
    after = _reminded_on(session)
    if not has_newly_due(session, after=after, today=today):
        return 0
    enqueue_staff_mail(session, REQUESTS_DUE, parameters={"reminds": max(ALERT_DAYS)}, now=now)
    return 1


def _reminded_on(session: Session) -> date:
    """The day of the last reminder that the outbox remembers; the first of all days where there is none."""
    wanted = (
        select(OutboxJobRow)
        .where(OutboxJobRow.recipient_id.is_(None), OutboxJobRow.kind == JobKind.MAIL)
        .order_by(OutboxJobRow.created_at.desc())
        .execution_options(yield_per=50)
    )
    with closing(session.scalars(wanted)) as mails:
        found = next((one for one in mails if one.payload.get("template") == REQUESTS_DUE), None)
    return found.created_at.date() if found else date.min


def checked_answer(text: str) -> str:
    """The answer as it is kept. Raises InvalidValue for none, and for one that is too long."""
    written = text.strip()
    if not written or len(written) > MOST_ANSWER:
        raise InvalidValue(f"The answer is needed in writing, at most {MOST_ANSWER} characters.", pointer="/answer")
    return written


def check_identity(found: RequestToWork) -> None:
    """Raises IdentityUnchecked for what is not done for somebody who may be anybody."""
    if found.lacks_identity:
        raise IdentityUnchecked("Check who asks, and say how, before this is done.", pointer="/identity")


def open_request(session: Session, reference: str) -> RequestToWork:
    """The request as it stands now, which nobody else answers or changes until the end of the transaction.

    Raises UnknownRequest, RequestClosed. Whoever changes the recipient, too, locks that first: erasure does it in that order.
    """
    if is_reference(reference):
        session.execute(select(RightsRequestRow.id).where(RightsRequestRow.reference == reference).with_for_update())
    found = request_by_reference(session, reference)
    if found is None:
        raise UnknownRequest("There is no rights request with this reference.")
    if not found.is_open:
        raise RequestClosed(f"The rights request {reference} is {found.state}; nothing more can be answered.")
    return found


def _again(session: Session, reference: str) -> RequestToWork:
    found = request_by_reference(session, reference)
    assert found is not None  # noqa: S101 - it is locked
    return found


def _mail(session: Session, template: str, found: RequestToWork, now: datetime) -> None:
    parameters = {"reference": found.reference, "locale": found.locale}
    enqueue_mail(session, template, recipient_id=found.recipient_id, parameters=parameters, now=now)
