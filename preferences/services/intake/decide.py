"""Decides a batch of prepared rows against what is on record of them, line by line, without writing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from preferences.domain.capability import RecipientId
from preferences.domain.choice import NO_CHOICE, Choice, FoldEntry, apply_entry
from preferences.domain.eligibility import Reason, RecipientStatus
from preferences.domain.intake import CheckedAct, Outcome, RowResult
from preferences.domain.intake_rules import (
    NOTHING,
    Person,
    StandingSuppression,
    Take,
    Verdict,
    hold_person,
    judge_act,
)
from preferences.domain.purpose import About, Purpose
from preferences.domain.recipient_id import neighbouring_ids
from preferences.domain.seen import Seen, SeenLines
from preferences.domain.suppression import DEFAULT_SCOPES, Suppression, SuppressionReason
from preferences.queries.imports.intake import StoredRecipient

from .lookup import OnRecord
from .prepare import Prepared, open_profile, open_text

PROVISIONAL = 2**62
"""Entries not yet written carry ids from here on: newer than every entry on record, as they will be."""


@dataclass(frozen=True, slots=True)
class FieldUpdate:
    """What a row changes of a recipient on record; None leaves a field as it is."""

    external_id: str | None
    name: str | None
    locale: str | None
    profile: Mapping[str, str] | None
    """The whole new profile."""


@dataclass(slots=True)
class Decided:
    """One row with what is to be written for it."""

    result: RowResult
    prepared: Prepared | None = None
    stored: StoredRecipient | None = None
    recipient_id: RecipientId | None = None
    update: FieldUpdate | None = None
    act: CheckedAct | None = None
    """The act to append to the ledger."""
    folds: bool = False
    """Whether it becomes the choice; an older one is only recorded."""
    verdict: Verdict | None = None
    """Why it is held."""

    @property
    def is_new(self) -> bool:
        """Whether a recipient is to be made."""
        return self.result.outcome is Outcome.NEW


@dataclass(slots=True)
class Batch:
    """A decided batch: its rows in order, and the choices that its entries leave, by recipient and purpose."""

    rows: list[Decided] = field(default_factory=list)
    choices: dict[tuple[RecipientId, int], Choice] = field(default_factory=dict)
    entries: int = 0


def planned(one: Decided) -> RowResult:
    """The result as a dry run tells it: a recipient that is not there yet has no id."""
    return one.result if one.stored is not None else one.result._replace(recipient_id=None)


def remember_line(seen: SeenLines, one: Prepared) -> None:
    """Note a line that was taken: the first about an address, and each act of a later one."""
    if seen.get(one.address_index) is not None:
        line = _seen(one)
        seen.put(one.address_index, line, line.purpose_id)
    else:
        _remember_first(seen, one)


def _remember_first(seen: SeenLines, one: Prepared) -> None:
    seen.put(one.address_index, _seen(one))
    if one.external_index is not None:
        seen.put(one.external_index, Seen(one.line, 0, False))


def _seen(one: Prepared) -> Seen:
    act = one.act
    return Seen(one.line, 0, False) if act is None else Seen(one.line, act.purpose.id, act.stops)


def decide_rows(
    prepared: Sequence[Prepared | RowResult], known: OnRecord, *, everything: Purpose, seen: SeenLines, now: datetime
) -> Batch:
    """Decide every row in order. Lines taken are put into `seen`; held and invalid ones are not, so the next one counts."""
    decider = _Decider(known, everything, seen, now)
    for one in prepared:
        decider.batch.rows.append(decider.decide(one) if isinstance(one, Prepared) else Decided(one))
    return decider.batch


class _Decider:
    def __init__(self, known: OnRecord, everything: Purpose, seen: SeenLines, now: datetime) -> None:
        self.known = known
        self.everything = everything
        self.seen = seen
        self.now = now
        self.batch = Batch()
        self.fresh = neighbouring_ids()
        self.people: dict[bytes, Person] = {}

    def decide(self, one: Prepared) -> Decided:
        person = self.people.get(one.address_index)
        if person is None:
            person = self.people[one.address_index] = self.known.person(one.address_index)
        held = hold_person(person)
        if held is not None:
            return _held(one, person, held)
        earlier = self.seen.get(one.address_index)
        if earlier is not None:
            return self._decide_repeat(one, person, earlier)
        return self._decide_first(one, person)

    def _decide_first(self, one: Prepared, person: Person) -> Decided:
        taken = self._external_id_taken(one, person)
        if taken:
            return _invalid(one, person, "external_id_taken", taken)
        verdict = self._judge(one.act, person)
        if verdict.take is Take.HOLD:
            return _held(one, person, verdict)
        stored = self.known.stored.get(one.address_index)
        update = _update(one, stored) if stored is not None else None
        if update is not None and person.status is RecipientStatus.RESTRICTED:
            if verdict.take is not Take.RECORD:
                return _held(one, person, Verdict(Take.HOLD, Reason.RESTRICTED))
            update = None
        decided = self._take(one, person, verdict, update)
        _remember_first(self.seen, one)
        return decided

    def _decide_repeat(self, one: Prepared, person: Person, earlier: Seen) -> Decided:
        """A later line about the same address: only its act counts, and only where no earlier line said the same."""
        act = one.act
        if act is None:
            return _invalid(one, person, "duplicate", f"Duplicate of line {earlier.line}.")
        same = self._seen_act(one.address_index, act.purpose, earlier)
        if same is not None and (same.is_stop or not act.stops):
            return _invalid(one, person, "duplicate", f"Duplicate of line {same.line}.")
        if not act.stops:
            for purpose in (*act.path, self.everything):
                above = self._seen_act(one.address_index, purpose, earlier)
                if above is not None and above.is_stop:
                    detail = f"Line {above.line} stops it. Only the person's own mailbox can lift a stop."
                    return Decided(
                        RowResult(one.line, Outcome.HELD, person.recipient_id, "stopped_earlier", detail), one
                    )
        verdict = self._judge(act, person)
        if verdict.take is Take.HOLD:
            return _held(one, person, verdict)
        remember_line(self.seen, one)
        decided = self._take(one, person, verdict, None)
        detail = f"The same address as line {earlier.line}: only the act is taken."
        outcome = Outcome.CHANGED if verdict.take is Take.RECORD else Outcome.UNCHANGED
        decided.result = decided.result._replace(outcome=outcome, detail=detail)
        return decided

    def _take(self, one: Prepared, person: Person, verdict: Verdict, update: FieldUpdate | None) -> Decided:
        outcome = Outcome.CHANGED if update or verdict.take is Take.RECORD else Outcome.UNCHANGED
        if person.recipient_id is None:
            person.recipient_id = next(self.fresh)
            person.status = RecipientStatus.ACTIVE
            outcome = Outcome.NEW
        result = RowResult(one.line, outcome, person.recipient_id)
        decided = Decided(result, one, self.known.stored.get(one.address_index), person.recipient_id, update)
        if verdict.take is Take.RECORD and one.act is not None:
            self._record(decided, person, person.recipient_id, one.act)
        return decided

    def _record(self, decided: Decided, person: Person, recipient_id: RecipientId, act: CheckedAct) -> None:
        current = person.choices.get(act.purpose.id, NO_CHOICE)
        entry_id = PROVISIONAL + self.batch.entries
        if current is NO_CHOICE:
            after = Choice(act.act, act.basis, act.occurred_at, entry_id)
        else:
            after = apply_entry(current, FoldEntry(entry_id, act.act, act.basis, act.occurred_at))
        self.batch.entries += 1
        decided.act = act
        decided.folds = after is not current
        if decided.folds:
            person.choices[act.purpose.id] = after
            self.batch.choices[(recipient_id, act.purpose.id)] = after
        if act.stops and act.purpose.about is About.EVERYTHING:
            reason = SuppressionReason.GLOBAL_STOP
            stop = StandingSuppression(Suppression(reason, DEFAULT_SCOPES[reason]), "import", self.now)
            person.suppressions = [*person.suppressions, stop]

    def _judge(self, act: CheckedAct | None, person: Person) -> Verdict:
        if act is None:
            return NOTHING
        return judge_act(act, person, self.now, recorded=self.known.recorded.get(person.recipient_id or 0, {}))

    def _seen_act(self, address_index: bytes, purpose: Purpose, earlier: Seen) -> Seen | None:
        found = self.seen.get(address_index, purpose.id)
        if found is None and earlier.purpose_id == purpose.id:
            return earlier
        return found

    def _external_id_taken(self, one: Prepared, person: Person) -> str:
        if one.external_index is None:
            return ""
        owner = self.known.owners.get(one.external_index)
        if owner is not None and owner != person.recipient_id:
            return "The external id belongs to another recipient; to move a person, change the address of that one."
        other = self.seen.get(one.external_index)
        return f"Line {other.line} has the same external id with another address." if other else ""


def _held(one: Prepared, person: Person, verdict: Verdict) -> Decided:
    reason = verdict.reason.value if verdict.reason else None
    result = RowResult(one.line, Outcome.HELD, person.recipient_id, reason)
    return Decided(result, one, verdict=verdict)


def _invalid(one: Prepared, person: Person, reason: str, detail: str) -> Decided:
    return Decided(RowResult(one.line, Outcome.INVALID, person.recipient_id, reason, detail), one)


def _update(one: Prepared, stored: StoredRecipient) -> FieldUpdate | None:
    """What the row changes; None when it says nothing new. Empty fields leave what is there."""
    external = one.external_id if one.external_index and one.external_index != stored.external_index else None
    name = one.name if one.name and one.name != open_text(stored.name, b"recipients.name") else None
    locale = one.locale if one.locale and one.locale != stored.locale else None
    profile: Mapping[str, str] | None = None
    if one.profile:
        before = open_profile(stored.profile)
        merged = {**before, **one.profile}
        profile = merged if merged != before else None
    if external is None and name is None and locale is None and profile is None:
        return None
    return FieldUpdate(external, name, locale, profile)
