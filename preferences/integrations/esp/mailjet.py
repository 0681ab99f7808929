"""Mailjet: one event a request, or a list ("version 2"); nothing signed, a password in the address.

Documents: dev.mailjet.com/email/guides/webhooks: "Event API", "Event types", "Securing your webhooks". `sent` says that
the recipient's server took the message.
"""

from __future__ import annotations

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, severity_of

from .base import BASIC, Item, Provider, json_events
from .fields import at, moment, references, status_in, text, written_in

_TYPES = {
    "sent": EspEventType.DELIVERED,
    "bounce": EspEventType.BOUNCED,
    "blocked": EspEventType.REJECTED,
    "spam": EspEventType.COMPLAINED,
    "unsub": EspEventType.UNSUBSCRIBED,
    "open": EspEventType.OPENED,
    "click": EspEventType.CLICKED,
}
_REASONS = {
    "bounce": RejectReason.BOUNCED,
    "blocked": RejectReason.BLOCKED,
    "spam": RejectReason.SPAM,
    "unsub": RejectReason.UNSUBSCRIBED,
}
_ERRORS = {
    "user unknown": RejectReason.INVALID,
    "blacklisted": RejectReason.BLOCKED,
    "spam reporter": RejectReason.SPAM,
    "invalid domain": RejectReason.INVALID,
    "no mail host": RejectReason.INVALID,
    "relay/access denied": RejectReason.BLOCKED,
    "typofix": RejectReason.INVALID,
    "sender blocked": RejectReason.BLOCKED,
    "content blocked": RejectReason.BLOCKED,
    "policy issue": RejectReason.BLOCKED,
    "spam preblocked": RejectReason.SPAM,
    "preblocked": RejectReason.BLOCKED,
    "duplicate in campaign": RejectReason.OTHER,
}


def read(item: Item) -> EspEvent:
    """One event; the mailer's own words are in `Payload`, as JSON."""
    native = text(item, "event")
    is_mail_to_us = not native and "Sender" in item and "Recipient" in item
    kind = _TYPES.get(native, EspEventType.INBOUND if is_mail_to_us else EspEventType.UNKNOWN)
    is_hard = at(item, "hard_bounce") is True
    if kind is EspEventType.BOUNCED and text(item, "error") == "greylisted" and not is_hard:
        kind = EspEventType.DEFERRED  # Mailjet tries again
    is_bounce = kind is EspEventType.BOUNCED
    is_final = is_hard and at(item, "blocked") is not True
    reason = _REASONS.get(native)
    if reason in {RejectReason.BOUNCED, RejectReason.BLOCKED}:
        reason = _ERRORS.get(text(item, "error"), reason)
    return EspEvent(
        type=kind,
        native=native,
        recipient=text(item, "email"),
        occurred_at=moment(at(item, "time")),
        severity=severity_of(is_final, status_in(text(item, "comment"))) if is_bounce else None,
        reason=reason,
        **references(written_in(text(item, "Payload"))),
    )


MAILJET = Provider("Mailjet", schemes=(BASIC,), unpack=json_events, read=read)
