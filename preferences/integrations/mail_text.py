"""Renders `templates/email/<name>/{subject.txt,body.txt,body.html}` in one language; styles are moved into the elements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import css_inline
from babel import Locale
from flask import Flask, render_template
from flask_babel import force_locale, format_date, get_locale

from preferences.config import Settings

from .mail_types import Rendered

AS_IN = {"en": "en_GB"}
"""Whose way of writing a date a language follows, as on the pages."""

_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_BLANK_LINES = re.compile(r"\n{3,}")
_MARKUP_GAP = re.compile(r"\n\s*\n")


def register_mail_filters(app: Flask) -> None:
    """The filters that mail templates use."""
    app.jinja_env.filters["mail_date"] = _mail_date


def render_mail(template: str, *, locale: str, parameters: Mapping[str, Any], settings: Settings) -> Rendered:
    """The three parts of a mail, in a language of PREFERENCES_LOCALES (else the default). Needs an application context."""
    if not _NAME.fullmatch(template):
        raise ValueError(f"not the name of a mail: {template[:40]!r}")
    language = locale if locale in settings.locales else settings.default_locale
    context = {
        **parameters,
        "language": language.replace("_", "-"),
        "direction": Locale.parse(language).text_direction,
        "organisation": {
            "name": settings.organisation_name,
            "address": settings.organisation_address,
        },
    }
    with force_locale(language):
        subject = render_template(f"email/{template}/subject.txt", **context).strip()
        text = render_template(f"email/{template}/body.txt", **context, subject=subject)
        html = render_template(f"email/{template}/body.html", **context, subject=subject)
    return Rendered(subject=subject, text=_tidy(text), html=_inliner().inline(_MARKUP_GAP.sub("\n", html)).lstrip())


def _tidy(text: str) -> str:
    """No space at line ends (but the `-- ` of a signature, RFC 3676 §4.3), and at most one blank line."""
    lines = [line if line == "-- " else line.rstrip() for line in text.strip("\n").splitlines()]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)) + "\n"


def _mail_date(moment: datetime) -> str:
    locale = str(get_locale())
    with force_locale(AS_IN.get(locale, locale)):
        text: str = format_date(moment, "long")
    return text


@cache
def _inliner() -> css_inline.CSSInliner:
    """Loads nothing from anywhere. Only what cannot stand in an element stays in the head: the colours for dark screens."""
    return css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True)
