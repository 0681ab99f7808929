"""The personal data such a company keeps about a customer contact (product.md). A password belongs to the shop, never here."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import InvalidValue
from .text import is_storable

PROFILE_FIELDS = (
    "contact_person",
    "company_name",
    "company_form",
    "address",
    "telephone",
    "business_unit",
    "vat_number",
    "licence_number",
    "established_on",
    "username",
    "domain_holder",
)
"""`address` is the postal one; `established_on` a date (YYYY-MM-DD); `domain_holder` the holder details of domain names."""

MAX_FIELD_CHARACTERS = 1000


def check_profile(profile: Mapping[str, str]) -> dict[str, str]:
    """The profile with its values trimmed and empty ones left out. Raises InvalidValue for unknown or overlong fields."""
    clean: dict[str, str] = {}
    for field, value in profile.items():
        if field not in PROFILE_FIELDS:
            raise InvalidValue(f"There is no profile field named {field[:40]!r}.", pointer=f"/profile/{field[:40]}")
        text = value.strip()
        if len(text) > MAX_FIELD_CHARACTERS or not is_storable(text):
            raise InvalidValue(
                f"{field} is longer than {MAX_FIELD_CHARACTERS} characters or holds NUL or broken Unicode.",
                pointer=f"/profile/{field}",
            )
        if text:
            clean[field] = text
    return clean
