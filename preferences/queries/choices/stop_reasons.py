"""Why people stopped: the reason beside one act, and how many gave which, by campaign and purpose."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.acts import STOPS, Actor, Method
from preferences.domain.capability import RecipientId
from preferences.domain.reasons import StopReason
from preferences.models.ledger import LedgerEntryRow
from preferences.models.mailer import MailerRow
from preferences.models.message import MessageRow
from preferences.models.purpose import PurposeRow
from preferences.models.stop_reason import StopReasonRow

ON_OUR_PAGES = (Method.ONE_CLICK, Method.UNSUBSCRIBE_PAGE, Method.PREFERENCE_PAGE)
"""Ways to stop after which the person may stand before a page of ours."""


@dataclass(frozen=True, slots=True)
class OwnStop:
    """One opt-out of a person's own, with the reason given for it, if any."""

    entry_id: int
    purpose_id: int
    message_id: int | None
    reason: StopReason | None


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many gave this reason for one purpose after one message; `message` and `mailer` are None where none is known."""

    purpose_key: str
    mailer: str | None
    message: str | None
    reason: StopReason
    count: int


def own_stops(session: Session, recipient_id: RecipientId, first: int, last: int, *, since: datetime) -> list[OwnStop]:
    """The person's own opt-outs among the entries from first to last that were recorded from `since` on."""
    rows = session.execute(
        select(LedgerEntryRow.id, LedgerEntryRow.purpose_id, LedgerEntryRow.reference, StopReasonRow.reason)
        .outerjoin(StopReasonRow, StopReasonRow.entry_id == LedgerEntryRow.id)
        .where(
            LedgerEntryRow.recipient_id == recipient_id,
            LedgerEntryRow.id.between(first, last),
            LedgerEntryRow.act.in_(sorted(STOPS)),
            LedgerEntryRow.actor == Actor.RECIPIENT,
            LedgerEntryRow.method.in_(ON_OUR_PAGES),
            LedgerEntryRow.recorded_at >= since,
        )
        .order_by(LedgerEntryRow.id)
    )
    return [OwnStop(entry_id, purpose_id, message_id, reason) for entry_id, purpose_id, message_id, reason in rows]


def reason_counts(session: Session, *, since: datetime, until: datetime) -> list[ReasonCount]:
    """Reasons given from `since` until before `until`, counted; the largest number first."""
    counted = func.count()
    rows = session.execute(
        select(PurposeRow.key, MailerRow.name, MessageRow.reference, StopReasonRow.reason, counted)
        .join(PurposeRow, PurposeRow.id == StopReasonRow.purpose_id)
        .outerjoin(MessageRow, MessageRow.id == StopReasonRow.message_id)
        .outerjoin(MailerRow, MailerRow.id == MessageRow.mailer_id)
        .where(StopReasonRow.recorded_at >= since, StopReasonRow.recorded_at < until)
        .group_by(PurposeRow.key, MailerRow.name, MessageRow.id, MessageRow.reference, StopReasonRow.reason)
        .order_by(counted.desc(), PurposeRow.key, MessageRow.id, StopReasonRow.reason)
    )
    return [ReasonCount(key, mailer, message, reason, count) for key, mailer, message, reason, count in rows]
