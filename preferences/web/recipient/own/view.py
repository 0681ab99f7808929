"""Small helpers of the pages of own data: a parameter more, the link to change choices."""

from __future__ import annotations

from urllib.parse import quote

from preferences.domain.capability import Capability, Claims
from preferences.queries.recipients.recipients import RecipientView
from preferences.web.locale import keeping_language
from preferences.web.plumbing import signer, utc_now


def with_query(path: str, name: str, value: str) -> str:
    """The path with one more parameter."""
    return f"{path}{'&' if '?' in path else '?'}{name}={quote(value)}"


def link_to_choices(recipient: RecipientView) -> str:
    """The preference centre of this person: the same page that a link in a mail opens."""
    claims = Claims(Capability.PREFERENCES, recipient.id, 0, recipient.link_epoch, utc_now())
    return keeping_language(f"/p/{signer().mint(claims)}")
