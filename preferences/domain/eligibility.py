"""Eligibility: may this happen to this person for this purpose now? One pure decision for every edge.

The page, the API, the gateway and the import ask here; `queries.eligibility` computes the same answer set-wise in SQL and a
property test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .acts import Act
from .choice import EVERY_TRAINING, Choice
from .errors import InvalidValue
from .purpose import LawfulBasis, Purpose
from .suppression import PRECEDENCE, Suppression, SuppressionReason

HOLDS_FOR = timedelta(hours=1)
"""How long after asking an `allowed` may be acted upon before asking again (T24)."""

LOOK_BACK, LOOK_AHEAD = timedelta(days=1), timedelta(days=90)
"""How far from now `at` may lie: a day back forgives a mailer's clock and queue, further ahead nothing is known."""


class RecipientStatus(StrEnum):
    """`restricted` blocks processing at the person's request (GDPR 18); `erased` leaves only the proof (GDPR 17)."""

    ACTIVE = "active"
    RESTRICTED = "restricted"
    ERASED = "erased"


class Reason(StrEnum):
    """Why an answer is what it is; reasons to refuse in order of precedence, the most telling first.

    `invalid_address` never comes from a decision: the edge that reads addresses answers it.
    """

    PURPOSE_ARCHIVED = "purpose_archived"
    SUPPRESSED_ERASED = "suppressed_erased"
    SUPPRESSED_GLOBAL_STOP = "suppressed_global_stop"
    SUPPRESSED_HARD_BOUNCE = "suppressed_hard_bounce"
    SUPPRESSED_COMPLAINT = "suppressed_complaint"
    SUPPRESSED_MANUAL = "suppressed_manual"
    INVALID_ADDRESS = "invalid_address"
    UNKNOWN_RECIPIENT = "unknown_recipient"
    ERASED = "erased"
    RESTRICTED = "restricted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"
    REVOKED = "revoked"
    PAUSED = "paused"
    NO_BASIS = "no_basis"
    ALLOWED = "allowed"


SENTENCES: dict[Reason, str] = {
    Reason.PURPOSE_ARCHIVED: "The purpose is archived; nothing is done for it any more.",
    Reason.SUPPRESSED_ERASED: "The person was erased at their request and must not be contacted again.",
    Reason.SUPPRESSED_GLOBAL_STOP: "The person said: nothing more.",
    Reason.SUPPRESSED_HARD_BOUNCE: "Mail to this address is refused permanently by its mail server.",
    Reason.SUPPRESSED_COMPLAINT: "The person reported a message as spam.",
    Reason.SUPPRESSED_MANUAL: "Staff suppressed this address.",
    Reason.INVALID_ADDRESS: "This is neither an email address nor a recipient's id.",
    Reason.UNKNOWN_RECIPIENT: "There is no recipient with this id or address, so there is no basis.",
    Reason.ERASED: "The person was erased at their request.",
    Reason.RESTRICTED: "The person has asked that processing be restricted (GDPR 18).",
    Reason.REFUSED: "The person answered no.",
    Reason.WITHDRAWN: "The person withdrew their consent.",
    Reason.OBJECTED: "The person objected.",
    Reason.REVOKED: "The basis was revoked by someone other than the person.",
    Reason.PAUSED: "The person paused this until the date given.",
    Reason.NO_BASIS: "The person has not consented, and no customer exception is on record.",
    Reason.ALLOWED: "Allowed on the basis given.",
}
"""One sentence a reason, in English, for the API and for staff; catalogues hold the translations."""

STOP_REASONS = {
    Act.REFUSED: Reason.REFUSED,
    Act.WITHDRAWN: Reason.WITHDRAWN,
    Act.OBJECTED: Reason.OBJECTED,
    Act.REVOKED: Reason.REVOKED,
}


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes, on this basis, since then (None: from the start, by legitimate interest), until `until` ask again."""

    basis: LawfulBasis
    since: datetime | None
    until: datetime
    reason: Reason = Reason.ALLOWED


@dataclass(frozen=True, slots=True)
class Refused:
    """No, because; `since` the person's act where there is one; `until` a date only where it ends by itself (a pause)."""

    reason: Reason
    since: datetime | None = None
    until: datetime | None = None


Decision = Allowed | Refused


@dataclass(frozen=True, slots=True)
class Step:
    """One step from general to specific: the purpose, then its topic; then, for photos, each of them for one training."""

    purpose: Purpose
    training_id: int = EVERY_TRAINING

    def narrows(self, other: Step) -> bool:
        """Whether this is a part of the other: under its purpose, and within its training."""
        return (
            self != other
            and other.purpose.id in {self.purpose.id, self.purpose.parent_id}
            and other.training_id in {EVERY_TRAINING, self.training_id}
        )


@dataclass(frozen=True, slots=True)
class Level:
    """A step with what the person chose there."""

    step: Step
    choice: Choice

    @property
    def purpose(self) -> Purpose:
        """The purpose of the step."""
        return self.step.purpose


def steps_of(path: Sequence[Purpose], training_id: int = EVERY_TRAINING) -> list[Step]:
    """The steps that decide about the last purpose of the path, in general or for one training."""
    steps = [Step(purpose) for purpose in path]
    if training_id != EVERY_TRAINING:
        steps += [Step(purpose, training_id) for purpose in path]
    return steps


def decide(
    *,
    levels: Sequence[Level],
    status: RecipientStatus | None,
    suppressions: Iterable[Suppression],
    at: datetime,
    asked_at: datetime | None = None,
) -> Decision:
    """Decide for one recipient. `levels` runs from general to specific and is never empty; `status` None: not known to us.

    A stop at any level refuses, unless a part of it was allowed later. A pause at any level refuses until it ends (the one that
    ends last is told). Otherwise the most specific permission counts, and levels under another lawful basis say nothing.

    `at` is when the message would go. The answer is what is known at `asked_at` (default: `at`), and nobody can know today
    who opts out tomorrow: an `allowed` holds for an hour after asking, however far away `at` is (T24).
    """
    purpose, leaf = levels[0].purpose, levels[-1].purpose
    if any(level.purpose.is_archived for level in levels):
        return Refused(Reason.PURPOSE_ARCHIVED)
    in_the_way = {found.reason for found in suppressions if found.covers(purpose, leaf)}
    for reason in PRECEDENCE:
        if reason in in_the_way:
            return Refused(suppressed(reason))
    if status is None:
        return Refused(Reason.UNKNOWN_RECIPIENT)
    if status is not RecipientStatus.ACTIVE:
        return Refused(Reason(status.value))
    return _decide_by_choices(levels, at=at, until=(asked_at or at) + HOLDS_FOR)


def check_at(at: datetime, now: datetime) -> datetime:
    """When the message would go, if that can be asked about now. Raises InvalidValue."""
    if not now - LOOK_BACK <= at <= now + LOOK_AHEAD:
        raise InvalidValue("`at` lies at most a day back and 90 days ahead.", pointer="/at")
    return at


def suppressed(reason: SuppressionReason) -> Reason:
    """The answer's reason for a suppression's reason."""
    return Reason(f"suppressed_{reason.value}")


def accepts_customer_exception(purpose: Purpose, leaf: Purpose) -> bool:
    """Whether a customer exception recorded at `purpose` counts for `leaf`: both must accept it (L15, similar products)."""
    return purpose.customer_exception and leaf.customer_exception


def _decide_by_choices(levels: Sequence[Level], *, at: datetime, until: datetime) -> Decision:
    leaf = levels[-1].purpose
    for level in levels:
        if level.choice.act in STOP_REASONS and not _overruled(level, levels, leaf):
            return Refused(STOP_REASONS[level.choice.act], since=level.choice.since)
    pauses = [level.choice for level in levels if level.choice.is_paused(at)]
    if pauses:
        longest = max(pauses, key=lambda pause: pause.paused_until or at)
        return Refused(Reason.PAUSED, since=longest.paused_at, until=longest.paused_until)
    for level in reversed(levels):
        basis = _granted_basis(level, leaf)
        if basis is not None and level.purpose.lawful_basis is leaf.lawful_basis:
            return Allowed(basis=basis, since=level.choice.since, until=until)
    if leaf.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST:
        return Allowed(basis=LawfulBasis.LEGITIMATE_INTEREST, since=None, until=until)
    return Refused(Reason.NO_BASIS)


def _overruled(stop: Level, levels: Sequence[Level], leaf: Purpose) -> bool:
    return any(
        level.step.narrows(stop.step)
        and _granted_basis(level, leaf) is not None
        and level.choice.since is not None
        and stop.choice.since is not None
        and level.choice.since > stop.choice.since
        for level in levels
    )


def _granted_basis(level: Level, leaf: Purpose) -> LawfulBasis | None:
    """On what basis the newest act at this level allows something; None where it does not.

    Lifting an objection to a legitimate interest restores that, and never what an older notice version rested on.
    """
    choice, purpose = level.choice, level.purpose
    if not choice.grants(purpose.lawful_basis):
        return None
    basis = choice.basis or purpose.lawful_basis
    if choice.act is Act.OBJECTION_LIFTED and purpose.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST:
        basis = LawfulBasis.LEGITIMATE_INTEREST
    if basis is LawfulBasis.SOFT_OPT_IN and not accepts_customer_exception(purpose, leaf):
        return None
    return basis
