"""For every kind of data with a period: which rows are over it, and how they go. `retention.py` applies this."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, exists, or_, select, tuple_, update
from sqlalchemy.orm import Session

from preferences.domain.acts import STOPS
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.photo import TakedownState
from preferences.domain.retention import Kind
from preferences.domain.rights import OPEN_STATES
from preferences.domain.staff import SESSION_LASTS
from preferences.models.audit import AuditReasonRow, AuditRow
from preferences.models.endpoint import AttemptRow, DeliveryRow
from preferences.models.esp import EspEventRow
from preferences.models.idempotency import IdempotencyRow
from preferences.models.import_batch import ImportBatchRow, ImportPartRow, ImportStage
from preferences.models.ledger import ChoiceRow, ConfirmationRow, EvidenceRow, LedgerEntryRow
from preferences.models.outbox import OutboxJobRow
from preferences.models.photo import ParticipantRow, TakedownRow
from preferences.models.recipient import RecipientRow
from preferences.models.rights import AddressChangeRow, RightsRequestRow
from preferences.models.sign_up import SignUpRow
from preferences.models.staff import SignInFailureRow, StaffSessionRow
from preferences.models.step_up import StepUpRow
from preferences.models.training import TrainingRow
from preferences.services.imports.imports import discard_import
from preferences.services.recipients.erasure import WRITTEN, erase_recipient

SOURCE = "retention"
Due = Callable[[datetime], Any]
"""The select of primary keys that are older than the cutoff."""
Remove = Callable[[Session, list[Any], datetime, datetime], None]


def _unused_recipients(cutoff: datetime) -> Select[Any]:
    """Active people, unchanged that long, with no grant that holds, no act since, nothing they wait for, and no training."""
    of_the_person = RecipientRow.id
    return (
        select(RecipientRow.id)
        .where(RecipientRow.status == RecipientStatus.ACTIVE, RecipientRow.updated_at < cutoff)
        .where(
            ~exists().where(
                ChoiceRow.recipient_id == of_the_person, ChoiceRow.act.is_not(None), ChoiceRow.act.not_in(STOPS)
            ),
            ~exists().where(LedgerEntryRow.recipient_id == of_the_person, LedgerEntryRow.recorded_at >= cutoff),
            ~exists().where(RightsRequestRow.recipient_id == of_the_person, RightsRequestRow.state.in_(OPEN_STATES)),
            ~exists().where(TakedownRow.recipient_id == of_the_person, TakedownRow.closed_at.is_(None)),
            ~exists().where(ParticipantRow.recipient_id == of_the_person),
            ~exists().where(StepUpRow.recipient_id == of_the_person, StepUpRow.asked_at >= cutoff),
        )
        .order_by(RecipientRow.id)
    )


def _replaced_evidence(cutoff: datetime) -> Select[Any]:
    """Evidence of entries that a newer act on the same choice has replaced that long ago."""
    entry, choice = LedgerEntryRow, ChoiceRow
    same = and_(
        choice.recipient_id == entry.recipient_id,
        choice.purpose_id == entry.purpose_id,
        choice.training_id == entry.training_id,
    )
    return (
        select(EvidenceRow.entry_id)
        .join(entry, entry.id == EvidenceRow.entry_id)
        .join(choice, same)
        .where(choice.entry_id != entry.id, choice.since > entry.occurred_at, choice.since < cutoff)
        .order_by(EvidenceRow.entry_id)
    )


def _unfinished_imports(cutoff: datetime) -> Select[Any]:
    over = (ImportStage.APPLIED, ImportStage.DISCARDED)
    return select(ImportBatchRow.id).where(ImportBatchRow.stage.not_in(over), ImportBatchRow.created_at < cutoff)


def _old_reports(cutoff: datetime) -> Select[Any]:
    return (
        select(ImportBatchRow.id)
        .where(ImportBatchRow.finished_at < cutoff)
        .where(exists().where(ImportPartRow.import_id == ImportBatchRow.id))
    )


DUE: dict[Kind, Due] = {
    Kind.UNUSED_RECIPIENTS: _unused_recipients,
    Kind.EVIDENCE: _replaced_evidence,
    Kind.RIGHTS_REQUESTS: lambda cutoff: select(RightsRequestRow.id).where(
        RightsRequestRow.closed_at < cutoff,
        or_(*(getattr(RightsRequestRow, name).is_not(None) for name in WRITTEN)),
    ),
    Kind.TAKEDOWNS: lambda cutoff: select(TakedownRow.id).where(
        TakedownRow.state.in_([TakedownState.DONE, TakedownState.REFUSED]),
        TakedownRow.closed_at < cutoff,
        or_(
            TakedownRow.url.is_not(None),
            TakedownRow.note.is_not(None),
            TakedownRow.answer.is_not(None),
            TakedownRow.proof.is_not(None),
        ),
    ),
    Kind.PARTICIPANTS: lambda cutoff: (
        select(ParticipantRow.training_id, ParticipantRow.recipient_id)
        .join(TrainingRow, TrainingRow.id == ParticipantRow.training_id)
        .where(TrainingRow.held_on < cutoff.date())
        .order_by(ParticipantRow.training_id, ParticipantRow.recipient_id)
    ),
    Kind.AUDIT_REASONS: lambda cutoff: (
        select(AuditReasonRow.audit_id)
        .join(AuditRow, AuditRow.id == AuditReasonRow.audit_id)
        .where(AuditRow.recorded_at < cutoff)
    ),
    Kind.ADDRESS_CHANGES: lambda cutoff: select(AddressChangeRow.id).where(
        AddressChangeRow.done_at.is_(None), AddressChangeRow.expires_at < cutoff
    ),
    Kind.CONFIRMATIONS: lambda cutoff: select(ConfirmationRow.id).where(
        ConfirmationRow.expires_at < cutoff, ConfirmationRow.confirmed_at.is_(None)
    ),
    Kind.SIGN_UPS: lambda cutoff: select(SignUpRow.id).where(SignUpRow.expires_at <= cutoff),
    Kind.STEP_UPS: lambda cutoff: select(StepUpRow.id).where(StepUpRow.asked_at < cutoff),
    Kind.MAIL_JOBS: lambda cutoff: select(OutboxJobRow.id).where(OutboxJobRow.done_at < cutoff),
    Kind.IDEMPOTENCY_KEYS: lambda cutoff: select(IdempotencyRow.mailer_id, IdempotencyRow.key).where(
        IdempotencyRow.created_at < cutoff
    ),
    Kind.IMPORT_FILES: _unfinished_imports,
    Kind.IMPORT_REPORTS: _old_reports,
    Kind.WEBHOOKS: lambda cutoff: select(DeliveryRow.id).where(DeliveryRow.done_at < cutoff),
    Kind.ESP_PAYLOADS: lambda cutoff: select(EspEventRow.id).where(
        EspEventRow.done_at < cutoff, EspEventRow.payload.is_not(None)
    ),
    Kind.ESP_EVENTS: lambda cutoff: select(EspEventRow.id).where(EspEventRow.received_at < cutoff),
    Kind.STAFF_SESSIONS: lambda cutoff: select(StaffSessionRow.id).where(
        StaffSessionRow.started_at < cutoff - SESSION_LASTS
    ),
    Kind.SIGN_IN_FAILURES: lambda cutoff: select(SignInFailureRow.id).where(SignInFailureRow.failed_at < cutoff),
}


def _erase(session: Session, ids: list[Any], cutoff: datetime, now: datetime) -> None:
    """Each is looked at once more under its lock: who has just done something stays."""
    for recipient_id in ids:
        session.execute(select(RecipientRow.id).where(RecipientRow.id == recipient_id).with_for_update())
        if session.scalar(_unused_recipients(cutoff).where(RecipientRow.id == recipient_id)) is not None:
            erase_recipient(session, RecipientId(recipient_id), source=SOURCE, now=now)


def _delete(column: Any) -> Remove:
    def remove(session: Session, ids: list[Any], *_: datetime) -> None:
        session.execute(delete(column.class_).where(column.in_(ids)))

    return remove


def _clear(column: Any, *fields: str) -> Remove:
    def remove(session: Session, ids: list[Any], *_: datetime) -> None:
        session.execute(update(column.class_).where(column.in_(ids)).values(dict.fromkeys(fields)))

    return remove


def _delete_pairs(first: Any, second: Any) -> Remove:
    def remove(session: Session, pairs: list[Any], *_: datetime) -> None:
        session.execute(delete(first.class_).where(tuple_(first, second).in_(pairs)))

    return remove


def _delete_deliveries(session: Session, ids: list[Any], *_: datetime) -> None:
    session.execute(delete(AttemptRow).where(AttemptRow.delivery_id.in_(ids)))
    session.execute(delete(DeliveryRow).where(DeliveryRow.id.in_(ids)))


def _discard(session: Session, ids: list[Any], _cutoff: datetime, now: datetime) -> None:
    for import_id in ids:
        discard_import(session, import_id, now=now)


REMOVE: dict[Kind, Remove] = {
    Kind.UNUSED_RECIPIENTS: _erase,
    Kind.EVIDENCE: _delete(EvidenceRow.entry_id),
    Kind.RIGHTS_REQUESTS: _clear(RightsRequestRow.id, *WRITTEN),
    Kind.TAKEDOWNS: _clear(TakedownRow.id, "url", "note", "answer", "proof"),
    Kind.PARTICIPANTS: _delete_pairs(ParticipantRow.training_id, ParticipantRow.recipient_id),
    Kind.AUDIT_REASONS: _delete(AuditReasonRow.audit_id),
    Kind.ADDRESS_CHANGES: _delete(AddressChangeRow.id),
    Kind.CONFIRMATIONS: _delete(ConfirmationRow.id),
    Kind.SIGN_UPS: _delete(SignUpRow.id),
    Kind.STEP_UPS: _delete(StepUpRow.id),
    Kind.MAIL_JOBS: _delete(OutboxJobRow.id),
    Kind.IDEMPOTENCY_KEYS: _delete_pairs(IdempotencyRow.mailer_id, IdempotencyRow.key),
    Kind.IMPORT_FILES: _discard,
    Kind.IMPORT_REPORTS: _delete(ImportPartRow.import_id),
    Kind.WEBHOOKS: _delete_deliveries,
    Kind.ESP_PAYLOADS: _clear(EspEventRow.id, "payload"),
    Kind.ESP_EVENTS: _delete(EspEventRow.id),
    Kind.STAFF_SESSIONS: _delete(StaffSessionRow.id),
    Kind.SIGN_IN_FAILURES: _delete(SignInFailureRow.id),
}
