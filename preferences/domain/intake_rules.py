"""May this act be taken in, given where the person stands? Pure; the set-wise engine in services.intake asks it row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .acts import Act
from .capability import RecipientId
from .choice import NO_CHOICE, Choice
from .eligibility import STOP_REASONS, Level, Reason, RecipientStatus, steps_of, suppressed
from .intake import CheckedAct
from .lifting import what_would_be_lifted
from .purpose import About
from .suppression import Suppression, SuppressionReason


@dataclass(frozen=True, slots=True)
class StandingSuppression:
    """An active suppression, with where it came from and since when."""

    suppression: Suppression
    source: str
    since: datetime


@dataclass(slots=True)
class Person:
    """Where the person behind an address stands; kept up to date as rows of one batch are taken in."""

    recipient_id: RecipientId | None = None
    status: RecipientStatus | None = None
    choices: dict[int, Choice] = field(default_factory=dict)
    suppressions: list[StandingSuppression] = field(default_factory=list)

    def suppressed_by(self, reason: SuppressionReason) -> StandingSuppression | None:
        """The active suppression with this reason, if any."""
        return next((found for found in self.suppressions if found.suppression.reason is reason), None)


class Take(StrEnum):
    """What to do with an act."""

    RECORD = "record"
    NOTHING = "nothing"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Take it, leave it (it says nothing new), or hold it for a reason; `choice` or `suppression` is what stands in the way."""

    take: Take
    reason: Reason | None = None
    choice: Choice | None = None
    suppression: StandingSuppression | None = None


RECORD = Verdict(Take.RECORD)
NOTHING = Verdict(Take.NOTHING)


def hold_person(person: Person) -> Verdict | None:
    """What holds every row of this person: an erasure, of which nothing may come back (T22)."""
    if not person.suppressions:
        return None
    erased = person.suppressed_by(SuppressionReason.ERASED)
    if erased is not None:
        return Verdict(Take.HOLD, Reason.SUPPRESSED_ERASED, suppression=erased)
    return None


def judge_act(
    act: CheckedAct, person: Person, now: datetime, *, recorded: Mapping[tuple[int, Act, datetime], int]
) -> Verdict:
    """Whether to record the act. `recorded` holds acts already in this person's ledger, by purpose, act and person's time."""
    if act.act is Act.GIVEN and person.recipient_id is None and not person.suppressions:
        return RECORD
    current = person.choices.get(act.purpose.id, NO_CHOICE)
    if act.stops:
        return _judge_stop(act, person, current, recorded)
    held = _what_stands_in_the_way(act, person, now)
    if held is not None:
        return held
    if act.act is Act.OBJECTION_LIFTED:
        return NOTHING
    is_known = current.act is Act.GIVEN and current.since is not None
    if (
        is_known
        and current.since is not None
        and (act.occurred_at < current.since or (act.occurred_at == current.since and act.basis is current.basis))
    ):
        return NOTHING
    return RECORD


def _judge_stop(
    act: CheckedAct, person: Person, current: Choice, recorded: Mapping[tuple[int, Act, datetime], int]
) -> Verdict:
    """A stop is always recorded unless the same or a newer one is there already: a re-import adds nothing."""
    if act.purpose.about is About.EVERYTHING:
        return RECORD if person.suppressed_by(SuppressionReason.GLOBAL_STOP) is None else NOTHING
    if current.stops and current.since is not None and (not act.is_dated or act.occurred_at <= current.since):
        return NOTHING
    return NOTHING if (act.purpose.id, act.act, act.occurred_at) in recorded else RECORD


def _what_stands_in_the_way(act: CheckedAct, person: Person, now: datetime) -> Verdict | None:
    choices = [person.choices.get(purpose.id, NO_CHOICE) for purpose in act.path]
    levels = [Level(step, choice) for step, choice in zip(steps_of(act.path), choices, strict=True)]
    suppressions = [found.suppression for found in person.suppressions]
    reason = what_would_be_lifted(levels, status=person.status, suppressions=suppressions, at=now)
    if reason is None:
        return None
    for found in person.suppressions:
        if suppressed(found.suppression.reason) is reason:
            return Verdict(Take.HOLD, reason, suppression=found)
    for choice in choices:
        if choice.act is not None and STOP_REASONS.get(choice.act) is reason:
            return Verdict(Take.HOLD, reason, choice=choice)
    paused = next((choice for choice in choices if reason is Reason.PAUSED and choice.is_paused(now)), None)
    return Verdict(Take.HOLD, reason, choice=paused)
