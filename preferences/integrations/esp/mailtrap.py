"""Mailtrap: batches, signed with HMAC-SHA-256 over the body.

Documents: docs.mailtrap.io/email-api-smtp/advanced/webhooks ("Webhook payloads", "Verifying signatures") and
help.mailtrap.io "Statuses and events".
"""

from __future__ import annotations

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, severity_of

from .base import Incoming, Item, Provider, hmac_of_body, objects, parse_json
from .fields import at, moment, references, status_in, text

_TYPES = {
    "delivery": EspEventType.DELIVERED,
    "soft bounce": EspEventType.BOUNCED,
    "bounce": EspEventType.BOUNCED,
    "suspension": EspEventType.REJECTED,
    "reject": EspEventType.REJECTED,
    "spam": EspEventType.COMPLAINED,
    "unsubscribe": EspEventType.UNSUBSCRIBED,
    "open": EspEventType.OPENED,
    "click": EspEventType.CLICKED,
    "inbound.message_received": EspEventType.INBOUND,
}
_REASONS = {
    "soft bounce": RejectReason.BOUNCED,
    "bounce": RejectReason.BOUNCED,
    "suspension": RejectReason.OTHER,
    "reject": RejectReason.BLOCKED,
    "spam": RejectReason.SPAM,
    "unsubscribe": RejectReason.UNSUBSCRIBED,
}


def unpack(incoming: Incoming) -> list[Item]:
    """The list under `events`; or, where the webhook is set to JSON Lines, an event on each line."""
    lines = incoming.body.split(b"\n")
    if len(lines) > 1 and lines[0].rstrip().endswith(b"}"):
        return [event for line in lines if line.strip() for event in objects(parse_json(line))]
    whole = parse_json(incoming.body)
    return objects(at(whole, "events") if at(whole, "events") is not None else whole)


def read(item: Item) -> EspEvent:
    """One event."""
    native = text(item, "event")
    kind = _TYPES.get(native, EspEventType.UNKNOWN)
    severity = None
    if kind is EspEventType.BOUNCED:
        severity = severity_of(native == "bounce", status_in(text(item, "response"), text(item, "response_code")))
    return EspEvent(
        type=kind,
        native=native,
        event_id=text(item, "event_id"),
        recipient=text(item, "email"),
        occurred_at=moment(at(item, "timestamp")),
        severity=severity,
        reason=_REASONS.get(native),
        **references(at(item, "custom_variables")),
    )


MAILTRAP = Provider(
    "Mailtrap",
    schemes=(hmac_of_body("mailtrap-signature", name="signed", what="the webhook's signature secret"),),
    unpack=unpack,
    read=read,
)
