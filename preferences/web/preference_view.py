"""Turns a person's standing into the preference page. Each control is made once per wording and state, then kept: the same
few hundred fragments make up everybody's page, and none holds anything personal.

Staff see the same page as a preview: made by the same code, with nothing on it that acts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from markupsafe import Markup, escape

from preferences.domain.answer import Answer
from preferences.domain.choice import EVERY_TRAINING
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.purpose import About, NoticeText
from preferences.queries.choices.preference_page import Control, PreferencePage
from preferences.web.controls import Fragment, control_html, fragment
from preferences.web.dates import in_words
from preferences.web.forms import LENGTHS, UNTIL_DATE, PauseForm
from preferences.web.locale import asked_language, keeping_language, request_locale
from preferences.web.plumbing import settings


@dataclass(frozen=True, slots=True)
class Frame:
    """All that the page shows around the controls, except whose page it is; equal frames look the same."""

    language_asked: str
    everything: NoticeText
    everything_version: int
    is_stopped: bool
    stopped_since: str
    in_the_way: str
    paused_until: str
    can_pause: bool
    waiting: tuple[str, ...]
    language: str | None
    cards: tuple[tuple[About, int], ...]
    """How many cards stand under each heading."""


PATH, ADDRESS, CARD = "\ue000path\ue000", "\ue000address\ue000", "\ue000card\ue000"
"""Stand in a kept frame for what is put in afterwards: where the forms go, the masked address, each card of controls."""


PAGE, LESS = "recipient/preferences.html", "recipient/less.html"
_MARGIN = re.compile(r"\s*\n\s*")


def render_preferences(
    page: PreferencePage, token: str, *, pause_form: PauseForm | None = None, errors: Sequence[tuple[str, str]] = ()
) -> str:
    """The whole page; with errors, the summary first."""
    locale, default = request_locale(), settings().default_locale
    cards = _cards(page, locale, default)
    one = _frame(page, locale, default, cards)
    html = _render_frame(locale, one) if pause_form is None else _frame_html(one, pause_form, errors)
    return _put_together(html, page, cards).replace(PATH, token)


def render_less(page: PreferencePage, reach: str, token: str) -> str:
    """The page of a link that shows no choices: it still stops everything, and leads somewhere (D8).

    `reach` says why: old, restricted or erased.
    """
    return render_template(LESS, token=token, here=keeping_language(f"/p/{token}"), **_less(page, reach))


def render_seen(page: PreferencePage, *, banner: Markup) -> str:
    """The page that a link sent now would open, in the language of the request: no form, no link and no token is on it.

    `banner` says that it is a preview.
    """
    status, around = page.recipient.status, {"token": "", "here": "", "banner": banner}
    if status is not RecipientStatus.ACTIVE:
        return render_template("admin/recipients/recipient_seen.html", seen=LESS, **around, **_less(page, status.value))
    locale, default = request_locale(), settings().default_locale
    cards = _cards(page, locale, default)
    html = render_template(
        "admin/recipients/recipient_seen.html",
        seen=PAGE,
        **around,
        **_parts(_frame(page, locale, default, cards), None, ()),
    )
    return _put_together(html, page, cards)


def waiting_titles(page: PreferencePage, locale: str, default: str) -> tuple[str, ...]:
    """What waits for the mailbox. Which training is not said: whoever holds a link need not know where the person was."""
    return tuple(
        one.described.text(locale, default).title
        if one.training_id == EVERY_TRAINING
        else _("%(title)s, for one training", title=one.described.text(locale, default).title)
        for one in page.waiting
    )


@lru_cache(maxsize=8192)
def _render(locale: str, one: Fragment) -> Markup:
    """One control; `locale` is that of the request, which the texts around the notice follow."""
    html = control_html(locale, one)
    return Markup(_without_margins(html))  # noqa: S704 - made by a template that escapes


@lru_cache(maxsize=1024)
def _render_frame(locale: str, one: Frame) -> str:
    """The page around the controls, in the language of the request."""
    return _without_margins(_frame_html(one, None, ()))


def _without_margins(html: str) -> str:
    """Lines without the indentation of the template: a third of the bytes. No element of the page keeps white space."""
    return _MARGIN.sub("\n", html)


def _frame_html(one: Frame, pause_form: PauseForm | None, errors: Sequence[tuple[str, str]]) -> str:
    here = keeping_language(f"/p/{PATH}")
    return render_template(PAGE, token=PATH, here=here, **_parts(one, pause_form, errors))


def _parts(one: Frame, pause_form: PauseForm | None, errors: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What recipient/preferences.html shows, except where its forms go."""
    lengths = (*LENGTHS, (UNTIL_DATE, _("Until a date")))
    return {"address": ADDRESS, "card": CARD, "one": one, "pause": pause_form, "lengths": lengths, "errors": errors}


def _put_together(html: str, page: PreferencePage, cards: Sequence[tuple[About, Markup]]) -> str:
    first, *rest = html.split(CARD)
    whole = first + "".join(f"{card}{after}" for (_, card), after in zip(cards, rest, strict=True))
    return whole.replace(ADDRESS, str(escape(page.recipient.masked_address)))


def _less(page: PreferencePage, reach: str) -> dict[str, Any]:
    return {"reach": reach, "is_stopped": page.is_stopped, "stopped_since": in_words(page.stopped_since)}


def _frame(page: PreferencePage, locale: str, default: str, cards: Sequence[tuple[About, Markup]]) -> Frame:
    return Frame(
        language_asked=asked_language(),
        everything=page.everything.text(locale, default),
        everything_version=page.everything.purpose.notice_version_id,
        is_stopped=page.is_stopped,
        stopped_since=in_words(page.stopped_since),
        in_the_way=page.in_the_way.value if page.in_the_way else "",
        paused_until=in_words(page.paused_until),
        can_pause=any(one.answer is Answer.YES for one in _mail_controls(page)),
        waiting=waiting_titles(page, locale, default),
        language=page.recipient.locale,
        cards=tuple((about, sum(found is about for found, _ in cards)) for about in (About.MAIL, About.PUBLICATION)),
    )


def _cards(page: PreferencePage, locale: str, default: str) -> list[tuple[About, Markup]]:
    """Each purpose with its topics, those that send mail first."""
    ordered = sorted(page.controls, key=lambda one: one.purpose.about is not About.MAIL)
    return [
        (
            control.purpose.about,
            (_untouched_card if control.is_untouched else _card)(control, locale, default),
        )
        for control in ordered
    ]


def _card(control: Control, locale: str, default: str) -> Markup:
    card = _render(locale, fragment(control, locale, default, is_topic=False))
    for topic in control.topics:
        card += _render(locale, fragment(topic, locale, default, is_topic=True))
    return card


_untouched_card = lru_cache(maxsize=512)(_card)
"""The card of everybody who has chosen nothing in it: found by the control itself, which all of them share."""


def _mail_controls(page: PreferencePage) -> list[Control]:
    top = [control for control in page.controls if control.purpose.about is About.MAIL]
    return [*top, *(topic for control in top for topic in control.topics)]
