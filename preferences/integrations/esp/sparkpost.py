"""SparkPost: batches; nothing signed, a password in the address or a token in a custom header.

Documents: developers.sparkpost.com/api/webhooks ("Webhooks", "Event reference") and "Bounce classification codes" at
support.sparkpost.com. A new webhook is tried with `[{"msys": {}}]`, which is no event.
"""

from __future__ import annotations

from collections.abc import Mapping

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, Severity, severity_of

from .base import BASIC, BEARER, Incoming, Item, Provider, objects, parse_json
from .fields import at, moment, references, status_in, text

_TYPES = {
    "injection": EspEventType.QUEUED,
    "delivery": EspEventType.DELIVERED,
    "delay": EspEventType.DEFERRED,
    "bounce": EspEventType.BOUNCED,
    "out_of_band": EspEventType.BOUNCED,
    "policy_rejection": EspEventType.REJECTED,
    "generation_rejection": EspEventType.REJECTED,
    "generation_failure": EspEventType.FAILED,
    "spam_complaint": EspEventType.COMPLAINED,
    "list_unsubscribe": EspEventType.UNSUBSCRIBED,
    "link_unsubscribe": EspEventType.UNSUBSCRIBED,
    "open": EspEventType.OPENED,
    "initial_open": EspEventType.OPENED,
    "amp_open": EspEventType.OPENED,
    "amp_initial_open": EspEventType.OPENED,
    "click": EspEventType.CLICKED,
    "amp_click": EspEventType.CLICKED,
    "relay_delivery": EspEventType.INBOUND,
    "relay_injection": EspEventType.INBOUND,
    "relay_rejection": EspEventType.INBOUND,
    "relay_tempfail": EspEventType.INBOUND,
    "relay_permfail": EspEventType.INBOUND,
    "relay_message": EspEventType.INBOUND,
}
_REASONS = {
    "spam_complaint": RejectReason.SPAM,
    "list_unsubscribe": RejectReason.UNSUBSCRIBED,
    "link_unsubscribe": RejectReason.UNSUBSCRIBED,
    "policy_rejection": RejectReason.OTHER,
    "generation_rejection": RejectReason.OTHER,
    "generation_failure": RejectReason.OTHER,
}
_FINAL = {"10", "30"}
"""Invalid recipient, and a general failure to deliver to it."""
_CLASSES = {
    "10": RejectReason.INVALID,
    "24": RejectReason.TIMED_OUT,
    "25": RejectReason.BLOCKED,
    "50": RejectReason.BLOCKED,
    "51": RejectReason.SPAM,
    "52": RejectReason.SPAM,
    "53": RejectReason.BLOCKED,
    "54": RejectReason.BLOCKED,
}
_AUTOMATIC = {"60": EspEventType.AUTORESPONDED, "100": EspEventType.AUTORESPONDED, "80": EspEventType.SUBSCRIBED}
_UNSUBSCRIBED = "90"
"""A mail back that asks to be unsubscribed."""


def unpack(incoming: Incoming) -> list[Item]:
    """What lies in the envelopes of the batch. Mail to the company (`relay_message`) has no type of its own."""
    envelopes = (at(one, "msys") for one in objects(parse_json(incoming.body)))
    inside = (pair for one in envelopes if isinstance(one, Mapping) for pair in one.items())
    return [
        {"type": name} if name == "relay_message" else value for name, value in inside if isinstance(value, Mapping)
    ]


def read(item: Item) -> EspEvent:
    """One event."""
    native = text(item, "type")
    kind = _TYPES.get(native, EspEventType.UNKNOWN)
    reason, severity = _REASONS.get(native), None
    bounce_class = text(item, "bounce_class")
    if kind is EspEventType.BOUNCED:
        kind, reason, severity = _bounce(item, bounce_class)
    return EspEvent(
        type=kind,
        native=f"{native} {bounce_class}".strip(),
        event_id=text(item, "event_id"),
        recipient=text(item, "raw_rcpt_to") or text(item, "rcpt_to"),
        occurred_at=moment(at(item, "timestamp")),
        severity=severity,
        reason=reason,
        **references(at(item, "rcpt_meta")),
    )


def _bounce(item: Item, bounce_class: str) -> tuple[EspEventType, RejectReason | None, Severity | None]:
    if bounce_class == _UNSUBSCRIBED:
        return EspEventType.UNSUBSCRIBED, RejectReason.UNSUBSCRIBED, None
    if bounce_class in _AUTOMATIC:
        return _AUTOMATIC[bounce_class], None, None
    status = status_in(text(item, "reason"), text(item, "raw_reason"), text(item, "error_code"))
    reason = _CLASSES.get(bounce_class, RejectReason.BOUNCED)
    return EspEventType.BOUNCED, reason, severity_of(bounce_class in _FINAL, status)


SPARKPOST = Provider("SparkPost", schemes=(BASIC, BEARER), unpack=unpack, read=read)
