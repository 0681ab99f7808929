"""Looks after a burst of opt-outs: they stay as they are, and the people concerned may be asked whether it was them.

Nothing is lifted here. Whoever did not mean it turns things on again from their own mailbox (T11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.capability import RecipientId
from preferences.domain.errors import Conflict
from preferences.domain.mailing import MailDropped
from preferences.models.ledger import LedgerEntryRow
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView
from preferences.queries.staff.bursts import Burst, entries_in, is_handled, still_standing
from preferences.services.outbox.mail_limits import those_to_mail
from preferences.services.outbox.mail_links import MailLinks
from preferences.services.outbox.outbox import enqueue_mail
from preferences.services.staff.audit import record_audit

TEMPLATE = "burst_question"
BATCH = 500


@dataclass(frozen=True, slots=True)
class AskedPeople:
    """How many people get the question, and how many got too many mails of ours lately."""

    mailed: int
    limited: int


def ask_people(session: Session, burst: Burst, *, staff_id: StaffId, now: datetime) -> AskedPeople:
    """Mail everybody of a burst the question, once. Raises Conflict when somebody has looked after it already."""
    _claim(session, burst)
    theirs = _entries_by_person(session, burst)
    mailed = 0
    for some in _batches(list(theirs)):
        allowed = those_to_mail(session, some, now=now)
        mailed += len(allowed)
        for recipient_id in allowed:
            parameters = {"entries": theirs[recipient_id]}
            enqueue_mail(session, TEMPLATE, recipient_id=recipient_id, parameters=parameters, now=now)
    asked = AskedPeople(mailed, len(theirs) - mailed)
    _record(session, burst, staff_id, {"mailed": asked.mailed, "limited": asked.limited}, now)
    return asked


def _entries_by_person(session: Session, burst: Burst) -> dict[RecipientId, list[int]]:
    """Everybody of the burst, however many, read a page at a time."""
    found: dict[RecipientId, list[int]] = {}
    after = 0
    while page := entries_in(session, burst, after=after, limit=BATCH):
        for one in page:
            found.setdefault(one.recipient_id, []).append(one.entry_id)
        after = page[-1].entry_id
    return found


def _batches(people: list[RecipientId]) -> Iterator[list[RecipientId]]:
    for start in range(0, len(people), BATCH):
        yield people[start : start + BATCH]


def leave_burst(session: Session, burst: Burst, *, staff_id: StaffId, now: datetime) -> None:
    """Say that it needs nobody any longer. Raises Conflict when somebody has looked after it already."""
    _claim(session, burst)
    _record(session, burst, staff_id, {"mailed": 0}, now)


def burst_question(
    session: Session,
    recipient: RecipientView,
    payload: Mapping[str, Any],
    *,
    links: MailLinks,
    locales: tuple[str, str],
    now: datetime,
) -> dict[str, Any]:
    """What the mail says: what was stopped and still is, and the person's own link. Raises MailDropped."""
    known = catalogue(session)
    standing = still_standing(session, recipient.id, payload.get("entries") or ())
    stopped = [found.text(*locales).title for number in standing if (found := known.by_id(number)) is not None]
    if not stopped:
        raise MailDropped("burst_over")
    return {"link": links.preferences_url(recipient, 0, reference=0, now=now), "stopped": stopped}


def _claim(session: Session, burst: Burst) -> None:
    """One at a time: the burst's first entry is held until the transaction ends."""
    first = min((one.entry_id for one in entries_in(session, burst)), default=0)
    session.execute(select(LedgerEntryRow.id).where(LedgerEntryRow.id == first).with_for_update())
    if is_handled(session, burst):
        raise Conflict("Somebody has looked after this burst already.")


def _record(session: Session, burst: Burst, staff_id: StaffId, data: Mapping[str, int], now: datetime) -> None:
    target = AuditTarget(AuditObject.BURST, burst.minute)
    record_audit(
        session, staff_id, AuditAction.BURST_HANDLED, target, data={"message": burst.message_id, **data}, now=now
    )
