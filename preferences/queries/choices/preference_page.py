"""All that the preference page tells of one person, in few queries: it is opened by everybody on the day of a mailing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.answer import Answer, shown_answer
from preferences.domain.capability import RecipientId
from preferences.domain.catalogue import Catalogue, Described
from preferences.domain.choice import EVERY_TRAINING, NO_CHOICE, Choice
from preferences.domain.eligibility import Allowed, RecipientStatus, Step, steps_of
from preferences.domain.purpose import LawfulBasis, Purpose
from preferences.domain.suppression import PRECEDENCE, SuppressionReason
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView

from .choices import Standing
from .standing import AskedRow, person_at_once


class State(StrEnum):
    """Why an answer is what it is, as one sentence beside the control says it (D14)."""

    UNSET = "unset"
    CONSENTED = "consented"
    CUSTOMER = "customer"
    INTEREST = "interest"
    LIFTED = "lifted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """One purpose or topic with the person's answer, truthfully: why it is so, since when, and what is still open.

    Those of everybody who has chosen nothing there are one and the same object.
    """

    described: Described
    answer: Answer
    state: State
    since: datetime | None
    above: Described | None
    """The purpose above when the answer follows from the answer there."""
    paused_until: datetime | None
    is_waiting: bool
    """Asked for on the page and not yet confirmed by the mailbox (T11)."""
    topics: tuple[Control, ...] = ()
    is_untouched: bool = False
    """Whether the person has chosen and asked nothing here, nor in a topic of it."""

    @property
    def purpose(self) -> Purpose:
        """The purpose or topic."""
        return self.described.purpose


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits for the mailbox."""

    described: Described
    act: Act
    until: datetime
    training_id: int = EVERY_TRAINING


@dataclass(frozen=True, slots=True)
class PreferencePage:
    """Where one person stands, in the order of the page."""

    recipient: RecipientView
    controls: tuple[Control, ...]
    everything: Described
    is_stopped: bool
    """The person's own «nothing more», a fact of its own (T18)."""
    stopped_since: datetime | None
    in_the_way: SuppressionReason | None
    """What else keeps mail from the address: a bounce, a complaint, staff (T20)."""
    paused_until: datetime | None
    """The end of the pause that ends last, among purposes that send mail."""
    waiting: tuple[Waiting, ...]

    def control(self, purpose_id: int) -> Control | None:
        """The control of a purpose or topic in use."""
        for control in self.controls:
            for found in (control, *control.topics):
                if found.purpose.id == purpose_id:
                    return found
        return None


def preference_page(session: Session, recipient: RecipientView, *, at: datetime) -> PreferencePage:
    """Everything the page shows of this person now."""
    found = page_of(session, recipient.id, at=at)
    assert found is not None  # noqa: S101 - recipients are erased, never deleted
    return found


def page_of(session: Session, recipient_id: RecipientId, *, at: datetime) -> PreferencePage | None:
    """The same by id, erased people too; None for somebody we never knew."""
    person = person_at_once(session, recipient_id, at=at)
    if person is None:
        return None
    known, where = catalogue(session), person.standing
    waiting = waiting_of(person.waiting, known)
    controls = _controls(known, where, asked_for(waiting), at)
    everything = known.everything()
    reasons = {found.reason for found in where.suppressions}
    ends = [one.paused_until for control in controls for one in (control, *control.topics) if one.paused_until]
    return PreferencePage(
        recipient=person.recipient,
        controls=controls,
        everything=everything,
        is_stopped=where.stopped_everything,
        stopped_since=where.choice(everything.purpose).since if where.stopped_everything else None,
        in_the_way=next(
            (one for one in PRECEDENCE if one in reasons and one is not SuppressionReason.GLOBAL_STOP), None
        ),
        paused_until=max(ends, default=None),
        waiting=waiting,
    )


Scope = tuple[int, int]
"""A purpose's id, and a training's or EVERY_TRAINING."""


def asked_for(waiting: Sequence[Waiting]) -> frozenset[Scope]:
    """What of it waits for the mailbox: purposes, in general or for one training."""
    return frozenset((int(one.described.purpose.id), one.training_id) for one in waiting)


def own_answers(where: Standing) -> Standing:
    """The same person without pauses, suppressions and status: what their own choices say and nothing else."""
    awake = {
        key: choice if choice.paused_at is None else replace(choice, paused_at=None, paused_until=None)
        for key, choice in where.choices.items()
    }
    return Standing(status=RecipientStatus.ACTIVE, choices=awake, suppressions=())


@dataclass(frozen=True, slots=True)
class _Branch:
    """A purpose with its topics, and its control for everybody who has chosen nothing in it."""

    entry: Described
    topics: tuple[Described, ...]
    ids: frozenset[int]
    untouched: Control


_branches: WeakKeyDictionary[Catalogue, tuple[_Branch, ...]] = WeakKeyDictionary()


def _controls(known: Catalogue, where: Standing, waiting: frozenset[Scope], at: datetime) -> tuple[Control, ...]:
    own = own_answers(where)
    touched = frozenset(purpose_id for purpose_id, _ in waiting.union(where.choices))
    return tuple(
        branch.untouched
        if touched.isdisjoint(branch.ids)
        else _with_topics(where, own, branch.entry, branch.topics, waiting, at)
        for branch in _branches_of(known, at)
    )


def _branches_of(known: Catalogue, at: datetime) -> tuple[_Branch, ...]:
    """Worked out once for a catalogue. Without a choice there is no pause, so the moment makes no difference."""
    found = _branches.get(known)
    if found is None:
        found = tuple(
            _Branch(
                entry=entry,
                topics=(topics := tuple(known.topics(entry.purpose))),
                ids=frozenset(int(one.purpose.id) for one in (entry, *topics)),
                untouched=untouched_control(entry, topics, at=at),
            )
            for entry in known.purposes()
        )
        _branches[known] = found
    return found


def untouched_control(entry: Described, topics: Sequence[Described], *, at: datetime) -> Control:
    """The control of a purpose with its topics for somebody who has chosen nothing."""
    nobody = Standing(status=RecipientStatus.ACTIVE, choices={}, suppressions=())
    return replace(_with_topics(nobody, nobody, entry, topics, frozenset(), at), is_untouched=True)


def _with_topics(
    where: Standing,
    own: Standing,
    entry: Described,
    topics: Sequence[Described],
    waiting: frozenset[Scope],
    at: datetime,
) -> Control:
    return replace(
        control_of(where, own, [entry], waiting, at),
        topics=tuple(control_of(where, own, [entry, topic], waiting, at) for topic in topics),
    )


def control_of(
    where: Standing,
    own: Standing,
    path: Sequence[Described],
    waiting: frozenset[Scope],
    at: datetime,
    training_id: int = EVERY_TRAINING,
) -> Control:
    """The control of the last purpose of the path, in general or for one training. `own` is `own_answers(where)`."""
    leaf, purposes = path[-1], [step.purpose for step in path]
    decision = own.decide(purposes, at, training_id)
    answer, choice = shown_answer(decision), where.choice(leaf.purpose, training_id)
    steps = steps_of(purposes, training_id)
    if answer is Answer.UNSET:
        state = State.UNSET
    elif isinstance(decision, Allowed):
        state = _yes_state(decision.basis, decision.since)
    else:
        state = State(decision.reason.value)
    follows = len(steps) > 1 and decision.since is not None and decision.since != choice.since
    return Control(
        described=leaf,
        answer=answer,
        state=state,
        since=decision.since,
        above=_decider(where, path, steps, decision.since) if follows else None,
        paused_until=_pause_end([where.choice(step.purpose, step.training_id) for step in steps], at),
        is_waiting=(leaf.purpose.id, training_id) in waiting,
    )


def _decider(
    where: Standing, path: Sequence[Described], steps: Sequence[Step], since: datetime | None
) -> Described | None:
    """The purpose whose answer decided: the most specific step above, whose choice is as old as the decision."""
    numbers = range(len(steps) - 2, -1, -1)
    found = (n for n in numbers if where.choice(steps[n].purpose, steps[n].training_id).since == since)
    number = next(found, None)
    return None if number is None else path[number % len(path)]


def _yes_state(basis: LawfulBasis, since: datetime | None) -> State:
    if basis is LawfulBasis.CONSENT:
        return State.CONSENTED
    if basis is LawfulBasis.SOFT_OPT_IN:
        return State.CUSTOMER
    return State.INTEREST if since is None else State.LIFTED


def _pause_end(choices: Sequence[Choice], at: datetime) -> datetime | None:
    ends = [choice.paused_until for choice in choices if choice is not NO_CHOICE and choice.is_paused(at)]
    return max((end for end in ends if end is not None), default=None)


def waiting_of(rows: Sequence[AskedRow], known: Catalogue) -> tuple[Waiting, ...]:
    """What waits for the mailbox, each thing once, as it was asked for last."""
    found: dict[Scope, Waiting] = {}
    for row in rows:
        for item in row.asked:
            described, training_id = known.by_id(item["purpose_id"]), item["training_id"]
            if described is not None and not described.purpose.is_archived:
                found[described.purpose.id, training_id] = Waiting(
                    described, Act(item["act"]), row.expires_at, training_id
                )
    return tuple(found.values())
