"""Everything a person did or had done, with the exact words shown at the time (GDPR 7(1), 15; L2, L8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.capability import RecipientId
from preferences.domain.photo import training_of_notice
from preferences.domain.purpose import LawfulBasis, NoticeText
from preferences.domain.reasons import StopReason
from preferences.models.ledger import EVERY_TRAINING, EvidenceRow, LedgerEntryRow
from preferences.models.mailer import MailerRow
from preferences.models.message import MessageRow
from preferences.models.purpose import NoticeTextRow, NoticeVersionRow
from preferences.models.stop_reason import StopReasonRow
from preferences.models.training import TrainingRow
from preferences.queries.purposes.purposes import catalogue

_UNDO = re.compile(r"undo of entry ([0-9]{1,18})", re.ASCII)
_LARGEST_ID = 2**63 - 1
_HIDDEN = "salt"
"""Part of stored evidence that says nothing: it keeps the digest from being guessed."""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message of a mailer, as its link names it."""

    id: int
    reference: str
    mailer: str | None
    """The mailer's name; None for the service's own mail."""
    first_seen_at: datetime

    @property
    def is_notice(self) -> bool:
        """Whether it is our own notice before a training; its reference is then no words for people."""
        return self.mailer is None and training_of_notice(self.reference) is not None


@dataclass(frozen=True, slots=True)
class OwnTraining:
    """A training, as an act about it names it."""

    id: int
    title: str
    held_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One act: what, when, how, by whom, and what stood there."""

    id: int
    purpose_id: int
    purpose_key: str
    title: str
    """The purpose's title as it is now, in the language asked for."""
    training: OwnTraining | None
    act: Act
    basis: LawfulBasis | None
    method: Method
    actor: Actor
    actor_name: str | None
    """The mailer's name where one acted; staff are not named."""
    occurred_at: datetime
    recorded_at: datetime
    paused_until: datetime | None
    notice_number: int | None
    notice_published_at: datetime | None
    locale: str | None
    wording: NoticeText | None
    """The exact text shown; None where nothing of ours was shown."""
    evidence: Mapping[str, Any]
    message: SentMessage | None
    reason: StopReason | None

    @property
    def undoes(self) -> int | None:
        """The entry that this one took back, if it did."""
        found = _UNDO.fullmatch(str(self.evidence.get("source", "")))
        return int(found[1]) if found else None

    @property
    def stated(self) -> dict[str, Any]:
        """The evidence that is worth reading: not the service's own note of an undo."""
        return {} if self.undoes else dict(self.evidence)


def history(
    session: Session,
    recipient_id: RecipientId,
    *,
    locale: str,
    default_locale: str,
    before: int | None = None,
    limit: int | None = None,
    purpose_id: int | None = None,
    act: Act | None = None,
) -> list[HistoryEntry]:
    """The whole ledger of one person, newest first; or `limit` entries of it, from below the entry `before`.

    Narrowed to a purpose or an act where one is named.
    """
    known = catalogue(session)
    wanted = _entries().where(LedgerEntryRow.recipient_id == recipient_id).limit(limit)
    if before is not None:
        wanted = wanted.where(LedgerEntryRow.id < min(before, _LARGEST_ID))
    if purpose_id is not None:
        wanted = wanted.where(LedgerEntryRow.purpose_id == purpose_id)
    if act is not None:
        wanted = wanted.where(LedgerEntryRow.act == act)
    rows = session.execute(wanted)
    found = []
    for entry, number, published_at, text, evidence, training, message, mailer, actor, reason in rows:
        described = known.by_id(entry.purpose_id)
        found.append(
            HistoryEntry(
                id=entry.id,
                purpose_id=entry.purpose_id,
                purpose_key="" if described is None else described.purpose.key,
                title="" if described is None else described.text(locale, default_locale).title,
                training=None if training is None else OwnTraining(training.id, training.title, training.held_on),
                act=entry.act,
                basis=entry.basis,
                method=entry.method,
                actor=entry.actor,
                actor_name=actor,
                occurred_at=entry.occurred_at,
                recorded_at=entry.recorded_at,
                paused_until=entry.paused_until,
                notice_number=number,
                notice_published_at=published_at,
                locale=entry.locale,
                wording=None if text is None else _wording(text),
                evidence={key: value for key, value in (evidence or {}).items() if key != _HIDDEN},
                message=_message(message, mailer),
                reason=reason,
            )
        )
    return found


def message_by_id(session: Session, message_id: int) -> SentMessage | None:
    """What a mailer called a message."""
    row = session.execute(
        select(MessageRow, MailerRow.name)
        .outerjoin(MailerRow, MailerRow.id == MessageRow.mailer_id)
        .where(MessageRow.id == message_id)
    ).one_or_none()
    return None if row is None else _message(*row)


def _entries() -> Any:
    """Entries newest first, each with all that belongs to it, in one statement."""
    sender, actor = aliased(MailerRow), aliased(MailerRow)
    text_shown = and_(
        NoticeTextRow.notice_version_id == LedgerEntryRow.notice_version_id,
        NoticeTextRow.locale == LedgerEntryRow.locale,
    )
    the_training = and_(TrainingRow.id == LedgerEntryRow.training_id, LedgerEntryRow.training_id != EVERY_TRAINING)
    the_mailer = and_(actor.id == LedgerEntryRow.actor_id, LedgerEntryRow.actor == Actor.MAILER)
    return (
        select(
            LedgerEntryRow,
            NoticeVersionRow.number,
            NoticeVersionRow.published_at,
            NoticeTextRow,
            EvidenceRow.content,
            TrainingRow,
            MessageRow,
            sender.name,
            actor.name,
            StopReasonRow.reason,
        )
        .outerjoin(NoticeVersionRow, NoticeVersionRow.id == LedgerEntryRow.notice_version_id)
        .outerjoin(NoticeTextRow, text_shown)
        .outerjoin(EvidenceRow, EvidenceRow.entry_id == LedgerEntryRow.id)
        .outerjoin(TrainingRow, the_training)
        .outerjoin(MessageRow, MessageRow.id == LedgerEntryRow.reference)
        .outerjoin(sender, sender.id == MessageRow.mailer_id)
        .outerjoin(actor, the_mailer)
        .outerjoin(StopReasonRow, StopReasonRow.entry_id == LedgerEntryRow.id)
        .order_by(LedgerEntryRow.id.desc())
    )


def _message(row: MessageRow | None, mailer: str | None) -> SentMessage | None:
    return None if row is None else SentMessage(row.id, row.reference, mailer, row.created_at)


def _wording(row: NoticeTextRow) -> NoticeText:
    return NoticeText(
        locale=row.locale, title=row.title, what=row.what, why=row.why, who=row.who, how_long=row.how_long
    )
