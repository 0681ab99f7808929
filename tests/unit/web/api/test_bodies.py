"""Whatever comes in: one JSON value that can be stored, or a refusal with 400."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from preferences.domain.text import is_storable
from preferences.web.api.bodies import parse_json
from preferences.web.api.problems import Problem, json_pointer
from preferences.web.api.types import Moment, Strict, write_moment

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def texts_of(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts_of(part)]
    return [text for one in value for text in texts_of(one)] if isinstance(value, list) else []


@given(json_values, st.booleans())
def test_json_comes_back_as_it_was_or_is_refused_for_its_text(value: Any, escaped: bool) -> None:
    try:
        raw = json.dumps(value, ensure_ascii=escaped).encode()
    except UnicodeEncodeError:
        return
    if all(is_storable(text) for text in texts_of(value)):
        assert parse_json(raw) == value
    else:
        with pytest.raises(Problem):
            parse_json(raw)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_value_or_a_problem(raw: bytes) -> None:
    value, refused = None, None
    try:
        value = parse_json(raw)
    except Problem as problem:
        refused = problem
    assert refused is None or (refused.http_status, refused.problem_code) == (400, "malformed")
    assert all(is_storable(text) for text in texts_of(value))


def test_surrogate_pairs_written_as_escapes_are_text() -> None:
    assert parse_json(b'"\\ud83c\\udf37"') == "🌷"


def test_an_escaped_backslash_is_no_nul() -> None:
    assert parse_json(b'"\\\\u0000"') == "\\u0000"


class Timed(Strict):
    at: Moment


@given(st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
def test_moments_are_read_as_they_are_written(moment: datetime) -> None:
    assert Timed.model_validate({"at": write_moment(moment)}).at == moment


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        1700000000,
        1.5,
        True,
        "",
        "now",
        "2026-05-01",
        "2026-05-01T12:00",
        "2026-05-01T12:00:00",
        "2026-05-01T12:00:00+0200",
        "2026-13-01T12:00:00Z",
        "2026-05-01T25:00:00Z",
        "2026-05-01T12:00:60Z",
        "2026-05-01T12:00:00Z ",
        "２０２６-05-01T12:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "2026-05-01T12:00:00+99:00",
        ["2026-05-01T12:00:00Z"],
    ],
)
def test_what_is_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        Timed.model_validate({"at": value})


@given(st.lists(st.text() | st.integers(min_value=0), max_size=5))
def test_pointers_name_fields_and_nothing_else(place: list[str | int]) -> None:
    pointer = json_pointer(place)
    assert pointer.count("/") == len(place)
    assert "@" not in pointer
    assert len(pointer) <= 65 * len(place)


def test_nothing_of_a_wrong_value_is_in_the_message() -> None:
    class Model(Strict):
        number: int

    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"number": "anna@example.se"})
    assert "anna" not in str(caught.value)
    assert issubclass(Model, BaseModel)
