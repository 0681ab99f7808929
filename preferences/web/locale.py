"""Which language a page speaks: the switch on the page, then the recipient's, then Accept-Language, then the default."""

from __future__ import annotations

from flask import g, has_request_context, request

from .plumbing import settings


def request_locale() -> str:
    """The language of this request; one language end to end, errors included (D13)."""
    configured = settings()
    if not has_request_context():
        return configured.default_locale
    asked = request.args.get("lang", "")
    if asked in configured.locales:
        return asked
    recipients_own = g.get("recipient_locale")
    if recipients_own in configured.locales:
        return str(recipients_own)
    return request.accept_languages.best_match(configured.locales) or configured.default_locale
