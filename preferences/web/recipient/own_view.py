"""Small helpers of the pages of own data: languages, rows of choices, the link to change them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict
from urllib.parse import quote

from preferences.domain.capability import Capability, Claims
from preferences.domain.purpose import LawfulBasis
from preferences.queries.choices.preference_page import Control, PreferencePage, State
from preferences.queries.recipients.recipients import RecipientView
from preferences.web.controls import Fragment, fragment
from preferences.web.dates import in_words
from preferences.web.locale import keeping_language, request_locale
from preferences.web.plumbing import settings, signer, utc_now


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


def with_query(path: str, name: str, value: str) -> str:
    """The path with one more parameter."""
    return f"{path}{'&' if '?' in path else '?'}{name}={quote(value)}"


def link_to_choices(recipient: RecipientView) -> str:
    """The preference centre of this person: the same page that a link in a mail opens."""
    claims = Claims(Capability.PREFERENCES, recipient.id, 0, recipient.link_epoch, utc_now())
    return keeping_language(f"/p/{signer().mint(claims)}")


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
