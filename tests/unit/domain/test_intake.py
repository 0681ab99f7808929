"""An intake may add and restrict, never lift (T21): the rule by itself, and against the decision that everything asks."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.domain.acts import STOPS, Act
from preferences.domain.capability import RecipientId
from preferences.domain.choice import NO_CHOICE, Choice, FoldEntry, apply_entry
from preferences.domain.eligibility import Allowed, Level, Reason, RecipientStatus, decide, steps_of
from preferences.domain.intake import CheckedAct
from preferences.domain.intake_rules import Person, StandingSuppression, Take, judge_act
from preferences.domain.purpose import Purpose
from preferences.domain.seen import Seen, SeenLines
from preferences.domain.suppression import SuppressionReason
from tests.support.decisions import AT, CONSENT, EVENTS, IMAGE, MARKETING, NEWS, PHOTOS, did, paused, suppression

PATHS = {MARKETING.id: (MARKETING,), NEWS.id: (MARKETING, NEWS), EVENTS.id: (EVENTS,), IMAGE.id: (PHOTOS, IMAGE)}
NOT_OF_THE_PERSON = {Reason.NO_BASIS, Reason.ALLOWED}

moments = st.integers(-400, 0).map(lambda hours: AT + timedelta(hours=hours))


def act_of(purpose: Purpose, act: Act, at: datetime = AT) -> CheckedAct:
    return CheckedAct(purpose, PATHS[purpose.id], act, CONSENT, at, True, {})


@st.composite
def people(draw: st.DrawFn) -> Person:
    choices: dict[int, Choice] = {}
    for purpose in (MARKETING, NEWS, EVENTS, PHOTOS, IMAGE):
        act = draw(st.sampled_from([None, Act.GIVEN, Act.OBJECTION_LIFTED, *sorted(STOPS)]))
        choice = NO_CHOICE if act is None else did(act, draw(moments))
        if draw(st.integers(0, 4)) == 0:
            choice = paused(AT + timedelta(days=draw(st.integers(-2, 2))), choice, draw(moments))
        choices[purpose.id] = choice
    reasons = draw(st.sets(st.sampled_from(SuppressionReason), max_size=2))
    return Person(
        recipient_id=RecipientId(1),
        status=draw(st.sampled_from([RecipientStatus.ACTIVE, RecipientStatus.ACTIVE, RecipientStatus.RESTRICTED])),
        choices=choices,
        suppressions=[StandingSuppression(suppression(reason), "page", AT) for reason in reasons],
    )


def decisions(person: Person) -> dict[int, object]:
    return {
        purpose_id: decide(
            levels=[
                Level(step, person.choices.get(purpose.id, NO_CHOICE))
                for step, purpose in zip(steps_of(path), path, strict=True)
            ],
            status=person.status,
            suppressions=[found.suppression for found in person.suppressions],
            at=AT,
        )
        for purpose_id, path in PATHS.items()
    }


@given(
    people(),
    st.sampled_from([MARKETING, NEWS, EVENTS, IMAGE]),
    st.sampled_from([Act.GIVEN, Act.OBJECTION_LIFTED, *sorted(STOPS)]),
    moments,
)
def test_no_act_that_is_taken_in_overturns_what_the_person_did(
    person: Person, purpose: Purpose, act: Act, at: datetime
) -> None:
    before = decisions(person)
    verdict = judge_act(act_of(purpose, act, at), person, AT, recorded={})
    if verdict.take is not Take.RECORD:
        return
    choice = apply_entry(person.choices[purpose.id], FoldEntry(99, act, CONSENT, at))
    person.choices = {**person.choices, purpose.id: choice}
    for purpose_id, after in decisions(person).items():
        was = before[purpose_id]
        if isinstance(after, Allowed) and not isinstance(was, Allowed):
            assert was.reason in NOT_OF_THE_PERSON, (was, after)  # type: ignore[attr-defined]


@given(people(), st.sampled_from([MARKETING, NEWS, EVENTS]), st.sampled_from(sorted(STOPS)), moments)
def test_a_stop_is_taken_unless_it_or_a_newer_one_is_there(
    person: Person, purpose: Purpose, act: Act, at: datetime
) -> None:
    verdict = judge_act(act_of(purpose, act, at), person, AT, recorded={})
    current = person.choices[purpose.id]
    is_there = current.stops and current.since is not None and at <= current.since
    assert verdict.take is (Take.NOTHING if is_there else Take.RECORD)
    assert judge_act(act_of(purpose, act, at), person, AT, recorded={(purpose.id, act, at): 1}).take is Take.NOTHING


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_a_consent_that_is_known_is_renewed_only_by_a_newer_one(days: int) -> None:
    person = Person(RecipientId(1), RecipientStatus.ACTIVE, {MARKETING.id: did(Act.GIVEN, AT - timedelta(days=5))})
    verdict = judge_act(act_of(MARKETING, Act.GIVEN, AT - timedelta(days=5 - days)), person, AT, recorded={})
    assert verdict.take is (Take.RECORD if days > 0 else Take.NOTHING)


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 3), st.integers(1, 2**40), st.booleans(), st.booleans()),
        max_size=200,
    )
)
def test_lines_seen_are_found_again_like_in_a_dictionary(puts: list[tuple[int, int, int, bool, bool]]) -> None:
    lines, plain = SeenLines(capacity=2), dict[tuple[int, int], Seen]()
    waiting: dict[tuple[int, int], Seen] = {}
    for number, purpose_id, line, is_stop, settles in puts:
        index = number.to_bytes(8, "big") * 2
        waiting[(number, purpose_id)] = seen = Seen(line, purpose_id, is_stop)
        lines.put(index, seen, purpose_id)
        if settles:
            lines.settle()
            plain |= waiting
            waiting = {}
    for number in range(41):
        for purpose_id in range(4):
            index = number.to_bytes(8, "big") * 2
            assert lines.get(index, purpose_id) == (plain | waiting).get((number, purpose_id))
    lines.forget()
    for number, purpose_id in waiting:
        assert lines.get(number.to_bytes(8, "big") * 2, purpose_id) == plain.get((number, purpose_id))
