"""Which language a page speaks: the switch on the page, then the recipient's, then Accept-Language, then the default."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from flask import has_request_context, request

from preferences.config import Settings
from preferences.domain.errors import ConfigurationError

from .plumbing import settings

PARAMETER = "lang"
"""The switch on every page: `?lang=en`. It changes what is shown, never what is stored."""

RECIPIENTS_OWN = "preferences.recipients_own_language"


def folders_of_words(root: str, configured: Settings) -> list[str]:
    """Where catalogues are, the operator's own last, whose words win. Raises ConfigurationError for a language without."""
    own = configured.translations_path
    folders = [str(Path(root) / "translations"), *([str(Path(own).resolve())] if own else [])]
    for locale in configured.locales:
        if not any((Path(folder) / locale / "LC_MESSAGES" / "messages.mo").is_file() for folder in folders):
            raise ConfigurationError(
                "PREFERENCES_LOCALES", f"there are no translations into {locale[:8]}; see docs/languages.md"
            )
    return folders


def request_locale() -> str:
    """The language of this request; one language end to end, errors included (D13)."""
    configured = settings()
    if not has_request_context():
        return configured.default_locale
    if request.query_string:
        asked = request.args.get(PARAMETER, "")
        if asked in configured.locales:
            return asked
    recipients_own = request.environ.get(RECIPIENTS_OWN)
    if recipients_own in configured.locales:
        return str(recipients_own)
    wanted = request.accept_languages
    return (wanted and wanted.best_match(configured.locales)) or configured.default_locale


def asked_language() -> str:
    """What the switch on the page says; empty where it says nothing that we offer."""
    asked = request.args.get(PARAMETER, "")
    return asked if asked in settings().locales else ""


def speak(locale: str | None) -> None:
    """From here on this request speaks the recipient's language, unless the switch on the page said otherwise."""
    request.environ[RECIPIENTS_OWN] = locale


def keeping_language(path: str) -> str:
    """The path with the language chosen on the page, so that a link or a form does not change it back (D13)."""
    asked = asked_language()
    return f"{path}?{PARAMETER}={quote(asked)}" if asked else path


def in_language(locale: str) -> str:
    """This page in another language: an address relative to it, so that it holds no token."""
    return f"?{PARAMETER}={quote(locale)}"
