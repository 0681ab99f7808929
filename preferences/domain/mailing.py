"""What mail is made of: a permit that eligibility hands out, or one of the service's own mails.

Both carry addresses and links, so neither shows anything but an id in its repr (L14).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from .capability import RecipientId
from .eligibility import SENTENCES, Refused
from .errors import PreferencesError
from .purpose import LawfulBasis


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MailPermit:
    """One informational message may go to this person for this purpose, until `until` (T24), with these links in it (M8)."""

    recipient_id: RecipientId
    address: str
    name: str | None
    locale: str
    purpose_key: str
    purpose_title: str
    basis: LawfulBasis
    until: datetime
    unsubscribe_url: str
    preferences_url: str
    mailto: str | None
    list_id: str

    def __repr__(self) -> str:
        """The recipient's id and the purpose only."""
        return f"<MailPermit {self.recipient_id} {self.purpose_key}>"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class OwnMail:
    """A mail about the person's own request (a confirmation, a fresh link): no purpose, no promotion (D15). Or one to staff."""

    recipient_id: RecipientId | None
    """None for staff."""
    address: str
    name: str | None
    locale: str
    template: str
    parameters: Mapping[str, Any]

    def __repr__(self) -> str:
        """The recipient's id and the template only."""
        return f"<OwnMail {self.recipient_id} {self.template}>"


class MailRefused(PreferencesError):
    """Eligibility said no just before the message was made (T24). `refusal` says why, since when, and until when."""

    code: ClassVar[str] = "mail_refused"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The message must not be sent"

    def __init__(self, refusal: Refused) -> None:
        super().__init__(SENTENCES[refusal.reason])
        self.refusal = refusal


class MailDropped(PreferencesError):
    """The mail must not, or need not, be sent any more. `reason` is a short code for the outcome."""

    code: ClassVar[str] = "mail_dropped"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "The mail was dropped"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The mail was dropped: {reason}.")
        self.reason = reason
