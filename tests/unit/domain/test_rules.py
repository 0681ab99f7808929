"""Which act fits which purpose, what evidence is complete, and which times can be true (L1, L3, L12, L15; T28)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.domain.acts import Act
from preferences.domain.errors import ActNotPossible, InvalidValue
from preferences.domain.purpose import About, LawfulBasis, NoticeVersionId, Purpose, PurposeId
from preferences.domain.rules import (
    CLOCK_SKEW,
    SOFT_OPT_IN_EVIDENCE,
    check_act,
    check_evidence,
    check_occurred_at,
    check_pause,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
CONSENT, SOFT, INTEREST = LawfulBasis.CONSENT, LawfulBasis.SOFT_OPT_IN, LawfulBasis.LEGITIMATE_INTEREST
COMPLETE = {"sale_reference": "order 1177", "similar_product": "the same course", "opt_out_offered": True}


def _purpose(basis: LawfulBasis = CONSENT, about: About = About.MAIL, *, exception: bool = False) -> Purpose:
    return Purpose(PurposeId(1), "news", None, about, basis, exception, NoticeVersionId(1))


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("basis", [CONSENT, INTEREST])
def test_act_fits_its_lawful_basis_or_is_refused(act: Act, basis: LawfulBasis) -> None:
    """Nobody gives, refuses or withdraws a legitimate interest: they object to it."""
    if basis is INTEREST and act in {Act.GIVEN, Act.REFUSED, Act.WITHDRAWN}:
        with pytest.raises(ActNotPossible, match="objected"):
            check_act(_purpose(basis), act, None, {})
    else:
        assert check_act(_purpose(basis), act, None, {}) is basis


@pytest.mark.parametrize("act", Act)
def test_global_stop_is_objected_to_or_lifted_and_nothing_else(act: Act) -> None:
    everything = _purpose(INTEREST, About.EVERYTHING)
    if act in {Act.OBJECTED, Act.OBJECTION_LIFTED}:
        assert check_act(everything, act, None, {}) is None
    else:
        with pytest.raises(ActNotPossible):
            check_act(everything, act, None, {})


def test_legitimate_interest_is_not_given_by_anybody() -> None:
    with pytest.raises(ActNotPossible):
        check_act(_purpose(), Act.GIVEN, INTEREST, {})


def test_customer_exception_with_complete_evidence_is_accepted() -> None:
    assert check_act(_purpose(exception=True), Act.GIVEN, SOFT, COMPLETE) is SOFT


@pytest.mark.parametrize("missing", SOFT_OPT_IN_EVIDENCE)
@pytest.mark.parametrize("instead", [None, "", False])
def test_customer_exception_lacking_any_part_of_its_evidence_is_refused(missing: str, instead: object) -> None:
    evidence: dict[str, Any] = {**COMPLETE, missing: instead}
    with pytest.raises(ActNotPossible) as refused:
        check_act(_purpose(exception=True), Act.GIVEN, SOFT, evidence)
    assert refused.value.pointer == f"/evidence/{missing}"
    del evidence[missing]
    with pytest.raises(ActNotPossible):
        check_act(_purpose(exception=True), Act.GIVEN, SOFT, evidence)


def test_customer_exception_is_refused_where_the_purpose_has_none() -> None:
    with pytest.raises(ActNotPossible) as refused:
        check_act(_purpose(), Act.GIVEN, SOFT, COMPLETE)
    assert refused.value.pointer == "/basis"


def test_plain_yes_is_consent_even_where_the_exception_exists() -> None:
    assert check_act(_purpose(exception=True), Act.GIVEN, None, {}) is CONSENT


def test_stop_keeps_the_basis_that_it_ends() -> None:
    assert check_act(_purpose(exception=True), Act.OBJECTED, SOFT, {}) is SOFT


def test_evidence_is_trimmed_and_emptied_fields_are_left_out() -> None:
    assert check_evidence({"source": "  fair 2026 ", "wording": " ", "opt_out_offered": False}) == {
        "source": "fair 2026"
    }


@pytest.mark.parametrize(
    ("evidence", "pointer"),
    [
        ({"password": "x"}, "/evidence/password"),
        ({"source": "a\x00b"}, "/evidence/source"),
        ({"source": "a\udfffb"}, "/evidence/source"),
        ({"wording": "x" * 5001}, "/evidence/wording"),
        ({"source": 7}, "/evidence/source"),
        ({"source": ["a"]}, "/evidence/source"),
        ({"source": None}, "/evidence/source"),
        ({"n" * 500: "x"}, "/evidence/" + "n" * 40),
    ],
)
def test_evidence_that_cannot_be_kept_is_refused_by_field(evidence: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        check_evidence(evidence)
    assert refused.value.pointer == pointer


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))])))
def test_persons_own_time_is_past_and_can_be_stored_or_is_refused(occurred_at: datetime) -> None:
    refused, found = False, NOW
    try:
        found = check_occurred_at(occurred_at, NOW)
    except InvalidValue:
        refused = True
    if refused:
        assert occurred_at > NOW + CLOCK_SKEW or occurred_at.year <= 1990
    else:
        assert found <= NOW
        assert found.astimezone(UTC) == min(occurred_at, NOW)


def test_small_clock_skew_is_cut_to_now_and_more_is_an_error() -> None:
    assert check_occurred_at(NOW + CLOCK_SKEW, NOW) == NOW
    with pytest.raises(InvalidValue, match="future"):
        check_occurred_at(NOW + CLOCK_SKEW + timedelta(seconds=1), NOW)


def test_time_without_zone_is_refused() -> None:
    with pytest.raises(InvalidValue, match="time zone"):
        check_occurred_at(NOW.replace(tzinfo=None), NOW)


@pytest.mark.parametrize("act", Act)
def test_pause_has_an_end_and_nothing_else_has_one(act: Act) -> None:
    if act is Act.PAUSED:
        assert check_pause(act, NOW) == NOW
        for wrong in (None, NOW.replace(tzinfo=None)):
            with pytest.raises(InvalidValue):
                check_pause(act, wrong)
    else:
        assert check_pause(act, None) is None
        with pytest.raises(InvalidValue):
            check_pause(act, NOW)
