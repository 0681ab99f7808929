"""Staff record what a person told them: as staff, never as the person, with a reason and what proves it (L2, T11).

Staff can restrict freely. A yes needs proof and never lifts what the person stopped: for that the mailbox itself is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.audit import AuditAction, AuditObject, AuditTarget, StaffId
from preferences.domain.errors import InvalidValue
from preferences.domain.purpose import LawfulBasis, Purpose
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.staff.audit import record_audit

from .choices import Recorded, Report, Reporter, record_report
from .confirmations import Asked, ask_to_turn_on

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


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBehalf:
    """What staff want recorded. `occurred_at` is the person's own time; `proof` says where it can be found."""

    said: Said
    purpose: Purpose
    occurred_at: datetime
    reason: str
    proof: str = ""
    wording: str = ""


def act_on_behalf(
    session: Session, recipient: RecipientView, asked: OnBehalf, *, staff_id: StaffId, locale: str, now: datetime
) -> Recorded | None:
    """Record it with the audit, or ask the mailbox (None). Raises InvalidValue, Held, ActNotPossible."""
    reason = asked.reason.strip()
    if not reason or len(reason) > MOST_REASON:
        raise InvalidValue("The reason is needed; it stands in the audit.", pointer="/reason")
    if asked.said is Said.YES and not asked.proof.strip():
        raise InvalidValue("A yes needs proof: where can it be found?", pointer="/proof")
    if asked.said is Said.YES and asked.purpose.lawful_basis is not LawfulBasis.CONSENT:
        raise InvalidValue("Only the mailbox itself can lift an objection: ask it.", pointer="/said")
    target = AuditTarget(AuditObject.RECIPIENT, recipient.id)
    data = {"said": asked.said.value, "purpose": int(asked.purpose.id)}
    record_audit(session, staff_id, AuditAction.ACTED_ON_BEHALF, target, data=data, reason=reason, now=now)
    if asked.said is Said.ASK:
        if _ask(session, recipient, asked.purpose, locale=locale, now=now) is None:
            raise InvalidValue("This person has got several of our mails today; ask tomorrow.", pointer="/said")
        return None
    known = catalogue(session)
    purpose = known.everything().purpose if asked.said is Said.STOP_EVERYTHING else asked.purpose
    report = Report(
        path=known.path_to(purpose),
        act=_act(asked.said, purpose),
        occurred_at=asked.occurred_at,
        basis=LawfulBasis.CONSENT if asked.said is Said.YES else None,
        evidence=_evidence(asked),
    )
    reporter = Reporter(staff_id, f"staff:{staff_id}", actor=Actor.STAFF, method=Method.STAFF)
    return record_report(session, recipient, report, reporter=reporter, now=now)


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


def _ask(session: Session, recipient: RecipientView, purpose: Purpose, *, locale: str, now: datetime) -> int | None:
    by_consent = purpose.lawful_basis is LawfulBasis.CONSENT
    one = Asked(purpose, Act.GIVEN if by_consent else Act.OBJECTION_LIFTED, purpose.lawful_basis)
    return ask_to_turn_on(session, recipient.id, [one], locale=locale, now=now)


def _evidence(asked: OnBehalf) -> Mapping[str, Any]:
    found = {"source": asked.proof.strip(), "wording": asked.wording.strip()}
    return {name: value for name, value in found.items() if value}
