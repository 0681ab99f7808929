"""Brevo: one event a request, or a list; nothing signed, a password in the address or a token in a header.

Documents: developers.brevo.com/docs: "Transactional webhooks", "Marketing webhooks", "Secure your webhooks". Of the
times in an event `ts_epoch` is in UTC; `ts_event` is taken so, though others found it to follow the account's zone.
Mail to the company comes as `items`.
"""

from __future__ import annotations

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, severity_of

from .base import BASIC, BEARER, Item, Provider, json_events
from .fields import at, moment, references, status_in, text, written_in

_TYPES = {
    "request": EspEventType.QUEUED,
    "sent": EspEventType.SENT,
    "delivered": EspEventType.DELIVERED,
    "deferred": EspEventType.DEFERRED,
    "hard_bounce": EspEventType.BOUNCED,
    "soft_bounce": EspEventType.BOUNCED,
    "invalid_email": EspEventType.BOUNCED,
    "blocked": EspEventType.REJECTED,
    "error": EspEventType.FAILED,
    "spam": EspEventType.COMPLAINED,
    "complaint": EspEventType.COMPLAINED,
    "unsubscribe": EspEventType.UNSUBSCRIBED,
    "unsubscribed": EspEventType.UNSUBSCRIBED,
    "list_addition": EspEventType.SUBSCRIBED,
    "opened": EspEventType.OPENED,
    "unique_opened": EspEventType.OPENED,
    "proxy_open": EspEventType.OPENED,
    "unique_proxy_open": EspEventType.OPENED,
    "click": EspEventType.CLICKED,
}
_REASONS = {
    "hard_bounce": RejectReason.BOUNCED,
    "soft_bounce": RejectReason.BOUNCED,
    "invalid_email": RejectReason.INVALID,
    "blocked": RejectReason.BLOCKED,
    "error": RejectReason.OTHER,
    "spam": RejectReason.SPAM,
    "complaint": RejectReason.SPAM,
    "unsubscribe": RejectReason.UNSUBSCRIBED,
    "unsubscribed": RejectReason.UNSUBSCRIBED,
}


def read(item: Item) -> EspEvent:
    """One event. Brevo gives it no id, so its content identifies it."""
    native = text(item, "event")
    kind = _TYPES.get(native, EspEventType.INBOUND if "items" in item else EspEventType.UNKNOWN)
    is_bounce = kind is EspEventType.BOUNCED
    return EspEvent(
        type=kind,
        native=native,
        recipient=text(item, "email"),
        occurred_at=moment(at(item, "ts_epoch")) or moment(at(item, "ts_event")),
        severity=severity_of(native != "soft_bounce", status_in(text(item, "reason"))) if is_bounce else None,
        reason=_REASONS.get(native),
        **references(written_in(text(item, "X-Mailin-custom"))),
    )


BREVO = Provider("Brevo", schemes=(BASIC, BEARER), unpack=json_events, read=read)
