"""Staff record what a person told them: as staff, never as the person, with a reason and what proves it (L2, T11).

Staff can restrict freely. A yes needs proof and never lifts what the person stopped: for that the mailbox itself is asked.
A form that is sent twice records once. What was recorded by mistake can be taken back for a quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import GRANTS, REDUCTIONS, Act, Actor, Method
from preferences.domain.audit import AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.capability import RecipientId
from preferences.domain.errors import InvalidValue
from preferences.domain.purpose import About, LawfulBasis, Purpose
from preferences.models.ledger import EVERY_TRAINING
from preferences.models.recipient import RecipientRow
from preferences.queries.choices.on_behalf import acts_on_behalf, undoable_act
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.staff.audit import record_audit

from .choices import Report, Reporter, record_report
from .confirmations import Asked, ask_to_turn_on
from .undo import By, take_back

MOST_REASON = 2000


class Said(StrEnum):
    """What the person told us, or what we decided."""

    NO = "no"
    """The person does not want it: withdrawn under consent, objected otherwise."""
    STOP_EVERYTHING = "stop_everything"
    OUR_STOP = "our_stop"
    """We stop it ourselves; the person said nothing."""
    YES = "yes"
    """The person wants it and there is proof."""
    ASK = "ask"
    """The person wants it: their mailbox is asked to confirm."""


class Outcome(StrEnum):
    """What came of it."""

    RECORDED = "recorded"
    UNCHANGED = "unchanged"
    ASKED = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBehalf:
    """What staff want recorded. `occurred_at` is the person's own time; `proof` says where it can be found."""

    said: Said
    purpose: Purpose
    occurred_at: datetime
    reason: str
    told: str = ""
    """How the person told us, in words; kept as evidence together with `proof`."""
    proof: str = ""
    wording: str = ""
    training_id: int = EVERY_TRAINING
    """For name and image: the one training it is about."""
    form: str = ""
    """Names the form that was filled in, so that sending it twice records once; empty: not asked."""


def act_on_behalf(
    session: Session, recipient: RecipientView, asked: OnBehalf, *, staff_id: StaffId, locale: str, now: datetime
) -> Outcome:
    """Record it with the audit, or ask the mailbox. Raises InvalidValue, Held, ActNotPossible."""
    _check(asked)
    session.execute(select(RecipientRow.id).where(RecipientRow.id == recipient.id).with_for_update())
    known = catalogue(session)
    purpose = known.everything().purpose if asked.said is Said.STOP_EVERYTHING else asked.purpose
    data: dict[str, Any] = {"said": asked.said.value, "purpose": int(purpose.id), "form": asked.form}
    data |= {"training": asked.training_id} if asked.training_id != EVERY_TRAINING else {}
    before = _sent_before(session, recipient.id, data) if asked.form else None
    if before is not None:
        return before
    if asked.said is Said.ASK:
        if _ask(session, recipient, purpose, asked.training_id, locale=locale, now=now) is None:
            raise InvalidValue("This person has got several of our mails today; ask tomorrow.", pointer="/said")
        outcome = Outcome.ASKED
    else:
        report = Report(
            path=known.path_to(purpose),
            act=_act(asked.said, purpose),
            occurred_at=asked.occurred_at,
            basis=LawfulBasis.CONSENT if asked.said is Said.YES else None,
            evidence=_evidence(asked),
            training_id=asked.training_id,
        )
        reporter = Reporter(staff_id, f"staff:{staff_id}", actor=Actor.STAFF, method=Method.STAFF)
        recorded = record_report(session, recipient, report, reporter=reporter, now=now)
        outcome = Outcome(recorded.outcome.value)
        data |= {"entry": recorded.entry_id} if recorded.entry_id else {}
    target = AuditTarget(AuditObject.RECIPIENT, recipient.id)
    data |= {"outcome": outcome.value}
    record_audit(
        session, staff_id, AuditAction.ACTED_ON_BEHALF, target, data=data, reason=asked.reason.strip(), now=now
    )
    return outcome


def undo_on_behalf(
    session: Session, recipient: RecipientView, entry_id: int, *, staff_id: StaffId, now: datetime
) -> bool:
    """Take back what this member of staff recorded within the last quarter of an hour; whether anything was left to do.

    Only what they recorded last for this person, and only as long as nothing newer stands.
    """
    session.execute(select(RecipientRow.id).where(RecipientRow.id == recipient.id).with_for_update())
    if undoable_act(session, recipient.id, staff_id, now=now) != entry_id:
        return False
    by = By(Method.STAFF, Actor.STAFF, staff_id, REDUCTIONS | GRANTS)
    written = take_back(session, recipient, entry_id, by=by, now=now)
    target = AuditTarget(AuditObject.RECIPIENT, recipient.id)
    data = {"undo": entry_id, "entries": written}
    record_audit(session, staff_id, AuditAction.ACTED_ON_BEHALF, target, data=data, now=now)
    return bool(written)


def _check(asked: OnBehalf) -> None:
    reason = asked.reason.strip()
    if not reason or len(reason) > MOST_REASON:
        raise InvalidValue("The reason is needed; it stands in the audit.", pointer="/reason")
    if asked.said is not Said.OUR_STOP and not asked.told.strip():
        raise InvalidValue("How did the person tell us?", pointer="/told")
    if asked.said is Said.YES and not asked.proof.strip():
        raise InvalidValue("A yes needs proof: where can it be found?", pointer="/proof")
    if asked.said is Said.YES and asked.purpose.lawful_basis is not LawfulBasis.CONSENT:
        raise InvalidValue("Only the mailbox itself can lift an objection: ask it.", pointer="/said")
    if asked.training_id != EVERY_TRAINING:
        _check_for_one_training(asked)


def _check_for_one_training(asked: OnBehalf) -> None:
    if asked.said is Said.STOP_EVERYTHING or asked.purpose.about is not About.PUBLICATION:
        raise InvalidValue("Only name and image are answered for one training.", pointer="/training")
    if asked.said in {Said.YES, Said.ASK} and asked.purpose.lawful_basis is LawfulBasis.CONSENT:
        raise InvalidValue("Consent to advertising is given for all trainings.", pointer="/training")


def _sent_before(session: Session, recipient_id: RecipientId, data: dict[str, Any]) -> Outcome | None:
    """What came of the same form when it was sent first; one sent again with another answer is another one."""
    for done in acts_on_behalf(session, recipient_id):
        if all(done.data.get(name) == data.get(name) for name in ("said", "purpose", "training", "form")):
            return Outcome(done.data["outcome"])
    return None


def _act(said: Said, purpose: Purpose) -> Act:
    match said:
        case Said.YES:
            return Act.GIVEN
        case Said.OUR_STOP:
            return Act.REVOKED
        case Said.STOP_EVERYTHING:
            return Act.OBJECTED
        case _:
            return Act.WITHDRAWN if purpose.lawful_basis is LawfulBasis.CONSENT else Act.OBJECTED


def _ask(
    session: Session, recipient: RecipientView, purpose: Purpose, training_id: int, *, locale: str, now: datetime
) -> int | None:
    by_consent = purpose.lawful_basis is LawfulBasis.CONSENT
    one = Asked(purpose, Act.GIVEN if by_consent else Act.OBJECTION_LIFTED, purpose.lawful_basis, training_id)
    return ask_to_turn_on(session, recipient.id, [one], locale=locale, now=now)


def _evidence(asked: OnBehalf) -> Mapping[str, Any]:
    source = ": ".join(part for part in (asked.told.strip(), asked.proof.strip()) if part)
    found = {"source": source, "wording": asked.wording.strip()}
    return {name: value for name, value in found.items() if value}
