"""Records an act that a mailer reports: made elsewhere, with its evidence. Never lifts what the person stopped (T21)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import STOPS, Act, Actor, Method
from preferences.domain.choice import Choice
from preferences.domain.eligibility import SENTENCES, Level, Reason, steps_of
from preferences.domain.errors import ActNotPossible, Conflict
from preferences.domain.lifting import INCREASES, what_would_be_lifted
from preferences.domain.purpose import About, LawfulBasis, Purpose
from preferences.domain.rules import check_evidence, check_occurred_at
from preferences.domain.suppression import SuppressionReason
from preferences.models.ledger import EVERY_TRAINING
from preferences.models.recipient import RecipientRow
from preferences.models.training import TrainingRow
from preferences.queries.choices.choices import Standing, choice_of, standing
from preferences.queries.recipients.recipients import RecipientView

from .consent import NewAct, record_act, record_act_if
from .suppression import suppress


class Held(Conflict):
    """The act would lift what the person stopped. `reason` is the code that eligibility gives for it."""

    code: ClassVar[str] = "held"
    title: ClassVar[str] = "Only the person can lift this"

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"{SENTENCES[reason]} Only their own mailbox can lift it: send them their preferences link.")
        self.reason = reason


class ReportOutcome(StrEnum):
    """What became of a report."""

    RECORDED = "recorded"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An act made elsewhere. `path` runs from the purpose to the topic; `occurred_at` is the person's own time."""

    path: Sequence[Purpose]
    act: Act
    occurred_at: datetime
    basis: LawfulBasis | None = None
    training_id: int = EVERY_TRAINING
    paused_until: datetime | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def purpose(self) -> Purpose:
        """What the act is about."""
        return self.path[-1]


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports: the mailer's or staff member's id, and its name as a source (`api:<mailer>`, `staff:<id>`)."""

    id: int
    source: str
    actor: Actor = Actor.MAILER
    method: Method = Method.API


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a report, and the choice as it now stands: an older act does not overrule a newer one (T28)."""

    outcome: ReportOutcome
    entry_id: int | None
    choice: Choice


def record_report(
    session: Session, recipient: RecipientView, report: Report, *, reporter: Reporter, now: datetime
) -> Recorded:
    """Record the act. What is on record already is `unchanged`.

    Raises Held where it would lift a stop or a running pause, or the person was erased; ActNotPossible or InvalidValue when
    act, purpose, training, evidence and time do not fit together.
    """
    evidence = check_evidence(report.evidence)
    occurred_at = check_occurred_at(report.occurred_at, now)
    _check_report(session, report, evidence)
    _lock(session, recipient)
    while True:
        where = standing(
            session, recipient_id=recipient.id, status=recipient.status, address_index=recipient.address_index
        )
        current = where.choice(report.purpose, report.training_id)
        if report.act in INCREASES:
            _hold(where, report, now)
        if _is_on_record(report, where, current, occurred_at):
            return Recorded(ReportOutcome.UNCHANGED, None, current)
        if report.purpose.about is About.EVERYTHING and report.act is Act.OBJECTED:
            _suppress(session, recipient, reporter, now)
        basis = report.basis if report.act is Act.GIVEN else report.basis or current.basis
        new = _act(recipient, report, basis, evidence, occurred_at, reporter)
        if report.act not in INCREASES:
            entry_id: int | None = record_act(session, new, now=now)
        else:
            entry_id = record_act_if(session, new, current, now=now)
        after = choice_of(session, recipient.id, report.purpose.id, report.training_id)
        if entry_id is not None:
            return Recorded(ReportOutcome.RECORDED, entry_id, after)
        if after == current:
            return Recorded(ReportOutcome.UNCHANGED, None, after)


def _check_report(session: Session, report: Report, evidence: Mapping[str, Any]) -> None:
    if report.training_id != EVERY_TRAINING:
        if report.purpose.about is not About.PUBLICATION:
            raise ActNotPossible("Only photo purposes are chosen for one training.", pointer="/training")
        if session.scalar(select(TrainingRow.id).where(TrainingRow.id == report.training_id)) is None:
            raise ActNotPossible("There is no such training.", pointer="/training")
    if report.act not in INCREASES:
        return
    if any(purpose.is_archived for purpose in report.path):
        raise ActNotPossible(f"{report.purpose.key} is archived: nothing is granted for it.", pointer="/purpose")
    if not evidence.get("source"):
        detail = "`source` is missing: where did the person do this? Without it nothing proves it (GDPR 7(1))."
        raise ActNotPossible(detail, pointer="/evidence/source")


def _lock(session: Session, recipient: RecipientView) -> None:
    """An erasure that came before is seen, one that comes after waits: no evidence is left behind it."""
    status = session.scalar(
        select(RecipientRow.status).where(RecipientRow.id == recipient.id).with_for_update(read=True)
    )
    if recipient.address_index is None or status is None or status.value == Reason.ERASED.value:
        raise Held(Reason.ERASED)


def _hold(where: Standing, report: Report, now: datetime) -> None:
    levels = [
        Level(step, where.choice(step.purpose, step.training_id)) for step in steps_of(report.path, report.training_id)
    ]
    reason = what_would_be_lifted(levels, status=where.status, suppressions=where.suppressions, at=now)
    if reason is not None:
        raise Held(reason)


def _is_on_record(report: Report, where: Standing, current: Choice, occurred_at: datetime) -> bool:
    """Whether recording it would say nothing new. After `_hold`, nothing is left for a lift or a resumption to do."""
    if report.act in {Act.OBJECTION_LIFTED, Act.RESUMED}:
        return True
    if report.purpose.about is About.EVERYTHING:
        return where.stopped_everything
    if report.act is Act.PAUSED:
        return (current.paused_at, current.paused_until) == (occurred_at, report.paused_until)
    if report.act is Act.GIVEN and current.act is Act.GIVEN and current.since is not None:
        return occurred_at < current.since or (occurred_at == current.since and current.basis is _given_basis(report))
    return current.act in STOPS and (current.act, current.since) == (report.act, occurred_at)


def _given_basis(report: Report) -> LawfulBasis:
    return report.basis or LawfulBasis.CONSENT


def _suppress(session: Session, recipient: RecipientView, reporter: Reporter, now: datetime) -> None:
    assert recipient.address_index is not None  # noqa: S101 - `_lock` has refused erased ones
    suppress(
        session,
        address_index=recipient.address_index,
        reason=SuppressionReason.GLOBAL_STOP,
        source=reporter.source,
        now=now,
        recipient_id=recipient.id,
    )


def _act(
    recipient: RecipientView,
    report: Report,
    basis: LawfulBasis | None,
    evidence: Mapping[str, Any],
    occurred_at: datetime,
    reporter: Reporter,
) -> NewAct:
    return NewAct(
        recipient_id=recipient.id,
        purpose=report.purpose,
        act=report.act,
        basis=basis,
        training_id=report.training_id,
        method=reporter.method,
        actor=reporter.actor,
        actor_id=reporter.id,
        occurred_at=occurred_at,
        paused_until=report.paused_until,
        evidence=evidence,
    )
