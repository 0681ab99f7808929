"""SendGrid: batches, signed with ECDSA over timestamp and body where that is turned on, else a password in the address.

Documents: www.twilio.com/docs/sendgrid/for-developers/tracking-events: "Getting Started with the Event Webhook Security
Features" and "Event Webhook Reference". SendGrid repeats a request for up to 24 hours and does not say that it signs
each attempt anew, so the window is that long: refusing an old one would lose opt-outs, repeating one has no effect.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, Severity, severity_of

from .base import (
    BASIC,
    Incoming,
    Item,
    NotVerified,
    Provider,
    Scheme,
    SecretField,
    Secrets,
    check_age,
    decode64,
    json_events,
)
from .fields import at, moment, references, status_in, text

WINDOW = timedelta(hours=24)

_TYPES = {
    "processed": EspEventType.QUEUED,
    "deferred": EspEventType.DEFERRED,
    "delivered": EspEventType.DELIVERED,
    "bounce": EspEventType.BOUNCED,
    "dropped": EspEventType.REJECTED,
    "spamreport": EspEventType.COMPLAINED,
    "unsubscribe": EspEventType.UNSUBSCRIBED,
    "group_unsubscribe": EspEventType.UNSUBSCRIBED,
    "group_resubscribe": EspEventType.SUBSCRIBED,
    "open": EspEventType.OPENED,
    "click": EspEventType.CLICKED,
}
_REASONS = {
    "spamreport": RejectReason.SPAM,
    "unsubscribe": RejectReason.UNSUBSCRIBED,
    "group_unsubscribe": RejectReason.UNSUBSCRIBED,
}
_NOT_FINAL = {"blocked": RejectReason.BLOCKED, "expired": RejectReason.TIMED_OUT}
"""Types of a bounce that say nothing against the mailbox."""
_DROPPED = {
    "invalid": RejectReason.INVALID,
    "bounced address": RejectReason.BOUNCED,
    "unsubscribed address": RejectReason.UNSUBSCRIBED,
    "spam reporting address": RejectReason.SPAM,
    "spam content": RejectReason.BLOCKED,
}


def _public_key(secrets: Secrets) -> ec.EllipticCurvePublicKey:
    try:
        key = load_der_public_key(base64.b64decode(secrets["public_key"], validate=True))
    except (ValueError, binascii.Error):
        raise ValueError("public_key must be the base64 text that SendGrid shows") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("public_key must be a key on the curve P-256")
    return key


def _verify_signature(incoming: Incoming, secrets: Secrets, now: datetime) -> None:
    signature = decode64(incoming.header("x-twilio-email-event-webhook-signature"))
    timestamp = incoming.header("x-twilio-email-event-webhook-timestamp")
    check_age(timestamp, now, window=WINDOW)
    try:
        _public_key(secrets).verify(signature, timestamp.encode() + incoming.body, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise NotVerified from None


def _check_key(secrets: Secrets) -> None:
    _public_key(secrets)


SIGNED = Scheme(
    "signed",
    _verify_signature,
    theirs=(SecretField("public_key", "the verification key under Mail Settings, Event Webhook, Signed"),),
    check=_check_key,
)


def read(item: Item) -> EspEvent:
    """One event of the batch. Custom arguments lie beside SendGrid's own fields."""
    native = text(item, "event")
    kind = _TYPES.get(native, EspEventType.UNKNOWN)
    severity: Severity | None = None
    reason = _REASONS.get(native)
    if kind is EspEventType.BOUNCED:
        why = text(item, "type").lower()
        reason = _NOT_FINAL.get(why, RejectReason.BOUNCED)
        severity = severity_of(why not in _NOT_FINAL, status_in(text(item, "status"), text(item, "reason")))
    elif kind is EspEventType.REJECTED:
        reason = _DROPPED.get(text(item, "reason").lower(), RejectReason.OTHER)
    return EspEvent(
        type=kind,
        native=native,
        event_id=text(item, "sg_event_id"),
        recipient=text(item, "email"),
        occurred_at=moment(at(item, "timestamp")),
        severity=severity,
        reason=reason,
        **references(item, at(item, "unique_args")),
    )


SENDGRID = Provider("SendGrid", schemes=(SIGNED, BASIC), unpack=json_events, read=read)
