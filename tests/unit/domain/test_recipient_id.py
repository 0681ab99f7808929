"""A recipient's id: random, 63 bits inside, 13 characters outside, never misread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.domain.errors import InvalidValue
from preferences.domain.recipient_id import format_recipient_id, new_recipient_id, parse_recipient_id


@given(st.integers(1, 2**63 - 1))
def test_text_of_an_id_reads_back_in_any_case(number: int) -> None:
    text = format_recipient_id(number)
    assert len(text) == 13
    assert set(text) <= set("0123456789abcdefghjkmnpqrstvwxyz")
    assert parse_recipient_id(text) == parse_recipient_id(text.upper()) == number


@given(st.lists(st.integers(1, 2**63 - 1), min_size=2, max_size=6))
def test_texts_sort_as_the_numbers_do(numbers: list[int]) -> None:
    assert sorted(map(format_recipient_id, numbers)) == list(map(format_recipient_id, sorted(numbers)))


def test_fresh_ids_are_positive_and_differ() -> None:
    fresh = {new_recipient_id() for _ in range(1000)}
    assert len(fresh) == 1000
    assert all(0 < one < 2**63 for one in fresh)


@pytest.mark.parametrize(
    "text",
    ["", "0" * 13, "z" * 13, "8" + "0" * 12, "0" * 12, "0" * 14, "0" * 12 + "u", "0" * 12 + "i", "0" * 12 + "l",
     "0" * 12 + "o", " " + "0" * 12, "0" * 12 + "\n", "٠" * 12 + "1", "anna@example.se"],
)  # fmt: skip
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        parse_recipient_id(text)


@given(st.text(max_size=20))
def test_any_text_is_an_id_or_refused(text: str) -> None:
    number = None
    try:
        number = parse_recipient_id(text)
    except InvalidValue:
        return
    assert format_recipient_id(number) == text.lower()
