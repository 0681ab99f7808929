"""The fold of the ledger: any order of the same entries gives the same choice (T28)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.domain.acts import GRANTS, PAUSES, REDUCTIONS, STOPS, Act
from preferences.domain.choice import NO_CHOICE, Choice, FoldEntry, apply_entry, fold, is_reduction, stop_act
from preferences.domain.purpose import LawfulBasis

START = datetime(2026, 1, 1, tzinfo=UTC)
CONSENT, SOFT, INTEREST = LawfulBasis.CONSENT, LawfulBasis.SOFT_OPT_IN, LawfulBasis.LEGITIMATE_INTEREST


def _entry(entry_id: int, act: Act, minute: int, basis: LawfulBasis = CONSENT) -> FoldEntry:
    until = START + timedelta(days=30) if act is Act.PAUSED else None
    return FoldEntry(entry_id, act, basis, START + timedelta(minutes=minute), until)


ENTRIES = st.lists(
    st.tuples(st.sampled_from(Act), st.integers(0, 4), st.sampled_from(LawfulBasis)), min_size=0, max_size=8
).map(lambda drawn: [_entry(n + 1, act, minute, basis) for n, (act, minute, basis) in enumerate(drawn)])
"""Few moments, so that ties are common."""


@given(ENTRIES, st.randoms())
def test_order_of_arrival_does_not_matter(entries: list[FoldEntry], random: object) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(shuffled) == fold(entries)


@given(ENTRIES)
def test_entry_by_entry_gives_what_all_at_once_gives(entries: list[FoldEntry]) -> None:
    choice = NO_CHOICE
    for number, entry in enumerate(entries):
        choice = apply_entry(choice, entry)
        assert choice == fold(entries[: number + 1])


@given(ENTRIES)
def test_same_entry_twice_changes_nothing(entries: list[FoldEntry]) -> None:
    assert fold(entries + entries) == fold(entries)


@given(ENTRIES)
def test_newest_permission_act_by_the_persons_time_wins_and_ties_go_to_the_opt_out(entries: list[FoldEntry]) -> None:
    permissions = [one for one in entries if one.act not in PAUSES]
    choice = fold(entries)
    if not permissions:
        assert choice.act is None
        return
    newest = max(one.occurred_at for one in permissions)
    at_the_end = [one for one in permissions if one.occurred_at == newest]
    assert choice.since == newest
    assert choice.stops == any(one.act in STOPS for one in at_the_end)
    agreeing = [one.entry_id for one in at_the_end if (one.act in STOPS) == choice.stops]
    assert choice.entry_id == max(agreeing)


@given(ENTRIES)
def test_pause_lies_beside_the_permission_and_never_changes_it(entries: list[FoldEntry]) -> None:
    choice = fold(entries)
    without = fold(one for one in entries if one.act not in PAUSES)
    assert (choice.act, choice.basis, choice.since, choice.entry_id) == (
        without.act,
        without.basis,
        without.since,
        without.entry_id,
    )


def test_late_arrival_of_an_earlier_act_changes_nothing() -> None:
    opted_out = fold([_entry(1, Act.WITHDRAWN, 10)])
    assert apply_entry(opted_out, _entry(2, Act.GIVEN, 5)) == opted_out


def test_pause_and_resume_at_the_same_moment_stays_paused() -> None:
    for entries in (
        [_entry(1, Act.PAUSED, 1), _entry(2, Act.RESUMED, 1)],
        [_entry(2, Act.RESUMED, 1), _entry(1, Act.PAUSED, 1)],
    ):
        assert fold(entries).is_paused(START + timedelta(minutes=2))


def test_pause_ends_by_itself() -> None:
    paused = fold([_entry(1, Act.PAUSED, 0)])
    assert paused.is_paused(START + timedelta(days=29))
    assert not paused.is_paused(START + timedelta(days=30))


def test_pause_is_overtaken_by_a_later_answer() -> None:
    assert not fold([_entry(1, Act.PAUSED, 0), _entry(2, Act.GIVEN, 1)]).is_paused(START + timedelta(minutes=2))


@pytest.mark.parametrize(
    ("act", "basis", "purpose_basis", "grants"),
    [
        (Act.GIVEN, CONSENT, CONSENT, True),
        (Act.GIVEN, SOFT, CONSENT, True),
        (Act.OBJECTION_LIFTED, CONSENT, CONSENT, False),
        (Act.OBJECTION_LIFTED, SOFT, CONSENT, True),
        (Act.OBJECTION_LIFTED, INTEREST, INTEREST, True),
        (Act.WITHDRAWN, CONSENT, CONSENT, False),
        (Act.OBJECTED, INTEREST, INTEREST, False),
        (Act.REVOKED, CONSENT, CONSENT, False),
        (None, None, INTEREST, False),
    ],
)
def test_lifting_an_objection_never_creates_consent(
    act: Act | None, basis: LawfulBasis | None, purpose_basis: LawfulBasis, grants: bool
) -> None:
    assert Choice(act=act, basis=basis, since=START, entry_id=1).grants(purpose_basis) is grants


@pytest.mark.parametrize(
    ("purpose_basis", "held", "act"),
    [
        (CONSENT, None, Act.WITHDRAWN),
        (CONSENT, CONSENT, Act.WITHDRAWN),
        (CONSENT, SOFT, Act.OBJECTED),
        (INTEREST, None, Act.OBJECTED),
    ],
)
def test_unsubscribe_becomes_the_act_that_fits_the_basis(
    purpose_basis: LawfulBasis, held: LawfulBasis | None, act: Act
) -> None:
    assert stop_act(purpose_basis, Choice(basis=held)) is act


def test_every_act_is_a_stop_a_grant_or_about_the_pause() -> None:
    assert set(Act) == STOPS | GRANTS | PAUSES
    assert not STOPS & GRANTS
    assert {act for act in Act if is_reduction(act)} == REDUCTIONS
