"""What a sign-up form shows, and what a filled-in one says. It may come from another site, so nothing in it is trusted.

The form names the wording beside every control, as the preference centre does; only wording of ours becomes evidence (L2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from flask import Request, abort
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from wtforms import StringField, ValidationError

from preferences.domain.catalogue import Described
from preferences.domain.intake import MAX_NAME_CHARACTERS
from preferences.domain.purpose import NoticeVersionId
from preferences.domain.sign_up import TRAP, Seal
from preferences.domain.text import is_storable
from preferences.queries.purposes.notices import notice_exists
from preferences.queries.purposes.sign_up import Wish
from preferences.web.forms import AddressForm, messages

MOST_BYTES = 64 * 1024
MOST_FIELDS = 600
TICKED = "yes"
_SHOWN = re.compile(r"(?P<version>[1-9][0-9]{0,8})\.(?P<locale>[A-Za-z_]{2,16})", re.ASCII)


class Reading(StrEnum):
    """What to do with a filled-in form."""

    TAKE = "take"
    IGNORE = "ignore"
    """A program filled it in: it gets the same answer as everybody, and nothing is stored."""
    SHOW_AGAIN = "show_again"
    """It does not prove that our words were read just now: the form is shown once more, filled in."""
    CORRECT = "correct"


class SignUpFields(AddressForm):
    """The fields that are typed into."""

    name = StringField()

    @property
    def typed_name(self) -> str:
        """What was typed as the name, as it may be shown again."""
        return "".join(one for one in (self.name.data or "")[:MAX_NAME_CHARACTERS] if one.isprintable())

    @property
    def given_name(self) -> str | None:
        """The name on one line, if one was given."""
        return " ".join((self.name.data or "").split()) or None

    def validate_name(self, field: StringField) -> None:
        """Optional, and bounded."""
        if len(field.data or "") > MAX_NAME_CHARACTERS or not is_storable(field.data or ""):
            raise ValidationError(lazy_gettext("The name is too long, or holds characters that cannot be stored."))


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled-in form."""

    reading: Reading
    fields: SignUpFields
    ticked: frozenset[str]
    wishes: tuple[Wish, ...]
    errors: Sequence[tuple[str, str]]


def read_filled(session: Session, request: Request, on_form: Sequence[Described], seal: Seal) -> Filled:
    """Read what was sent. Answers 400 or 413 for what no form can have sent; fields that we do not know are left alone."""
    fields, ticked = SignUpFields(request.form), _ticked(request, on_form)
    wishes = tuple(_wishes(session, request, on_form, ticked))
    fields.validate()
    errors = messages(fields)
    if not ticked:
        errors.append(("field-purposes", str(lazy_gettext("Tick at least one thing that you want to get."))))
    if request.form.get(TRAP, "") or seal is Seal.TOO_FAST:
        reading = Reading.IGNORE
    elif errors:
        reading = Reading.CORRECT
    elif seal in {Seal.OLD, Seal.NONE} or len(wishes) < len(ticked):
        reading = Reading.SHOW_AGAIN
    else:
        reading = Reading.TAKE
    return Filled(reading, fields, ticked, wishes, errors)


def check_shape(request: Request) -> None:
    """Bounded, without files, every field once."""
    request.max_content_length = MOST_BYTES
    form = request.form
    if request.files or len(form) > MOST_FIELDS or any(len(values) > 1 for _, values in form.lists()):
        abort(400)


def _ticked(request: Request, on_form: Sequence[Described]) -> frozenset[str]:
    return frozenset(one.purpose.key for one in on_form if request.form.get(f"purpose-{one.purpose.key}", "") == TICKED)


def _wishes(session: Session, request: Request, on_form: Sequence[Described], ticked: frozenset[str]) -> list[Wish]:
    """What was ticked, as far as the words named beside it can have been shown at all."""
    wishes = []
    for one in on_form:
        shown = _SHOWN.fullmatch(request.form.get(f"shown-{one.purpose.key}", ""))
        if one.purpose.key not in ticked or shown is None:
            continue
        version, locale = int(shown["version"]), shown["locale"]
        if notice_exists(session, purpose_id=one.purpose.id, version_id=version, locale=locale):
            wishes.append(Wish(one.purpose.id, NoticeVersionId(version), locale))
    return wishes
