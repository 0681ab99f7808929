"""A text as recipients see it before they have answered: the very control of the preference page, made for nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask_babel import force_locale
from markupsafe import Markup

from preferences.domain.catalogue import Described
from preferences.domain.purpose import About, NoticeText
from preferences.queries.choices.preference_page import Control, untouched_control
from preferences.web.controls import control_html, fragment
from preferences.web.plumbing import settings, utc_now


@dataclass(frozen=True, slots=True)
class Card:
    """One card in one language; the global stop is a button, whose words are `stop`."""

    locale: str
    html: Markup
    stop: NoticeText | None = None


def as_recipients_see(top: Described, topics: Sequence[Described], locales: Sequence[str]) -> list[Card]:
    """The card of a purpose with its topics, in each language."""
    if top.purpose.about is About.EVERYTHING:
        return [Card(locale, Markup(), stop=_text(top, locale)) for locale in locales]
    control = untouched_control(top, topics, at=utc_now())
    return [Card(locale, _html([control, *control.topics], locale)) for locale in locales]


def one_control(one: Described, above: Described | None, locales: Sequence[str]) -> list[Card]:
    """The control of one purpose or topic alone, in each language."""
    if above is None:
        return as_recipients_see(one, (), locales)
    topic = untouched_control(above, [one], at=utc_now()).topics[0]
    return [Card(locale, _html([topic], locale)) for locale in locales]


def _html(controls: Sequence[Control], locale: str) -> Markup:
    """In the language of the text; names and ids carry it, because a page shows several languages."""
    with force_locale(locale):
        parts = []
        for control in controls:
            shown = fragment(control, locale, settings().default_locale, is_topic=bool(control.purpose.parent_id))
            parts.append(control_html(locale, replace(shown, key=f"{shown.key}-{locale}")))
    return Markup("".join(parts))  # noqa: S704 - made by a template that escapes


def _text(one: Described, locale: str) -> NoticeText:
    return one.text(locale, settings().default_locale)
