"""What staff do on the way to an answer, by the services of people's own pages; each step is in the request's history.

The history is the audit of the request: ids, counts and codes, which only grow and outlive an erasure (L18).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.capability import RecipientId
from preferences.domain.corrections import NAME, OWN_FIELDS, Correction, Wrong, clean, find_wrong, fingerprint
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import InvalidValue
from preferences.domain.purpose import About, Purpose
from preferences.domain.rights import CORRECTIONS, MOST_PROOF, AnswerBy, IdentityState, RequestStep
from preferences.models.recipient import RecipientRow
from preferences.models.rights import RightsRequestRow
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.queries.rights.rights_queue import RequestToWork, request_by_reference
from preferences.services.choices.on_behalf import OnBehalf, Outcome, Said, act_on_behalf
from preferences.services.outbox.outbox import enqueue_mail
from preferences.services.staff.audit import record_audit

from .reach import way_to_answer
from .restriction import block
from .rights import lock_recipient
from .rights_work import check_identity, open_request

COPY = "rights_copy"
"""The mail that leads to the person's own copy."""


def set_identity(
    session: Session, reference: str, state: IdentityState, *, proof: str, staff_id: StaffId, now: datetime
) -> None:
    """Say that who asks was checked, or is in doubt; always with how or why. Raises as `open_request`, and InvalidValue."""
    if state not in {IdentityState.CONFIRMED, IdentityState.UNCHECKED}:
        raise InvalidValue("Staff confirm an identity, or doubt it.", pointer="/identity")
    written = proof.strip()
    if not written or len(written) > MOST_PROOF:
        raise InvalidValue(f"How it was checked is needed, at most {MOST_PROOF} characters.", pointer="/proof")
    found = open_request(session, reference)
    session.execute(
        update(RightsRequestRow).where(RightsRequestRow.id == found.id).values(identity=state, identity_proof=written)
    )
    data = {"identity": state.value}
    record_audit(session, staff_id, AuditAction.REQUEST_IDENTITY_SET, target_of(found), data=data, now=now)


def mail_copy(session: Session, reference: str, *, staff_id: StaffId, now: datetime) -> bool:
    """Mail the way to their own copy, which shows once they prove the mailbox (L6). False where no mail reaches them."""
    found, recipient_id = _of_somebody(session, reference)
    check_identity(found)
    if way_to_answer(session, found) is not AnswerBy.MAIL:
        return False
    parameters = {"reference": found.reference, "locale": found.locale}
    enqueue_mail(session, COPY, recipient_id=recipient_id, parameters=parameters, now=now)
    record_step(session, found, RequestStep.COPY_MAILED, staff_id=staff_id, now=now)
    return True


def take_copy(session: Session, reference: str, *, staff_id: StaffId, now: datetime) -> RecipientId:
    """Record that staff take the person's copy, for a letter. Returns whose. Raises as `mail_copy`."""
    found, recipient_id = _of_somebody(session, reference)
    check_identity(found)
    record_step(session, found, RequestStep.COPY_TAKEN, staff_id=staff_id, now=now)
    target = AuditTarget(AuditObject.RECIPIENT, recipient_id)
    data = {"what": "own_data", "request": found.id}
    record_audit(session, staff_id, AuditAction.DATA_EXPORTED, target, data=data, now=now)
    return recipient_id


def note_wanted(
    session: Session, reference: str, typed: Mapping[str, str], *, staff_id: StaffId, now: datetime
) -> Mapping[str, Wrong]:
    """Keep the values that a letter wants corrected: of the fields typed, those that differ from what is stored.

    Returns what cannot be taken; then nothing is kept. Raises InvalidValue where nothing differs, and as `open_request`.
    """
    found, recipient_id = _of_somebody(session, reference)
    if found.kind not in CORRECTIONS:
        raise InvalidValue("It does not ask for a correction.", pointer="/fields")
    row = session.execute(select(RecipientRow.name, RecipientRow.profile).where(RecipientRow.id == recipient_id)).one()
    stored = {**(row.profile or {}), NAME: row.name or ""}
    values = {name: clean(name, typed[name]) for name in OWN_FIELDS if name in typed}
    wanted = {name: value for name, value in values.items() if value != clean(name, stored.get(name, ""))}
    problems = {}
    for name, value in wanted.items():
        now_stored = stored.get(name, "")
        wrong = find_wrong(Correction(name, value, fingerprint(name, now_stored)), now_stored)
        if wrong is not None:
            problems[name] = wrong
    if problems:
        return problems
    if not wanted:
        raise InvalidValue("Nothing differs from what is stored.", pointer="/fields")
    details = {**(found.details or {}), "wanted": wanted}
    session.execute(update(RightsRequestRow).where(RightsRequestRow.id == found.id).values(details=details))
    record_step(session, found, RequestStep.FIELDS_NOTED, staff_id=staff_id, now=now, fields=sorted(wanted))
    return {}


def block_as_asked(session: Session, reference: str, *, staff_id: StaffId, now: datetime) -> bool:
    """Block the person's data (GDPR 18); no request of its own is made of it. False: it was blocked already."""
    found, recipient_id = _of_somebody(session, reference)
    done = block(session, recipient_id, now=now)
    target = AuditTarget(AuditObject.RECIPIENT, recipient_id)
    data = {"ended": False, "done": done, "request": found.id}
    record_audit(session, staff_id, AuditAction.RECIPIENT_RESTRICTED, target, data=data, now=now)
    record_step(session, found, RequestStep.RESTRICTED, staff_id=staff_id, now=now)
    return done


def object_as_asked(
    session: Session, reference: str, purposes: Sequence[Purpose], *, staff_id: StaffId, now: datetime
) -> int:
    """Record a no for each purpose, as said when the request arrived (GDPR 21). Returns how many are new. Raises as the others.

    What the person chose themselves after that stays: their own newest word counts (T28).
    """
    if not purposes:
        raise InvalidValue("Choose what the person objects to.", pointer="/purposes")
    found, recipient_id = _of_somebody(session, reference)
    recipient = recipient_by_id(session, recipient_id)
    assert recipient is not None  # noqa: S101 - it is locked
    new = 0
    for purpose in purposes:
        said = OnBehalf(
            said=Said.STOP_EVERYTHING if purpose.about is About.EVERYTHING else Said.NO,
            purpose=purpose,
            occurred_at=min(found.received_at, now),
            reason=found.reference,
            told=found.channel.value,
            proof=found.reference,
        )
        outcome = act_on_behalf(session, recipient, said, staff_id=staff_id, locale=found.locale, now=now)
        new += outcome is Outcome.RECORDED
    keys = [one.key for one in purposes]
    record_step(session, found, RequestStep.OBJECTED, staff_id=staff_id, now=now, purposes=keys, new=new)
    return new


def name_person(
    session: Session, reference: str, recipient_id: RecipientId, *, staff_id: StaffId, now: datetime
) -> None:
    """Say who it is that was not known when the request came. Nobody has checked yet that it is them. Raises as the others."""
    if lock_recipient(session, recipient_id) in {None, RecipientStatus.ERASED}:
        raise InvalidValue("There is no such recipient.", pointer="/who")
    found = open_request(session, reference)
    if found.recipient_id is not None:
        raise InvalidValue("It is known who asks.", pointer="/who")
    session.execute(
        update(RightsRequestRow)
        .where(RightsRequestRow.id == found.id)
        .values(recipient_id=recipient_id, contact=None, identity=IdentityState.UNCHECKED, identity_proof=None)
    )
    record_step(session, found, RequestStep.PERSON_FOUND, staff_id=staff_id, now=now)


def note_posted(session: Session, reference: str, *, staff_id: StaffId, now: datetime) -> None:
    """Record that a letter about it is on its way; also when it is answered already. Raises InvalidValue for no request."""
    found = request_by_reference(session, reference)
    if found is None:
        raise InvalidValue("There is no rights request with this reference.")
    record_step(session, found, RequestStep.POSTED, staff_id=staff_id, now=now)


def record_step(
    session: Session, found: RequestToWork, step: RequestStep, *, staff_id: StaffId | None, now: datetime, **data: Any
) -> None:
    """Put a step into the history of the request. `data` holds ids, counts and codes only. None: a command did it."""
    values = {"step": step.value, **data}
    record_audit(session, staff_id, AuditAction.REQUEST_CHANGED, target_of(found), data=values, now=now)


def target_of(found: RequestToWork) -> AuditTarget:
    """The request as the audit names it: by number only."""
    return AuditTarget(AuditObject.REQUEST, found.id)


def _of_somebody(session: Session, reference: str) -> tuple[RequestToWork, RecipientId]:
    """The request with its person, both locked in the order in which erasure does it. Raises InvalidValue for nobody known."""
    named = request_by_reference(session, reference)
    if named is not None and named.recipient_id is not None:
        lock_recipient(session, named.recipient_id)
    found = open_request(session, reference)
    if found.recipient_id is None:
        raise InvalidValue("Nobody known here asks for it.", pointer="/person")
    return found, found.recipient_id
