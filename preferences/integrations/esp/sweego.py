"""Sweego: one event a request, or a list, signed with HMAC-SHA-256 over id, time and body with a secret in base64.

Documents: learn.sweego.io/docs/webhooks: "Webhook signature" and "Webhook events". It is not said that each attempt is
signed anew, so the window is a day: refusing an old one would lose opt-outs, repeating one has no effect.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import datetime, timedelta

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, severity_of

from .base import Incoming, Item, Provider, Scheme, SecretField, Secrets, check_age, decode64, json_events, same
from .fields import at, moment, references, status_in, text

WINDOW = timedelta(hours=24)
_TYPES = {
    "email_sent": EspEventType.SENT,
    "delivered": EspEventType.DELIVERED,
    "soft_bounce": EspEventType.BOUNCED,
    "hard_bounce": EspEventType.BOUNCED,
    "list_unsub": EspEventType.UNSUBSCRIBED,
    "unsubscribed": EspEventType.UNSUBSCRIBED,
    "complaint": EspEventType.COMPLAINED,
    "email_opened": EspEventType.OPENED,
    "email_clicked": EspEventType.CLICKED,
    "email_inbound": EspEventType.INBOUND,
}
_REASONS = {
    "soft_bounce": RejectReason.BOUNCED,
    "hard_bounce": RejectReason.BOUNCED,
    "list_unsub": RejectReason.UNSUBSCRIBED,
    "unsubscribed": RejectReason.UNSUBSCRIBED,
    "complaint": RejectReason.SPAM,
}


def _verify(incoming: Incoming, secrets: Secrets, now: datetime) -> None:
    identity, timestamp = incoming.header("webhook-id"), incoming.header("webhook-timestamp")
    check_age(timestamp, now, window=WINDOW)
    signed = f"{identity}.{timestamp}.".encode(errors="surrogatepass") + incoming.body
    expected = hmac.digest(decode64(secrets["signing_secret"]), signed, "sha256")
    same(incoming.header("webhook-signature"), base64.b64encode(expected))


def _check_secret(secrets: Secrets) -> None:
    try:
        base64.b64decode(secrets["signing_secret"], validate=True)
    except binascii.Error:
        raise ValueError("signing_secret must be base64") from None


SIGNED = Scheme("signed", _verify, theirs=(SecretField("signing_secret", "the webhook's secret"),), check=_check_secret)


def read(item: Item) -> EspEvent:
    """One event; Sweego writes `soft-bounce` and `hard_bounce`."""
    native = text(item, "event_type")
    plain = native.replace("-", "_")
    kind = _TYPES.get(plain, EspEventType.UNKNOWN)
    status = status_in(text(item, "details"), text(item, "response_code"))
    return EspEvent(
        type=kind,
        native=native,
        event_id=text(item, "event_id"),
        recipient=text(item, "recipient"),
        occurred_at=moment(at(item, "timestamp")),
        severity=severity_of(plain == "hard_bounce", status) if kind is EspEventType.BOUNCED else None,
        reason=_REASONS.get(plain),
        **references(at(item, "headers")),
    )


SWEEGO = Provider("Sweego", schemes=(SIGNED,), unpack=json_events, read=read)
