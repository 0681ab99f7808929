"""The types of fields: strict, bounded, closed. JSON has no dates and no enums, so those are read from text, and only text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from preferences.domain.acts import Act
from preferences.domain.purpose import LawfulBasis


class Strict(BaseModel):
    """A request or a part of one: unknown fields are errors and nothing is coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, defer_build=True)


class Nothing(Strict):
    """A call that takes neither a body nor parameters."""


_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _moment(value: Any) -> datetime:
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("must be a time with its zone, such as 2026-05-01T12:00:00Z (RFC 3339)")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a moment that exists") from None


def write_moment(moment: datetime) -> str:
    """A moment as every answer writes it: UTC, to the second or finer, with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(write_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-05-01T12:00:00Z"]}),
]


def separated(value: Any) -> Any:
    """A list in a query string: words between commas."""
    return value.split(",") if isinstance(value, str) else value


_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)


def _whole_number(value: Any) -> Any:
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            raise ValueError("must be a whole number")
        return int(value)
    return value


LARGEST_ID = 2**63 - 1
_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


def read_number(text: str) -> int | None:
    """The number in a path; None for what can be no number of ours."""
    number = int(text) if _ID.fullmatch(text) else 0
    return number if 0 < number <= LARGEST_ID else None


Number = Annotated[int, BeforeValidator(_whole_number)]
"""A number in a query string, where everything is text."""
RecipientText = Annotated[
    str,
    Field(max_length=1000, description="A recipient's id (13 characters) or email address (at most 254 bytes)."),
]
RECIPIENT_ID_PATTERN = "^[0-9a-hjkmnp-tv-z]{13}$"
PurposeKey = Annotated[
    str, Field(pattern="^[a-z][a-z0-9_]{0,63}$", description="The key of a purpose or topic.", examples=["marketing"])
]
ActText = Annotated[Act, Field(strict=False)]
BasisText = Annotated[LawfulBasis, Field(strict=False)]
