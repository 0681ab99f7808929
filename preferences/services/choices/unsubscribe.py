"""Unsubscribe: the channel verb, idempotent, at once (M8), and only ever a reduction.

Every way in (one-click, the confirm page, mailto, ESP) ends here. A link works whatever has become of the campaign, of the
link epoch, or of the recipient (T12, T13).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.capability import Claims, RecipientId
from preferences.domain.choice import stop_act
from preferences.domain.purpose import About, NoticeVersionId
from preferences.domain.suppression import SuppressionReason
from preferences.models.recipient import RecipientRow
from preferences.queries.choices.on_behalf import can_be_taken_back
from preferences.queries.choices.stops import stoppable
from preferences.queries.purposes.purposes import catalogue

from .consent import NewAct, record_act, record_act_if
from .suppression import suppress


@dataclass(frozen=True, slots=True)
class Shown:
    """What the person saw when they acted: a notice version in a language; both None for headers and mail commands."""

    notice_version_id: NoticeVersionId | None = None
    locale: str | None = None


NOTHING_SHOWN = Shown()


@dataclass(frozen=True, slots=True)
class Stopped:
    """What an unsubscribe did. `entry_id` None: it was stopped already, nothing new was recorded."""

    recipient_id: RecipientId
    entry_id: int | None


def unsubscribe(
    session: Session, claims: Claims, *, method: Method, now: datetime, shown: Shown = NOTHING_SHOWN
) -> Stopped:
    """Stop what the link belongs to. Repeats record nothing; an unknown or erased recipient has nothing to stop.

    A no that staff have just recorded, and may take back, is not the person's own: theirs is recorded on top of it.
    A link whose purpose no longer exists stops everything: the person asked for less, never for an error (T12).
    """
    stopped = stop_purpose(session, claims, method=method, now=now, shown=shown)
    if stopped is not None:
        return stopped
    recipient_id, reference = claims.recipient_id, claims.reference
    return stop_everything(session, recipient_id, method=method, now=now, shown=shown, reference=reference)


def stop_purpose(
    session: Session, claims: Claims, *, method: Method, now: datetime, shown: Shown = NOTHING_SHOWN
) -> Stopped | None:
    """The part of unsubscribe() that needs no transaction around it, only `deciding()`. None: the link is about everything."""
    found = catalogue(session).by_id(claims.purpose_id)
    if found is None or found.purpose.about is About.EVERYTHING:
        return None
    purpose = found.purpose
    while True:
        current = stoppable(session, claims.recipient_id, purpose.id)
        if current is None or (
            current.choice.stops and not can_be_taken_back(session, current.choice.entry_id, now=now)
        ):
            return Stopped(claims.recipient_id, None)
        # What is recorded lies in the past, whatever this machine's clock says: a stop is never lost to a faster one's.
        at = max(now, current.choice.since or now)
        new = NewAct(
            recipient_id=claims.recipient_id,
            purpose=purpose,
            act=stop_act(purpose.lawful_basis, current.choice),
            basis=current.choice.basis,
            method=method,
            occurred_at=at,
            notice_version_id=shown.notice_version_id,
            locale=shown.locale,
            reference=claims.reference or None,
        )
        entry_id = record_act_if(session, new, current.choice, now=at)
        if entry_id is not None:
            return Stopped(claims.recipient_id, entry_id)


def stop_everything(
    session: Session,
    recipient_id: RecipientId,
    *,
    method: Method,
    now: datetime,
    shown: Shown = NOTHING_SHOWN,
    reference: int = 0,
) -> Stopped:
    """The person's own «nothing more»: a fact of its own that no later save lifts (T18, D12)."""
    everything = catalogue(session).everything().purpose
    session.execute(select(RecipientRow.id).where(RecipientRow.id == recipient_id).with_for_update())
    current = stoppable(session, recipient_id, everything.id)
    if current is None:
        return Stopped(recipient_id, None)
    is_new = suppress(
        session,
        address_index=current.address_index,
        reason=SuppressionReason.GLOBAL_STOP,
        source=method.value,
        now=now,
        recipient_id=recipient_id,
    )
    if not is_new and not can_be_taken_back(session, current.choice.entry_id, now=now):
        return Stopped(recipient_id, None)
    entry_id = record_act(
        session,
        NewAct(
            recipient_id=recipient_id,
            purpose=everything,
            act=Act.OBJECTED,
            method=method,
            occurred_at=now,
            notice_version_id=shown.notice_version_id,
            locale=shown.locale,
            reference=reference or None,
        ),
        now=now,
    )
    return Stopped(recipient_id, entry_id)
