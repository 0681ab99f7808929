"""`/me/correct`: a person's own fields, to correct and to complete (GDPR 16; L9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from preferences.domain.corrections import LONG_FIELDS, NAME, OWN_FIELDS, Correction, Wrong, clean, fingerprint
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.rights import NotTaken
from preferences.domain.text import printable
from preferences.models.transaction import transaction
from preferences.services.rights.corrections import Corrected, correct
from preferences.web.access import Access, access
from preferences.web.locale import keeping_language, request_locale
from preferences.web.plumbing import settings, utc_now
from preferences.web.recipient import blueprint
from preferences.web.session import current_recipient

from .rights import not_taken_in_words, to_requests
from .view import with_query

MOST_SHOWN = 2000
"""Characters of a field that is too long which come back to be shortened."""

AUTOCOMPLETE = {
    NAME: "name",
    "company_name": "organization",
    "address": "street-address",
    "telephone": "tel",
    "username": "username",
}
"""What browsers can fill in (WCAG 1.3.5)."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form."""

    name: str
    value: str
    shown: str
    """The fingerprint of what is stored, as far as the person has seen it."""
    is_long: bool
    is_at_once: bool
    autocomplete: str
    error: str


@blueprint.get("/me/correct")
@access(Access.STEP_UP)
def own_correct() -> str:
    """The form with what is stored."""
    return _page({}, {})


@blueprint.post("/me/correct")
@access(Access.STEP_UP)
def save_corrections() -> Response | tuple[str, int]:
    """Store what the person changed, or hand the form back with what is wrong; then nothing was stored."""
    sent = {one.field: one for one in _sent()}
    with transaction() as session:
        outcome = correct(
            session,
            current_recipient().id,
            list(sent.values()),
            at_once=settings().correctable_fields,
            locale=request_locale(),
            now=utc_now(),
        )
    if isinstance(outcome, NotTaken):
        return _page(sent, {}, refused=not_taken_in_words(outcome)), 429
    if isinstance(outcome, Corrected):
        unchanged = with_query(keeping_language("/me/correct"), "unchanged", "1")
        return redirect(to_requests(outcome.references) if outcome.references else unchanged, code=303)
    return _page(sent, outcome), 422


def _sent() -> list[Correction]:
    """The fields that the form holds together with their fingerprints; a field without one was not on the page (T17)."""
    form = request.form
    return [
        Correction(name, clean(name, form[name]), form[f"shown-{name}"][:64])
        for name in OWN_FIELDS
        if name in form and f"shown-{name}" in form
    ]


def _page(sent: Mapping[str, Correction], problems: Mapping[str, Wrong], *, refused: str = "") -> str:
    me = current_recipient()
    blocked = me.status is RecipientStatus.RESTRICTED
    stored = {**me.profile, NAME: me.name or ""}
    fields = [_field(name, str(stored.get(name, "")), sent, problems, blocked=blocked) for name in OWN_FIELDS]
    return render_template(
        "recipient/own/correct.html",
        blocked=blocked,
        at_once=[one for one in fields if one.is_at_once],
        checked=[one for one in fields if not one.is_at_once],
        errors=[(f"field-{one.name}", one.error) for one in fields if one.error],
        refused=refused,
        unchanged="unchanged" in request.args,
    )


def _field(
    name: str, stored: str, sent: Mapping[str, Correction], problems: Mapping[str, Wrong], *, blocked: bool
) -> Field:
    """As typed where something was sent. A value that changed meanwhile is told, and counts as seen from then on."""
    typed, wrong = sent.get(name), problems.get(name)
    seen_now = typed is None or wrong is Wrong.CHANGED_MEANWHILE
    return Field(
        name=name,
        value=stored if typed is None else printable(typed.value[:MOST_SHOWN]),
        shown=fingerprint(name, stored) if seen_now or typed is None else typed.shown,
        is_long=name in LONG_FIELDS,
        is_at_once=name in settings().correctable_fields and not blocked,
        autocomplete=AUTOCOMPLETE.get(name, "off"),
        error="" if wrong is None else _in_words(wrong, stored),
    )


def _in_words(wrong: Wrong, stored: str) -> str:
    match wrong:
        case Wrong.TOO_LONG:
            return str(gettext("That is too long."))
        case Wrong.UNREADABLE:
            return str(gettext("There is a character in it that cannot be stored."))
        case Wrong.NOT_A_DATE:
            return str(gettext("Write the date like 1987-04-01."))
    now = stored or gettext("nothing")
    return str(gettext("It was changed meanwhile. Now it says: %(now)s. What you wrote is still here.", now=now))
