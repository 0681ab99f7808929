"""Turning something on from a page that a stranger could have opened: stored as asked for, counted once the mailbox confirms.

The confirmation is also the evidence of consent: both steps, the wording and the language shown (GDPR 7(1); T11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.capability import Claims, RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.purpose import About, LawfulBasis, NoticeVersionId, Purpose
from preferences.domain.suppression import SuppressionReason
from preferences.models.ledger import EVERY_TRAINING, ConfirmationRow
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.services.outbox.mail_limits import may_mail
from preferences.services.outbox.outbox import enqueue_mail

from .consent import NewAct, record_act
from .suppression import lift_suppression

CONFIRM_LASTS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing a person asked to have turned on, with the notice version they saw."""

    purpose: Purpose
    act: Act
    basis: LawfulBasis | None = None
    training_id: int = EVERY_TRAINING
    locale: str | None = None
    """The language of the notice shown, where it is not that of the asking."""


class ConfirmOutcome(StrEnum):
    """What came of a confirmation link."""

    CONFIRMED = "confirmed"
    ALREADY = "already"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"
    """The person's data is blocked; nothing can be turned on (GDPR 18)."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A confirmation as stored."""

    id: int
    recipient_id: RecipientId
    asked: tuple[Asked, ...]
    locale: str
    asked_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None
    cancelled_at: datetime | None

    def outcome(self, now: datetime) -> ConfirmOutcome | None:
        """Why it can no longer be confirmed; None while it can."""
        if self.confirmed_at is not None:
            return ConfirmOutcome.ALREADY
        if self.cancelled_at is not None:
            return ConfirmOutcome.CANCELLED
        return ConfirmOutcome.EXPIRED if self.expires_at < now else None


def ask_to_turn_on(
    session: Session, recipient_id: RecipientId, asked: Sequence[Asked], *, locale: str, now: datetime
) -> int | None:
    """Store what was asked for and have the mailbox asked; nothing is allowed yet. Returns the confirmation's id.

    Asking again for the same sends the same confirmation once more. None: this person has got so many of our mails today that
    the asking itself would be the nuisance (T27); nothing was stored.
    """
    if not may_mail(session, recipient_id, now=now):
        return None
    wanted = [_stored(one) for one in asked]
    confirmation_id = _open_one(session, recipient_id, wanted, locale=locale, now=now)
    if confirmation_id is None:
        confirmation_id = session.execute(
            insert(ConfirmationRow).returning(ConfirmationRow.id),
            {
                "recipient_id": recipient_id,
                "asked": wanted,
                "locale": locale,
                "asked_at": now,
                "expires_at": now + CONFIRM_LASTS,
            },
        ).scalar_one()
    enqueue_mail(
        session,
        "confirm_choices",
        recipient_id=recipient_id,
        parameters={"confirmation_id": confirmation_id, "locale": locale},
        now=now,
    )
    return int(confirmation_id)


def _stored(one: Asked) -> dict[str, Any]:
    return {
        "purpose_id": one.purpose.id,
        "notice_version_id": one.purpose.notice_version_id,
        "training_id": one.training_id,
        "act": one.act.value,
        "basis": one.basis.value if one.basis else None,
        "locale": one.locale,
    }


def _open_one(
    session: Session, recipient_id: RecipientId, wanted: list[dict[str, Any]], *, locale: str, now: datetime
) -> int | None:
    """A confirmation of exactly this, in this language, that still has more than half of its days."""
    rows = session.execute(
        select(ConfirmationRow.id, ConfirmationRow.asked).where(
            ConfirmationRow.recipient_id == recipient_id,
            ConfirmationRow.locale == locale,
            ConfirmationRow.confirmed_at.is_(None),
            ConfirmationRow.cancelled_at.is_(None),
            ConfirmationRow.expires_at > now + CONFIRM_LASTS / 2,
        )
    )
    return next((row.id for row in rows if row.asked == wanted), None)


def find_confirmation(session: Session, claims: Claims) -> Pending | None:
    """The confirmation a `/c/` token is about."""
    row = session.execute(
        select(ConfirmationRow).where(
            ConfirmationRow.id == claims.reference, ConfirmationRow.recipient_id == claims.recipient_id
        )
    ).scalar_one_or_none()
    if row is None:
        return None
    return _pending(session, row)


def confirm(session: Session, claims: Claims, *, now: datetime) -> ConfirmOutcome:
    """Record what was asked for; never on GET. Repeating it changes nothing; an opt-out in between has cancelled it (T13)."""
    pending = find_confirmation(session, claims)
    if pending is None:
        return ConfirmOutcome.EXPIRED
    over = pending.outcome(now)
    if over is not None:
        return over
    recipient = recipient_by_id(session, pending.recipient_id)
    if recipient is None or recipient.status is not RecipientStatus.ACTIVE or recipient.address_index is None:
        return ConfirmOutcome.CANCELLED
    claimed = session.execute(
        update(ConfirmationRow)
        .where(
            ConfirmationRow.id == pending.id,
            ConfirmationRow.confirmed_at.is_(None),
            ConfirmationRow.cancelled_at.is_(None),
        )
        .values(confirmed_at=now)
    )
    if claimed.rowcount == 0:  # type: ignore[attr-defined]
        return ConfirmOutcome.ALREADY
    for one in pending.asked:
        if one.purpose.about is About.EVERYTHING:
            lift_suppression(
                session, address_index=recipient.address_index, reason=SuppressionReason.GLOBAL_STOP, now=now
            )
        record_act(session, _confirmed_act(pending, one, now), now=now)
    return ConfirmOutcome.CONFIRMED


def _confirmed_act(pending: Pending, one: Asked, now: datetime) -> NewAct:
    return NewAct(
        recipient_id=pending.recipient_id,
        purpose=one.purpose,
        act=one.act,
        basis=one.basis,
        training_id=one.training_id,
        method=Method.DOUBLE_OPT_IN,
        actor=Actor.RECIPIENT,
        occurred_at=now,
        notice_version_id=one.purpose.notice_version_id,
        locale=one.locale or pending.locale,
        evidence={
            "source": Method.PREFERENCE_PAGE.value,
            "asked_at": pending.asked_at.isoformat(timespec="seconds"),
            "confirmed_at": now.isoformat(timespec="seconds"),
        },
    )


def _pending(session: Session, row: ConfirmationRow) -> Pending:
    known = catalogue(session)
    asked = []
    for item in row.asked:
        found = known.by_id(item["purpose_id"])
        if found is None:
            continue
        shown = _as_shown(found.purpose, NoticeVersionId(item["notice_version_id"]))
        basis = LawfulBasis(item["basis"]) if item["basis"] else None
        asked.append(Asked(shown, Act(item["act"]), basis, item["training_id"], item.get("locale")))
    return Pending(
        id=row.id,
        recipient_id=RecipientId(row.recipient_id),
        asked=tuple(asked),
        locale=row.locale,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        confirmed_at=row.confirmed_at,
        cancelled_at=row.cancelled_at,
    )


def _as_shown(purpose: Purpose, version: NoticeVersionId) -> Purpose:
    """The purpose with the notice version the person saw when asking, should a newer one have been published since."""
    return replace(purpose, notice_version_id=version)
