"""Corrections: what is stored is clean, what changed is seen, what was not touched is left."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.domain.corrections import (
    LONG_FIELDS,
    OWN_FIELDS,
    Correction,
    Wrong,
    clean,
    find_wrong,
    fingerprint,
    is_changed,
)
from preferences.domain.rights import is_reference, new_reference

fields = st.sampled_from(OWN_FIELDS)
texts = st.text(max_size=60)


@given(fields, texts)
def test_cleaning_twice_is_cleaning_once(field: str, typed: str) -> None:
    once = clean(field, typed)
    assert clean(field, once) == once


@given(fields, texts)
def test_only_fields_of_several_lines_hold_line_ends(field: str, typed: str) -> None:
    value = clean(field, typed)
    assert not set("\r\v\f\x85\u2028\u2029") & set(value)
    assert "\n" not in value or field in LONG_FIELDS


@given(fields, texts)
def test_what_a_browser_does_to_line_ends_is_no_change(field: str, stored: str) -> None:
    value = clean(field, stored)
    sent = Correction(field, clean(field, value.replace("\n", "\r\n")), fingerprint(field, value))
    assert not is_changed(sent, value)
    assert not is_changed(sent, "somebody changed it meanwhile")


@given(fields, texts, texts, texts)
def test_a_value_that_changed_meanwhile_is_never_overwritten_unseen(
    field: str, shown: str, stored: str, typed: str
) -> None:
    sent = Correction(field, clean(field, typed), fingerprint(field, shown))
    if is_changed(sent, stored) and clean(field, shown) != clean(field, stored):
        assert find_wrong(sent, stored) is not None


@given(fields, texts, texts)
def test_what_was_typed_is_taken_or_there_is_a_reason(field: str, stored: str, typed: str) -> None:
    sent = Correction(field, clean(field, typed), fingerprint(field, stored))
    changed = clean(field, typed) != clean(field, stored)
    assert is_changed(sent, stored) == changed
    if changed and find_wrong(sent, stored) is None:
        assert "\x00" not in sent.value
        sent.value.encode()


def test_two_fields_with_the_same_value_have_different_fingerprints() -> None:
    assert fingerprint("name", "x") != fingerprint("telephone", "x")


@pytest.mark.parametrize(("text", "wrong"), [("1987-04-01", None), ("1987-4-1", Wrong.NOT_A_DATE), ("", None)])
def test_a_date_is_a_date(text: str, wrong: Wrong | None) -> None:
    stored = "1900-01-01"
    assert find_wrong(Correction("established_on", text, fingerprint("established_on", stored)), stored) is wrong


def test_references_are_recognised_and_nothing_else_is() -> None:
    found = {new_reference() for _ in range(500)}
    assert len(found) == 500
    assert all(is_reference(one) for one in found)
    assert not any(
        map(is_reference, ["", "R-", "R-ILOU0000", "R-12345678\n", "r-12345678", "T-12345678", "R-1234567\u0661"])
    )
