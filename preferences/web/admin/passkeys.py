"""What every page with a passkey shares: for whom passkeys are made, the browser they are bound to, and JSON for the script."""

from __future__ import annotations

from datetime import datetime

from flask import abort, request
from werkzeug.wrappers import Response

from preferences.domain.passkeys import MOST_ANSWER, Ceremony, RelyingParty, relying_party
from preferences.services.staff.challenges import new_challenge
from preferences.services.staff.sessions import secret_digest
from preferences.web.plumbing import settings, utc_now

from .cookie import cookie_secret

ANSWER = "answer"
"""The field of a form that the script fills in."""


def passkeys_work() -> bool:
    """Whether browsers make passkeys for the address that this service is reached by; for templates."""
    return _party() is not None


def party() -> RelyingParty:
    """For whom passkeys are made here; 404 where none can be made."""
    return _party() or abort(404)


def this_browser() -> bytes:
    """What challenges are bound to: the digest of the secret in this browser's cookie. 400 without one."""
    secret = cookie_secret()
    return secret_digest(secret) if secret else abort(400)


def challenge(ceremony: Ceremony) -> bytes:
    """A challenge for this browser, now."""
    return new_challenge(ceremony, this_browser(), now=utc_now())


def typed_answer() -> str:
    """What the script put into the form. One that is too long stays too long, and is none."""
    return request.form.get(ANSWER, "")[: MOST_ANSWER + 1]


def answered() -> tuple[str, RelyingParty, bytes, datetime]:
    """The answer, and what it is checked against: relying party, browser, moment."""
    return typed_answer(), party(), this_browser(), utc_now()


def as_json(options: str) -> Response:
    """Options for the script."""
    return Response(options, mimetype="application/json")


def _party() -> RelyingParty | None:
    found = settings()
    return relying_party(found.base_url, found.organisation_name)
