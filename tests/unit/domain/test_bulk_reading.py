"""What reads a hundred thousand identifiers says what the careful readers say about one."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from preferences.domain.address import NormalAddress, normal_form, parse_address
from preferences.domain.capability import RecipientId
from preferences.domain.errors import InvalidAddress, InvalidValue
from preferences.domain.recipient_id import format_recipient_id, parse_recipient_id, read_recipient_id

PARTS = st.text(alphabet="aZ0.+-_@ xn--å\u00e9\u0000\n'", max_size=70)


def _parsed(text: str) -> NormalAddress | None:
    try:
        return parse_address(text).normal
    except InvalidAddress:
        return None


@given(st.one_of(st.emails(), st.builds("{}@{}.se".format, PARTS, PARTS), st.text(max_size=300)))
@example("a" * 64 + "@example.se")
@example("a" * 65 + "@example.se")
@example(" Anna@XN--RKSMRGS-5WAO1O.se ")
@example("anna@" + "e" * 245 + ".se")
def test_normal_form_is_that_of_the_parsed_address_or_none(text: str) -> None:
    assert normal_form(text) == _parsed(text)


@given(st.integers(1, 2**63 - 1))
def test_recipient_id_reads_back_in_any_case(number: int) -> None:
    text = format_recipient_id(number)
    assert read_recipient_id(text) == read_recipient_id(text.upper()) == RecipientId(number)


@pytest.mark.parametrize(
    "text", ["", "0" * 13, "z" * 13, "0" * 12, "0" * 14, "i" * 13, "\u212a" + "0" * 12, "0" * 12 + "1\n", "٠" * 13]
)
def test_what_is_no_id_is_none_for_one_and_an_error_for_the_other(text: str) -> None:
    assert read_recipient_id(text) is None
    with pytest.raises(InvalidValue):
        parse_recipient_id(text)
