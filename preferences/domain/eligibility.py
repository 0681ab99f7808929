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
from .choice import Choice
from .purpose import LawfulBasis, Purpose
from .suppression import PRECEDENCE, Suppression

HOLDS_FOR = timedelta(hours=1)
"""How long an `allowed` may be acted upon before asking again (T24)."""


class RecipientStatus(StrEnum):
    """`restricted` blocks processing at the person's request (GDPR 18); `erased` leaves only the proof (GDPR 17)."""

    ACTIVE = "active"
    RESTRICTED = "restricted"
    ERASED = "erased"


class Reason(StrEnum):
    """Why an answer is what it is; `refused` reasons first in order of precedence."""

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
    Reason.INVALID_ADDRESS: "This is not an email address.",
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

_STOP_REASONS = {
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
class Level:
    """One step from general to specific: the purpose, then its topic, then (for photos) one training."""

    purpose: Purpose
    choice: Choice


def decide(
    *, levels: Sequence[Level], status: RecipientStatus | None, suppressions: Iterable[Suppression], at: datetime
) -> Decision:
    """Decide for one recipient. `levels` runs from general to specific and is never empty; `status` None: not known to us.

    A stop at any level refuses, unless something more specific was allowed later. A pause at any level refuses until it ends.
    Otherwise the most specific permission counts; with none, a level under the same lawful basis follows the one above it.
    """
    purpose = levels[0].purpose
    topic = levels[-1].purpose if levels[-1].purpose is not purpose else None
    if any(level.purpose.is_archived for level in levels):
        return Refused(Reason.PURPOSE_ARCHIVED)
    in_the_way = {found.reason for found in suppressions if found.covers(purpose, topic)}
    for reason in PRECEDENCE:
        if reason in in_the_way:
            return Refused(Reason(f"suppressed_{reason.value}"))
    if status is None:
        return Refused(Reason.UNKNOWN_RECIPIENT)
    if status is not RecipientStatus.ACTIVE:
        return Refused(Reason(status.value))
    return _decide_by_choices(levels, at)


def _decide_by_choices(levels: Sequence[Level], at: datetime) -> Decision:
    for number, level in enumerate(levels):
        if level.choice.act in _STOP_REASONS and not _overruled(level.choice, levels[number + 1 :]):
            return Refused(_STOP_REASONS[level.choice.act], since=level.choice.since)
    for level in levels:
        if level.choice.is_paused(at):
            return Refused(Reason.PAUSED, since=level.choice.paused_at, until=level.choice.paused_until)
    return _permission(levels, at)


def _overruled(stop: Choice, more_specific: Sequence[Level]) -> bool:
    return any(
        level.choice.grants(level.purpose.lawful_basis)
        and level.choice.since is not None
        and stop.since is not None
        and level.choice.since > stop.since
        for level in more_specific
    )


def _permission(levels: Sequence[Level], at: datetime) -> Decision:
    leaf = levels[-1].purpose
    for level in reversed(levels):
        if level.purpose.lawful_basis is not leaf.lawful_basis:
            break
        choice = level.choice
        if choice.grants(level.purpose.lawful_basis):
            basis = choice.basis or level.purpose.lawful_basis
            if basis is LawfulBasis.SOFT_OPT_IN and not level.purpose.customer_exception:
                continue
            return Allowed(basis=basis, since=choice.since, until=at + HOLDS_FOR)
    if leaf.lawful_basis is LawfulBasis.LEGITIMATE_INTEREST:
        return Allowed(basis=LawfulBasis.LEGITIMATE_INTEREST, since=None, until=at + HOLDS_FOR)
    return Refused(Reason.NO_BASIS)
