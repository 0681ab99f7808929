"""Mailgun: one event a request, signed in the body: HMAC-SHA256 of timestamp and token, with the account's signing key.

Documents: documentation.mailgun.com/docs/mailgun/user-manual: "Webhooks", "Securing Webhooks", "Event Structure".
Retries last 8 hours, and the signature is not said to be made anew: the window is that long, for refusing an old one
would lose opt-outs.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, Severity, severity_of

from .base import (
    Incoming,
    Item,
    Malformed,
    NotVerified,
    Provider,
    Scheme,
    SecretField,
    Secrets,
    check_age,
    parse_json,
    same,
)
from .fields import at, moment, references, status_in, text

WINDOW = timedelta(hours=8)

_TYPES = {
    "accepted": EspEventType.QUEUED,
    "delivered": EspEventType.DELIVERED,
    "failed": EspEventType.BOUNCED,
    "rejected": EspEventType.REJECTED,
    "complained": EspEventType.COMPLAINED,
    "unsubscribed": EspEventType.UNSUBSCRIBED,
    "opened": EspEventType.OPENED,
    "clicked": EspEventType.CLICKED,
    "stored": EspEventType.INBOUND,
}
_REASONS = {
    "complained": RejectReason.SPAM,
    "unsubscribed": RejectReason.UNSUBSCRIBED,
    "rejected": RejectReason.OTHER,
}
_NOT_TRIED = {
    "suppress-bounce": RejectReason.BOUNCED,
    "suppress-complaint": RejectReason.SPAM,
    "suppress-unsubscribe": RejectReason.UNSUBSCRIBED,
    "605": RejectReason.BOUNCED,
    "606": RejectReason.UNSUBSCRIBED,
    "607": RejectReason.SPAM,
    "625": RejectReason.BLOCKED,
}
"""Failures that are Mailgun's own refusal, by reason or code: its suppression lists, and a list of poor quality."""


def _verify(incoming: Incoming, secrets: Secrets, now: datetime) -> None:
    """The signature covers timestamp and token, not the event: TLS and the address protect that."""
    signature = at(_body(incoming), "signature")
    timestamp, token = text(signature, "timestamp"), text(signature, "token")
    if not timestamp or not token:
        raise NotVerified
    check_age(timestamp, now, window=WINDOW)
    expected = hmac.digest(
        secrets["signing_key"].encode(), f"{timestamp}{token}".encode(errors="replace"), "sha256"
    ).hex()
    same(text(signature, "signature").lower(), expected)


SIGNED = Scheme("signed", _verify, theirs=(SecretField("signing_key", "the HTTP webhook signing key of the account"),))


def _body(incoming: Incoming) -> Item:
    body = parse_json(incoming.body)
    if not isinstance(body, Mapping):
        raise Malformed
    return body


def unpack(incoming: Incoming) -> list[Item]:
    """The one event."""
    event = at(_body(incoming), "event-data")
    if not isinstance(event, Mapping):
        raise Malformed("`event-data` is missing.")
    return [event]


def read(item: Item) -> EspEvent:
    """What `event-data` says."""
    native, occurred_at = text(item, "event"), moment(at(item, "timestamp"))
    kind = _TYPES.get(native, EspEventType.UNKNOWN)
    reason = _REASONS.get(native)
    severity: Severity | None = None
    if native == "failed":
        why = text(item, "reason")
        refusal = _NOT_TRIED.get(why) or _NOT_TRIED.get(text(item, "delivery-status", "code"))
        if refusal is not None:
            kind, reason = EspEventType.REJECTED, refusal
        else:
            delivery = at(item, "delivery-status")
            status = status_in(text(delivery, "enhanced-code"), text(delivery, "code"))
            is_final = text(item, "severity") == "permanent"
            kind = EspEventType.BOUNCED if is_final else EspEventType.DEFERRED
            severity = severity_of(is_final and why not in {"old", "espblock"}, status)
            reason = {"old": RejectReason.TIMED_OUT, "espblock": RejectReason.BLOCKED}.get(why, RejectReason.BOUNCED)
    return EspEvent(
        type=kind,
        native=f"{native} {text(item, 'severity')}".strip(),
        event_id=_event_id(text(item, "id"), occurred_at),
        recipient=text(item, "recipient"),
        occurred_at=occurred_at,
        severity=severity,
        reason=reason,
        **references(at(item, "user-variables"), at(item, "message", "headers")),
    )


def _event_id(own: str, occurred_at: datetime | None) -> str:
    """Mailgun promises an id that is unique within a day, no more."""
    return f"{own} {occurred_at:%Y-%m-%d}" if own and occurred_at else own


MAILGUN = Provider("Mailgun", schemes=(SIGNED,), unpack=unpack, read=read)
