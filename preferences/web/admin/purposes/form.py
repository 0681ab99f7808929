"""The form of a purpose's words and basis: read as typed, turned into texts, what is wrong with it in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import request
from flask_babel import gettext, lazy_gettext

from preferences.domain.basis_rules import BasisNotAllowed
from preferences.domain.catalogue import Described
from preferences.domain.errors import PreferencesError
from preferences.domain.purpose import MAX_TEXT_CHARACTERS, MAX_TITLE_CHARACTERS, LawfulBasis, NoticeText
from preferences.domain.text import written
from preferences.web.admin.words.words import staff_word
from preferences.web.plumbing import settings

from .purposes import TEXT_FIELDS

Form = dict[str, str]

PROBLEMS = {
    "/key": lazy_gettext("Lower-case letters, digits and _, beginning with a letter, at most 64."),
    "/about": lazy_gettext("Choose what it is about."),
    "/lawful_basis": lazy_gettext("Choose consent or legitimate interest: each purpose rests on one of them."),
    "/customer_exception": lazy_gettext("The customer exception stands in for consent to mail, and for nothing else."),
    "/sure": lazy_gettext("Read what the change means, and tick that you want it."),
}
CONFLICTS = {"/texts": "same", "/based_on": "newer"}
"""Of publishing a version; anything else is that the purpose was archived."""


def locales_of(newest: Described | None) -> list[str]:
    """The languages of the service, then others that the newest version has."""
    others = sorted(set(newest.texts) - set(settings().locales)) if newest else []
    return [*settings().locales, *others]


def form_of(newest: Described) -> Form:
    """What the newest version says, to begin with."""
    form = {"based_on": str(newest.number), "lawful_basis": newest.purpose.lawful_basis.value}
    form["customer_exception"] = "1" if newest.purpose.customer_exception else ""
    for locale in locales_of(newest):
        text = newest.texts.get(locale)
        form |= {f"{name}-{locale}": getattr(text, name) if text else "" for name in TEXT_FIELDS}
    return form


def empty_form(locales: Sequence[str]) -> Form:
    """A new purpose: consent, until something else is chosen."""
    words = {f"{name}-{locale}": "" for locale in locales for name in TEXT_FIELDS}
    return {**words, "key": "", "about": "", "lawful_basis": LawfulBasis.CONSENT, "customer_exception": ""}


def typed_form(locales: Sequence[str]) -> Form:
    """What was typed: texts with their line breaks, a title on one line, nothing that no page may hold."""
    words = {f"{name}-{locale}": _words(f"{name}-{locale}", name) for locale in locales for name in TEXT_FIELDS}
    short = ("key", "about", "lawful_basis", "customer_exception", "based_on", "sure")
    return {**words, **{name: _words(name, "title")[:80] for name in short}}


def texts_of(form: Form, locales: Sequence[str]) -> list[NoticeText]:
    """The texts that the form holds, one for each language."""
    return [NoticeText(locale, *(form[f"{name}-{locale}"] for name in TEXT_FIELDS)) for locale in locales]


def basis_of(form: Form) -> LawfulBasis | None:
    """The chosen basis; None for anything else. The customer exception is none of its own."""
    found = form["lawful_basis"]
    return LawfulBasis(found) if found in {LawfulBasis.CONSENT, LawfulBasis.LEGITIMATE_INTEREST} else None


def number_of(form: Form) -> int:
    """The version that the writer began with; 0 for what is none."""
    number = form["based_on"]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0


def problem_of(error: PreferencesError) -> tuple[str, Any]:
    """(field of the page, what is wrong with it) for what a service refused."""
    pointer = error.pointer or ""
    if isinstance(error, BasisNotAllowed):
        return "lawful_basis", staff_word("basis_law", error.law)
    parts = pointer.split("/")
    if parts[1:2] == ["texts"] and len(parts) == 4:
        most = MAX_TITLE_CHARACTERS if parts[3] == "title" else MAX_TEXT_CHARACTERS
        language = parts[2]
        return f"{parts[3]}-{language}", gettext("Write it: 1 to %(most)s characters.", most=most)
    return pointer[1:], PROBLEMS.get(pointer, error.detail)


def _words(name: str, kind: str) -> str:
    text = request.form.get(name, "")
    return written(" ".join(text.split()) if kind == "title" else text)
