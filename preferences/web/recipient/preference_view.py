"""Turns a person's standing into the preference page. Each control is made once per wording and state, then kept: the same
few hundred fragments make up everybody's page, and none holds anything personal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from flask import render_template
from flask_babel import format_date
from markupsafe import Markup

from preferences.domain.purpose import About, LawfulBasis, NoticeText
from preferences.queries.preference_page import Control, PreferencePage
from preferences.web.forms import LENGTHS, UNTIL_DATE, PauseForm, local_date
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings

from .opened import Opened


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


@dataclass(frozen=True, slots=True)
class Group:
    """Purposes of one kind under one heading."""

    about: About
    cards: tuple[tuple[Markup, ...], ...]


def render_preferences(
    opened: Opened, page: PreferencePage, *, pause_form: PauseForm | None = None, errors: Sequence[tuple[str, str]] = ()
) -> str:
    """The whole page; with errors, the summary first."""
    locale, default = request_locale(), settings().default_locale
    return render_template(
        "recipient/preferences.html",
        opened=opened,
        page=page,
        everything=page.everything.text(locale, default),
        everything_version=page.everything.purpose.notice_version_id,
        groups=_groups(page, locale, default),
        waiting=[one.described.text(locale, default).title for one in page.waiting],
        stopped_since=day(page.stopped_since),
        paused_until=day(page.paused_until),
        can_pause=any(one.answer == "yes" for one in _mail_controls(page)),
        pause=pause_form,
        lengths=LENGTHS,
        until_date=UNTIL_DATE,
        errors=errors,
    )


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


def day(moment: datetime | None) -> str:
    """A date in words, in the language of the page; empty for None."""
    return "" if moment is None else _in_words(local_date(moment), request_locale())


@lru_cache(maxsize=4096)
def _in_words(day: date, locale: str) -> str:
    return str(format_date(day, "long"))


@lru_cache(maxsize=8192)
def _render(locale: str, one: Fragment) -> Markup:
    """One control; `locale` is that of the request, which the texts around the notice follow."""
    since = _in_words(one.since, locale) if one.since else ""
    paused_until = _in_words(one.paused_until, locale) if one.paused_until else ""
    return Markup(render_template("recipient/control.html", one=one, since=since, paused_until=paused_until))  # noqa: S704


def _groups(page: PreferencePage, locale: str, default: str) -> list[Group]:
    cards: dict[About, list[tuple[Markup, ...]]] = {}
    for control in page.controls:
        card = [_render(locale, fragment(control, locale, default, is_topic=False))]
        card += [_render(locale, fragment(topic, locale, default, is_topic=True)) for topic in control.topics]
        cards.setdefault(control.purpose.about, []).append(tuple(card))
    return [Group(about, tuple(cards[about])) for about in (About.MAIL, About.PUBLICATION) if about in cards]


def _mail_controls(page: PreferencePage) -> list[Control]:
    top = [control for control in page.controls if control.purpose.about is About.MAIL]
    return [*top, *(topic for control in top for topic in control.topics)]
