"""Mailomat: one event a request; the signature covers id, type and time in the headers, not the body. What the
recipient's server said is in `payload.delivery-status`; `payload.reason` says why Mailomat itself would not send.

Documents: api.mailomat.swiss/docs: "Webhooks", "Webhook security". It is not said that each attempt is signed anew, so
the window is half a day: refusing an old one would lose events, repeating one has no effect.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, severity_of

from .base import Incoming, Item, Provider, Scheme, SecretField, Secrets, check_age, json_events, same
from .fields import at, moment, references, status_in, text

WINDOW = timedelta(hours=12)
_PREFIX = "x-mom-webhook-"
_TYPES = {
    "accepted": EspEventType.QUEUED,
    "not_accepted": EspEventType.REJECTED,
    "delivered": EspEventType.DELIVERED,
    "failure_tmp": EspEventType.DEFERRED,
    "failure_perm": EspEventType.BOUNCED,
    "opened": EspEventType.OPENED,
    "clicked": EspEventType.CLICKED,
    "complained": EspEventType.COMPLAINED,
    "unsubscribed": EspEventType.UNSUBSCRIBED,
}
_REASONS = {
    "not_accepted": RejectReason.OTHER,
    "failure_perm": RejectReason.BOUNCED,
    "complained": RejectReason.SPAM,
    "unsubscribed": RejectReason.UNSUBSCRIBED,
}


def _verify(incoming: Incoming, secrets: Secrets, now: datetime) -> None:
    identity, event, timestamp, signature = (
        incoming.header(_PREFIX + name) for name in ("id", "event", "timestamp", "signature")
    )
    check_age(timestamp, now, window=WINDOW)
    signed = f"{identity}.{event}.{timestamp}".encode(errors="surrogatepass")
    same(signature, "sha256=" + hmac.digest(secrets["signing_secret"].encode(), signed, "sha256").hex())


SIGNED = Scheme("signed", _verify, theirs=(SecretField("signing_secret", "the webhook's secret"),))


def read(item: Item) -> EspEvent:
    """One event."""
    native = text(item, "eventType")
    kind = _TYPES.get(native, EspEventType.UNKNOWN)
    said = at(item, "payload", "delivery-status")
    status = status_in(text(said, "enhanced-code"), text(said, "message"), text(said, "code"))
    return EspEvent(
        type=kind,
        native=native,
        event_id=text(item, "id"),
        recipient=text(item, "recipient"),
        occurred_at=moment(at(item, "occurredAt")),
        severity=severity_of(True, status) if kind is EspEventType.BOUNCED else None,
        reason=_REASONS.get(native),
        **references(at(item, "payload", "message", "headers"), at(item, "metadata")),
    )


MAILOMAT = Provider("Mailomat", schemes=(SIGNED,), unpack=json_events, read=read)
