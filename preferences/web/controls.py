"""One control of the preference page: what it shows, and its HTML. Staff see the same one when they look at a text first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask import render_template

from preferences.domain.purpose import About, LawfulBasis, NoticeText
from preferences.queries.choices.preference_page import Control
from preferences.web.dates import date_in_words, local_date


@dataclass(frozen=True, slots=True)
class Fragment:
    """All that one control shows; equal fragments look the same."""

    key: str
    version_id: int
    text: NoticeText
    about: About
    basis: LawfulBasis
    answer: str
    state: str
    since: date | None
    above: str | None
    paused_until: date | None
    is_waiting: bool
    is_topic: bool
    has_topics: bool

    @property
    def shown(self) -> str:
        """What the form sends back: the state shown, and the exact wording and language it was shown with (L2, T17)."""
        return f"{self.answer}.{self.version_id}.{self.text.locale}"


def fragment(control: Control, locale: str, default: str, *, is_topic: bool) -> Fragment:
    """What one control shows in this language."""
    purpose = control.purpose
    return Fragment(
        key=purpose.key,
        version_id=purpose.notice_version_id,
        text=control.described.text(locale, default),
        about=purpose.about,
        basis=purpose.lawful_basis,
        answer=control.answer.value,
        state=control.state.value,
        since=None if control.since is None else local_date(control.since),
        above=None if control.above is None else control.above.text(locale, default).title,
        paused_until=None if control.paused_until is None else local_date(control.paused_until),
        is_waiting=control.is_waiting,
        is_topic=is_topic,
        has_topics=bool(control.topics),
    )


def control_html(locale: str, one: Fragment) -> str:
    """The control as HTML; `locale` is the language of the words around the notice, in which dates are told."""
    since = date_in_words(one.since, locale) if one.since else ""
    paused_until = date_in_words(one.paused_until, locale) if one.paused_until else ""
    return render_template("recipient/control.html", one=one, since=since, paused_until=paused_until)
