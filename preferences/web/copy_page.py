"""A person's own copy, as one page to print and as JSON (GDPR 15(3), 20; L8): for the person, and for letters of staff."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from flask import Response, render_template
from sqlalchemy.orm import Session

from preferences.domain.purpose import LawfulBasis
from preferences.queries.choices.preference_page import Control, PreferencePage, State, preference_page
from preferences.queries.mailers.mailers import mailers
from preferences.queries.own_data.own_data import own_data
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.export import Controller, export_own_data

from .controls import Fragment, fragment
from .dates import in_words
from .locale import request_locale
from .plumbing import settings


class Languages(TypedDict):
    """In which language titles are wanted, and which one stands in."""

    locale: str
    default_locale: str


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """One purpose as the list of choices tells it."""

    shown: Fragment
    basis: LawfulBasis | None
    """What it rests on now; None where nothing may happen."""
    number: int
    """The version of the wording that counts now."""
    since: str
    paused_until: str


def languages() -> Languages:
    """The languages of this request."""
    return {"locale": request_locale(), "default_locale": settings().default_locale}


def choice_rows(page: PreferencePage) -> list[ChoiceRow]:
    """Every purpose and topic in use, in the order of the preference page."""
    rows = []
    for control in page.controls:
        rows.append(_row(control, is_topic=False))
        rows += [_row(topic, is_topic=True) for topic in control.topics]
    return rows


def copy_as_json(session: Session, person: RecipientView, *, now: datetime) -> Response:
    """Everything, as a file; docs/own-data.schema.json describes it."""
    site = settings()
    controller = Controller(site.organisation_name, site.organisation_address, site.organisation_email)
    data = own_data(session, person, **languages())
    copy = export_own_data(data, mailers(session), controller=controller, now=now)
    body = json.dumps(copy, ensure_ascii=False, indent=2) + "\n"
    name = f"own-data-{now:%Y-%m-%d}.json"
    return Response(
        body, mimetype="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def copy_as_page(session: Session, person: RecipientView, *, now: datetime, for_letter: str = "") -> str:
    """Everything on one page, for paper. `for_letter`: the reference of the request that it answers; then nothing leads on."""
    data = own_data(session, person, **languages())
    return render_template(
        "recipient/own/print.html",
        made_at=now,
        recipient=person,
        data=data,
        entries={one.id: one for one in data.history},
        rows=choice_rows(preference_page(session, person, at=now)),
        photos=[one for one in data.choices if one.training is not None],
        mailers=mailers(session),
        for_letter=for_letter,
    )


_BASES = {
    State.CONSENTED: LawfulBasis.CONSENT,
    State.CUSTOMER: LawfulBasis.SOFT_OPT_IN,
    State.INTEREST: LawfulBasis.LEGITIMATE_INTEREST,
    State.LIFTED: LawfulBasis.LEGITIMATE_INTEREST,
}


def _row(control: Control, *, is_topic: bool) -> ChoiceRow:
    spoken = languages()
    return ChoiceRow(
        shown=fragment(control, spoken["locale"], spoken["default_locale"], is_topic=is_topic),
        basis=_BASES.get(control.state),
        number=control.described.number,
        since=in_words(control.since),
        paused_until=in_words(control.paused_until),
    )
