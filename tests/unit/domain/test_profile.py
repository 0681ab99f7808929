"""The profile holds the fields of product.md, never a password."""

from __future__ import annotations

import pytest

from preferences.domain.errors import InvalidValue
from preferences.domain.profile import MAX_FIELD_CHARACTERS, PROFILE_FIELDS, check_profile


def test_every_field_of_the_customer_contact_has_a_place() -> None:
    assert set(check_profile(dict.fromkeys(PROFILE_FIELDS, " x "))) == set(PROFILE_FIELDS)
    assert "password" not in PROFILE_FIELDS


def test_values_are_trimmed_and_empty_ones_left_out() -> None:
    assert check_profile({"company_name": "  Å & Ö AB ", "telephone": "   "}) == {"company_name": "Å & Ö AB"}


@pytest.mark.parametrize(
    ("profile", "pointer"),
    [
        ({"password": "secret"}, "/profile/password"),
        ({"Company_name": "x"}, "/profile/Company_name"),
        ({"company_name": "x" * (MAX_FIELD_CHARACTERS + 1)}, "/profile/company_name"),
        ({"company_name": "a\x00b"}, "/profile/company_name"),
        ({"company_name": "a\ud800b"}, "/profile/company_name"),
        ({"x" * 5000: "x"}, "/profile/" + "x" * 40),
    ],
)
def test_field_that_cannot_be_kept_is_refused_by_name(profile: dict[str, str], pointer: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        check_profile(profile)
    assert refused.value.pointer == pointer
    assert "secret" not in refused.value.detail
