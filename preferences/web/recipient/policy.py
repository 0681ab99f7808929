"""`/policy`, `/cookies`, `/.well-known/security.txt`: what the company promises, in the words of its current notices (L7)."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, render_template

from preferences.domain.catalogue import Described
from preferences.domain.purpose import LawfulBasis, NoticeText
from preferences.models.transaction import reading
from preferences.queries.purposes import catalogue
from preferences.web.access import Access, access
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, utc_now

from . import blueprint

POLICY_VERSION = "1"
"""Of the text around the notices; raised with every change of meaning (L21)."""
SECURITY_TXT_LASTS = timedelta(days=180)

Notice = tuple[NoticeText, LawfulBasis, int]


@blueprint.get("/policy")
@access(Access.PUBLIC)
def policy() -> str:
    """The privacy policy, with the notice of every purpose in use."""
    with reading() as session:
        known = catalogue(session)
    groups = [(_notice(entry), [_notice(topic) for topic in known.topics(entry.purpose)]) for entry in known.purposes()]
    return render_template("recipient/policy.html", groups=groups, version=POLICY_VERSION)


@blueprint.get("/cookies")
@access(Access.PUBLIC)
def cookies() -> str:
    """Which cookies there are: none on the pages of recipients."""
    return render_template("recipient/cookies.html")


@blueprint.get("/.well-known/security.txt")
@access(Access.PUBLIC)
def security_txt() -> Response:
    """Where to report a weakness (RFC 9116)."""
    configured = settings()
    expires = (utc_now() + SECURITY_TXT_LASTS).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = (
        f"Contact: mailto:{configured.organisation_email}",
        f"Expires: {expires.isoformat().replace('+00:00', 'Z')}",
        f"Preferred-Languages: {', '.join(configured.locales)}",
        f"Canonical: {configured.base_url}/.well-known/security.txt",
    )
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


def _notice(entry: Described) -> Notice:
    text = entry.text(request_locale(), settings().default_locale)
    return text, entry.purpose.lawful_basis, entry.number
