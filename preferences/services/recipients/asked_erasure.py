"""Erases a person as staff do it: at a request that waits for them, or on their own decision (GDPR 17; L10, L18, L22).

The answer goes out with it: the address is forgotten in the same transaction, so that, as when people erase themselves, only
the job of this last mail holds it, until it is sent. What stays of the request is that it was made, by when, and how it ended;
its words are gone with everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.capability import RecipientId
from preferences.domain.errors import InvalidValue
from preferences.domain.rights import ERASURES, AnswerBy, RequestStep, RightsState
from preferences.models.ledger import EvidenceRow, LedgerEntryRow
from preferences.models.photo import ParticipantRow
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from preferences.queries.rights.rights_queue import RequestToWork, request_by_reference, requests_of_recipient
from preferences.services.outbox.outbox import enqueue_mail
from preferences.services.rights.reach import way_to_answer
from preferences.services.rights.rights import lock_recipient
from preferences.services.rights.rights_work import check_identity, checked_answer, open_request
from preferences.services.rights.steps import record_step, target_of
from preferences.services.staff.audit import record_audit

from .erasure import erase_recipient
from .own_erasure import TEMPLATE


@dataclass(frozen=True, slots=True)
class WhatGoes:
    """What an erasure takes, counted, and what it leaves as proof."""

    fields: int
    """Of the address, the name, the external id and the profile, those that are filled in."""
    evidence: int
    trainings: int
    entries: int
    """Of the ledger: they stay, under a number that says nothing of who it was."""


def what_would_go(session: Session, recipient: RecipientView) -> WhatGoes:
    """The counts, as things stand."""
    filled = (recipient.address, recipient.name, recipient.external_id, *recipient.profile.values())

    def count(model: type[EvidenceRow | ParticipantRow | LedgerEntryRow]) -> int:
        rows = select(func.count()).select_from(model).where(model.recipient_id == recipient.id)
        return session.scalar(rows) or 0

    return WhatGoes(
        fields=sum(1 for one in filled if one),
        evidence=count(EvidenceRow),
        trainings=count(ParticipantRow),
        entries=count(LedgerEntryRow),
    )


def erase_as_asked(
    session: Session, reference: str, *, answer: str, staff_id: StaffId, now: datetime, by: AnswerBy | None = None
) -> AnswerBy:
    """Erase, close the request as fulfilled, and mail the answer as the last mail of all. Returns how the answer goes out.

    Raises UnknownRequest, RequestClosed, IdentityUnchecked, InvalidValue. Where no mail reaches the person, or `by` says so, a
    letter has to be written, by whoever still has the address on paper.
    """
    written = checked_answer(answer)
    named = request_by_reference(session, reference)
    if named is not None and named.recipient_id is not None:
        lock_recipient(session, named.recipient_id)
    found = open_request(session, reference)
    recipient = None if found.recipient_id is None else recipient_by_id(session, found.recipient_id)
    if found.kind not in ERASURES or recipient is None or recipient.address is None:
        raise InvalidValue("There is nobody to erase at this request.", pointer="/person")
    check_identity(found)
    way = AnswerBy.LETTER if by is AnswerBy.LETTER else way_to_answer(session, found)
    others = [one for one in erasures_asked(session, recipient) if one.id != found.id]
    _erase(session, recipient, [found, *others], way=way, answer=written, staff_id=staff_id, now=now)
    target = AuditTarget(AuditObject.RECIPIENT, recipient.id)
    record_audit(session, staff_id, AuditAction.RECIPIENT_ERASED, target, data={"request": found.id}, now=now)
    return way


def erase_by_staff(
    session: Session, recipient: RecipientView, *, reason: str, staff_id: StaffId, now: datetime
) -> AnswerBy | None:
    """Erase, as staff decide. Returns how an answer goes out; None: nobody waits for one. Repeating it only adds to the audit.

    Where the person has asked for it, the request is answered as done: it is fulfilled, and our last mail to them says so.
    """
    lock_recipient(session, recipient.id)
    waiting = erasures_asked(session, recipient)
    way = way_to_answer(session, waiting[0]) if waiting else None
    _erase(session, recipient, waiting, way=way, answer=None, staff_id=staff_id, now=now)
    target = AuditTarget(AuditObject.RECIPIENT, recipient.id)
    record_audit(session, staff_id, AuditAction.RECIPIENT_ERASED, target, reason=reason, now=now)
    return way


def erasures_asked(session: Session, recipient: RecipientView) -> Sequence[RequestToWork]:
    """The person's requests for erasure that nobody has answered, newest first."""
    return [one for one in requests_of_recipient(session, recipient.id) if one.is_open and one.kind in ERASURES]


def _erase(
    session: Session,
    recipient: RecipientView,
    asked: Sequence[RequestToWork],
    *,
    way: AnswerBy | None,
    answer: str | None,
    staff_id: StaffId,
    now: datetime,
) -> None:
    """Erase, and answer the requests that asked for it as fulfilled: one mail, which names the first of them."""
    goes = what_would_go(session, recipient)
    erase_recipient(session, RecipientId(recipient.id), source=f"staff:{staff_id}", now=now)
    if way is AnswerBy.MAIL:
        parameters = {
            "to": recipient.address,
            "kind": asked[0].kind.value,
            "reference": asked[0].reference,
            "locale": asked[0].locale,
            **({} if answer is None else {"answer": answer}),
        }
        enqueue_mail(session, TEMPLATE, recipient_id=recipient.id, parameters=parameters, now=now)
    for one in asked:
        record_step(session, one, RequestStep.ERASED, staff_id=staff_id, now=now, **asdict(goes))
        ended = {"outcome": RightsState.FULFILLED.value, "by": str(way)}
        record_audit(session, staff_id, AuditAction.REQUEST_ANSWERED, target_of(one), data=ended, now=now)
