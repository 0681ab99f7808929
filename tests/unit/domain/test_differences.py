"""Differences lose no word of either text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from preferences.domain.differences import Kind, Run, differences

TEXTS = st.lists(st.sampled_from(["a ", "b ", "å\n", "- x\n\n", "  "]), max_size=12).map("".join)


def woven(runs: list[Run], without: Kind) -> str:
    return "".join(run.text for run in runs if run.kind is not without)


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_out_of_it(before: str, after: str) -> None:
    runs = differences(before, after)
    assert woven(runs, Kind.ADDED) == before
    assert woven(runs, Kind.REMOVED) == after


def test_the_same_text_differs_in_nothing() -> None:
    assert {run.kind for run in differences("ett två\n\ntre", "ett två\n\ntre")} == {Kind.SAME}


def test_only_the_changed_words_are_marked() -> None:
    assert differences("i tio år.", "i fem år.") == [
        Run(Kind.SAME, "i "),
        Run(Kind.REMOVED, "tio "),
        Run(Kind.ADDED, "fem "),
        Run(Kind.SAME, "år."),
    ]


def test_hostile_repetition_is_still_both_texts() -> None:
    before, after = "x " + "ord " * 10_000 + "a " + "ord " * 10_000, "y " + "ord " * 20_000
    runs = differences(before, after)
    assert (woven(runs, Kind.ADDED), woven(runs, Kind.REMOVED)) == (before, after)
