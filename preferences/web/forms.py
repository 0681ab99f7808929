"""Forms with fields that people type into, as plain WTForms: the link is the authority here, so no CSRF token (T6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask_babel import lazy_gettext
from wtforms import DateField, EmailField, Form, StringField, ValidationError
from wtforms.validators import AnyOf, InputRequired, Length, Optional

from preferences.domain.address import MAX_ADDRESS_BYTES, Address, parse_address
from preferences.domain.errors import InvalidAddress
from preferences.services.choices.preferences import LONGEST_PAUSE

from .dates import local_date, months_after, start_of_day

UNTIL_DATE = "date"
LENGTHS = (("1", lazy_gettext("1 month")), ("3", lazy_gettext("3 months")), ("6", lazy_gettext("6 months")))


class AddressForm(Form):
    """One email address."""

    address = EmailField(
        validators=[
            InputRequired(lazy_gettext("Write your email address.")),
            Length(max=MAX_ADDRESS_BYTES, message=lazy_gettext("The address is too long.")),
        ]
    )
    parsed: Address | None = None

    @property
    def typed(self) -> str:
        """What was typed, as it may be shown again."""
        return _as_shown(self.address.data or "")

    def validate_address(self, field: EmailField) -> None:
        """Only what could be an address at all; whether we know it is never told (T27)."""
        try:
            self.parsed = parse_address(field.data or "")
        except InvalidAddress:
            raise ValidationError(
                lazy_gettext("This does not look like an email address. An example: name@company.se")
            ) from None


class PauseForm(Form):
    """How long: one of the quick choices, or a date."""

    length = StringField(
        validators=[AnyOf([*dict(LENGTHS), UNTIL_DATE], lazy_gettext("Choose how long the pause shall be."))]
    )
    until = DateField(validators=[Optional()])

    def validate(self, extra_validators: Any = None) -> bool:
        """A date of its own must be given where that was chosen, after today and within a year."""
        valid = super().validate(extra_validators)
        if not self.length.errors and (
            self.until.errors or (self.length.data == UNTIL_DATE and not self._is_within_a_year())
        ):
            self.until.errors = [lazy_gettext("Choose a date after today and within a year.")]
            return False
        return valid

    @property
    def typed_until(self) -> str:
        """What was written as the date, as it may be shown again."""
        return _as_shown((self.until.raw_data or [""])[0])

    def _is_within_a_year(self) -> bool:
        today = local_date(datetime.now(UTC))
        return self.until.data is not None and today < self.until.data < today + LONGEST_PAUSE

    def ends_at(self, now: datetime) -> datetime:
        """The start of the day on which mail comes again, in the organisation's time zone."""
        if self.length.data == UNTIL_DATE and self.until.data is not None:
            return start_of_day(self.until.data)
        return start_of_day(months_after(local_date(now), int(self.length.data or "")))


def _as_shown(text: str) -> str:
    """Bounded, and without characters that no page may hold."""
    return "".join(character for character in text[:MAX_ADDRESS_BYTES] if character.isprintable())


def messages(form: Form) -> list[tuple[str, str]]:
    """(field id, message) of everything that is wrong: the summary links to the fields (WCAG 3.3.1)."""
    return [(f"field-{field.name}", str(field.errors[0])) for field in form if field.errors]
