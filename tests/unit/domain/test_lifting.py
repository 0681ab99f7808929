"""Only the person's own mailbox lifts what the person stopped (T21): held to the decision by a property."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.domain.acts import STOPS, Act
from preferences.domain.choice import NO_CHOICE, Choice
from preferences.domain.eligibility import Allowed, Level, Reason, RecipientStatus, Refused, decide, steps_of
from preferences.domain.lifting import what_would_be_lifted
from preferences.domain.purpose import Purpose
from preferences.domain.suppression import SuppressionReason, SuppressionScope
from tests.support.decisions import (
    AT,
    CONSENT,
    EVENTS,
    IMAGE,
    LATER,
    MARKETING,
    NEWS,
    PHOTOS,
    TRAINING,
    did,
    paused,
    suppression,
)

PATHS = [(MARKETING,), (MARKETING, NEWS), (EVENTS,), (PHOTOS, IMAGE)]
MACHINE_MADE = {Reason.NO_BASIS, Reason.SUPPRESSED_HARD_BOUNCE, Reason.SUPPRESSED_MANUAL}
"""Refusals that are not the person's own doing: a reported consent may change the first and does not touch the others."""

permissions = st.sampled_from([None, *(act for act in Act if act not in {Act.PAUSED, Act.RESUMED})])
moments = st.integers(min_value=-400, max_value=0).map(lambda hours: AT + timedelta(hours=hours))


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    act = draw(permissions)
    choice = NO_CHOICE if act is None else did(act, draw(moments), CONSENT)
    if draw(st.booleans()):
        choice = paused(AT + timedelta(hours=draw(st.integers(-5, 5))), choice, since=draw(moments))
    return choice


def standing_of(path: tuple[Purpose, ...], chosen: list[Choice], training_id: int) -> list[Level]:
    steps = steps_of(path, training_id)
    return [Level(step, choice) for step, choice in zip(steps, chosen, strict=False)]


@given(
    path=st.sampled_from(PATHS),
    training_id=st.sampled_from([0, TRAINING]),
    chosen=st.lists(choices(), min_size=4, max_size=4),
    status=st.sampled_from(RecipientStatus),
    reasons=st.sets(st.sampled_from(SuppressionReason)),
)
def test_a_grant_that_is_let_through_never_overturns_what_the_person_did(
    path: tuple[Purpose, ...],
    training_id: int,
    chosen: list[Choice],
    status: RecipientStatus,
    reasons: set[SuppressionReason],
) -> None:
    levels = standing_of(path, chosen, training_id)
    suppressions = [suppression(reason) for reason in reasons]
    held = what_would_be_lifted(levels, status=status, suppressions=suppressions, at=AT)
    before = decide(levels=levels, status=status, suppressions=suppressions, at=AT)
    if held is None and isinstance(before, Refused):
        assert before.reason in MACHINE_MADE
    if held is not None:
        return
    granted = [*levels[:-1], replace(levels[-1], choice=did(Act.GIVEN, LATER))]
    after = decide(levels=granted, status=status, suppressions=suppressions, at=AT)
    assert isinstance(before, Allowed) or before.reason is Reason.NO_BASIS or before == after


@pytest.mark.parametrize("stop", sorted(STOPS))
def test_a_stop_at_any_level_holds_a_grant_for_the_last(stop: Act) -> None:
    for place in range(4):
        chosen = [NO_CHOICE] * 4
        chosen[place] = did(stop, AT - timedelta(days=900))
        levels = standing_of((PHOTOS, IMAGE), chosen, TRAINING)
        assert what_would_be_lifted(levels, status=RecipientStatus.ACTIVE, suppressions=(), at=AT) is Reason(stop.value)


def test_a_complaint_about_another_purpose_does_not_hold() -> None:
    levels = standing_of((MARKETING,), [NO_CHOICE], 0)
    for purpose, expected in ((99, None), (MARKETING.id, Reason.SUPPRESSED_COMPLAINT)):
        found = suppression(SuppressionReason.COMPLAINT, SuppressionScope.PURPOSE, purpose)
        assert what_would_be_lifted(levels, status=None, suppressions=[found], at=AT) is expected
