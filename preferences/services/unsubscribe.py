"""Unsubscribe: the channel verb, idempotent, at once (M8), and only ever a reduction.

Every way in (one-click, the confirm page, mailto, ESP) ends here. A link works whatever has become of the campaign, of the
link epoch, or of the recipient (T12, T13).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.capability import Claims, RecipientId
from preferences.domain.choice import stop_act
from preferences.domain.purpose import About, NoticeVersionId
from preferences.domain.suppression import SuppressionReason
from preferences.models.ledger import ConfirmationRow
from preferences.queries.choices import active_suppressions, choice_of
from preferences.queries.purposes import catalogue
from preferences.queries.recipients import RecipientView, recipient_by_id

from .consent import NewAct, record_act
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
    """Stop the purpose that the link belongs to. Repeats record nothing; an unknown or erased recipient has nothing to stop.

    A link whose purpose no longer exists stops everything: the person asked for less, never for an error (T12).
    """
    found = catalogue(session).by_id(claims.purpose_id)
    if found is None or found.purpose.about is About.EVERYTHING:
        return stop_everything(
            session, claims.recipient_id, method=method, now=now, shown=shown, reference=claims.reference
        )
    current = choice_of(session, claims.recipient_id, found.purpose.id)
    if current.stops:
        return Stopped(claims.recipient_id, None)
    entry_id = record_act(
        session,
        NewAct(
            recipient_id=claims.recipient_id,
            purpose=found.purpose,
            act=stop_act(found.purpose.lawful_basis, current),
            basis=current.basis,
            method=method,
            actor=Actor.RECIPIENT,
            occurred_at=now,
            notice_version_id=shown.notice_version_id,
            locale=shown.locale,
            reference=claims.reference or None,
        ),
        now=now,
    )
    cancel_confirmations(session, claims.recipient_id, now=now)
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
    recipient = recipient_by_id(session, recipient_id)
    if recipient is None or recipient.address_index is None or _is_stopped(session, recipient):
        return Stopped(recipient_id, None)
    suppress(
        session,
        address_index=recipient.address_index,
        reason=SuppressionReason.GLOBAL_STOP,
        source=method.value,
        now=now,
        recipient_id=recipient_id,
    )
    entry_id = record_act(
        session,
        NewAct(
            recipient_id=recipient_id,
            purpose=catalogue(session).everything().purpose,
            act=Act.OBJECTED,
            method=method,
            occurred_at=now,
            notice_version_id=shown.notice_version_id,
            locale=shown.locale,
            reference=reference or None,
        ),
        now=now,
    )
    cancel_confirmations(session, recipient_id, now=now)
    return Stopped(recipient_id, entry_id)


def cancel_confirmations(session: Session, recipient_id: RecipientId, *, now: datetime) -> None:
    """What was asked for before an opt-out must not be turned on by an old mail afterwards (T13)."""
    session.execute(
        update(ConfirmationRow)
        .where(
            ConfirmationRow.recipient_id == recipient_id,
            ConfirmationRow.confirmed_at.is_(None),
            ConfirmationRow.cancelled_at.is_(None),
        )
        .values(cancelled_at=now)
    )


def _is_stopped(session: Session, recipient: RecipientView) -> bool:
    active = active_suppressions(session, recipient.address_index)
    return any(found.reason is SuppressionReason.GLOBAL_STOP for found in active)
