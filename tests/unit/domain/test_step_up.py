"""Codes and requests, by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.domain.step_up import MOST_WRONG_CODES, RequestState, StepUpRequest, new_code, read_code

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
WAITING = StepUpRequest(1, 2, 0, NOW, NOW + timedelta(minutes=30), None, None)


def test_codes_are_six_digits_and_differ() -> None:
    codes = {new_code() for _ in range(200)}
    assert all(read_code(code) == code for code in codes)
    assert len(codes) > 190


@given(st.text("0123456789", min_size=6, max_size=6), st.lists(st.sampled_from(" \t\n\u00a0\u2009-–."), max_size=12))
def test_a_code_is_read_whatever_stands_between_its_digits(code: str, between: list[str]) -> None:
    typed = code
    for number, mark in enumerate(between):
        place = number % (len(typed) + 1)
        typed = typed[:place] + mark + typed[place:]
    assert read_code(typed) == code


@given(st.text())
def test_whatever_is_typed_is_a_code_or_nothing(typed: str) -> None:
    code = read_code(typed)
    assert code is None or (len(code) == 6 and code.isascii() and code.isdecimal())


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "-123456x", "0x1234"])
def test_what_is_not_six_digits_is_no_code(typed: str) -> None:
    assert read_code(typed) is None


@pytest.mark.parametrize(
    ("request_", "state"),
    [
        (WAITING, RequestState.OPEN),
        (replace(WAITING, attempts=MOST_WRONG_CODES - 1), RequestState.OPEN),
        (replace(WAITING, attempts=MOST_WRONG_CODES), RequestState.GUESSED),
        (replace(WAITING, expires_at=NOW), RequestState.EXPIRED),
        (replace(WAITING, ended_at=NOW), RequestState.REPLACED),
        (replace(WAITING, opened_at=NOW), RequestState.USED),
        (replace(WAITING, opened_at=NOW, ended_at=NOW, attempts=9, expires_at=NOW), RequestState.USED),
    ],
)
def test_only_an_open_request_can_open(request_: StepUpRequest, state: RequestState) -> None:
    assert request_.state(NOW) is state
