"""Opening a preferences link: whose it is, and how much of the page it may still show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from preferences.domain.capability import Capability, Claims, preferences_expired
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import BadToken
from preferences.queries.choices.preference_page import PreferencePage, page_of
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from preferences.web.locale import keeping_language, speak
from preferences.web.plumbing import signer


class Reach(StrEnum):
    """How far a link still reaches. Whatever it is, stopping everything works (contract.md)."""

    FULL = "full"
    OLD = "old"
    """Older than 13 months, or made stale: shows no state, offers a fresh link."""
    RESTRICTED = "restricted"
    """Processing is blocked at the person's request: nothing can be edited (GDPR 18)."""
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Opened:
    """A preferences link with the recipient it belongs to."""

    token: str
    claims: Claims
    recipient: RecipientView
    reach: Reach

    def path(self, *more: str) -> str:
        """A path under this link, in the language chosen on the page."""
        return keeping_language("/".join(("/p", self.token, *more)))


def open_preferences(session: Session, token: str, *, now: datetime) -> Opened:
    """Open the link; from here on the request speaks the recipient's language. Raises BadToken."""
    claims = signer().open(token, Capability.PREFERENCES)
    return _opened(token, claims, recipient_by_id(session, claims.recipient_id), now)


def open_page(session: Session, token: str, *, now: datetime) -> tuple[Opened, PreferencePage]:
    """Open the link together with all that its page shows. Raises BadToken."""
    claims = signer().open(token, Capability.PREFERENCES)
    page = page_of(session, claims.recipient_id, at=now)
    if page is None:
        raise BadToken
    return _opened(token, claims, page.recipient, now), page


def _opened(token: str, claims: Claims, recipient: RecipientView | None, now: datetime) -> Opened:
    if recipient is None:
        raise BadToken
    speak(recipient.locale)
    return Opened(token, claims, recipient, _reach(claims, recipient, now))


def _reach(claims: Claims, recipient: RecipientView, now: datetime) -> Reach:
    if recipient.status is RecipientStatus.ERASED:
        return Reach.ERASED
    if preferences_expired(claims, now) or claims.epoch != recipient.link_epoch & 0xFFFF:
        return Reach.OLD
    return Reach.RESTRICTED if recipient.status is RecipientStatus.RESTRICTED else Reach.FULL
