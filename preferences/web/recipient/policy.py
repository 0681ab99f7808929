"""`/policy`, `/cookies`, `/.well-known/security.txt`: what the company promises, in the words of its current notices (L7)."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, abort, render_template, request

from preferences.domain.catalogue import Described
from preferences.domain.policy import blocks_of
from preferences.domain.purpose import LawfulBasis, NoticeText
from preferences.models.transaction import reading
from preferences.queries.purposes.policy import policy_version, policy_versions
from preferences.queries.purposes.purposes import catalogue
from preferences.web.access import Access, access
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, utc_now

from . import blueprint

SECURITY_TXT_LASTS = timedelta(days=180)

Notice = tuple[NoticeText, LawfulBasis, int]


@blueprint.get("/policy")
@access(Access.PUBLIC)
def policy() -> str:
    """The privacy policy: the version published last, or `?version=`, with the notice of every purpose in use.

    Until the company has published words of its own, those that come with the product stand there.
    """
    number = request.args.get("version", type=int)
    with reading() as session:
        known = catalogue(session)
        published = policy_version(session, number)
        numbers = [one.number for one in policy_versions(session)]
    if number is not None and published is None:
        abort(404)
    groups = [(_notice(entry), [_notice(topic) for topic in known.topics(entry.purpose)]) for entry in known.purposes()]
    text = published.text(request_locale(), settings().default_locale) if published else None
    return render_template(
        "recipient/policy.html",
        groups=groups,
        published=published,
        text=text,
        blocks=list(blocks_of(text.body)) if text else [],
        numbers=numbers,
    )


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
