"""Postal: one event a request, signed with the RSA key of the installation; SHA-256 where the server has it, else SHA-1.

Documents: docs.postalserver.io: "Webhooks" (events and payloads) and "Verifying webhook signatures". A bounce that came
back by mail has no status, so it is soft; the failure that Postal was told during delivery is final with 5.x.x.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, severity_of

from .base import Incoming, Item, NotVerified, Provider, Scheme, SecretField, Secrets, decode64, json_events
from .fields import at, mailbox, moment, references, status_in, text

_TYPES = {
    "MessageSent": EspEventType.DELIVERED,
    "MessageDelayed": EspEventType.DEFERRED,
    "MessageHeld": EspEventType.QUEUED,
    "MessageDeliveryFailed": EspEventType.BOUNCED,
    "MessageBounced": EspEventType.BOUNCED,
    "MessageLinkClicked": EspEventType.CLICKED,
    "MessageLoaded": EspEventType.OPENED,
}


def _public_key(secrets: Secrets) -> RSAPublicKey:
    """From PEM, or from the `p=` of the installation's DKIM record."""
    bare = re.sub(r"-----[A-Z ]+-----|\s", "", secrets["public_key"])
    try:
        key = load_der_public_key(base64.b64decode(bare, validate=True))
    except (ValueError, binascii.Error):
        raise ValueError("public_key must be a public key in PEM or base64") from None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("public_key must be an RSA key")
    return key


def _verify(incoming: Incoming, secrets: Secrets, now: datetime) -> None:
    algorithm: HashAlgorithm = SHA1()  # noqa: S303 - all that older servers offer
    name = "x-postal-signature"
    if incoming.has("x-postal-signature-256"):
        name, algorithm = "x-postal-signature-256", SHA256()
    try:
        _public_key(secrets).verify(decode64(incoming.header(name)), incoming.body, PKCS1v15(), algorithm)
    except InvalidSignature:
        raise NotVerified from None


def _check_key(secrets: Secrets) -> None:
    _public_key(secrets)


SIGNED = Scheme(
    "signed",
    _verify,
    theirs=(SecretField("public_key", "the installation's public key: `postal default-dkim-record`, after p="),),
    check=_check_key,
)


def read(item: Item) -> EspEvent:
    """One event; mail that Postal received for us is none of ours, whether reported or sent here whole."""
    native, payload = text(item, "event"), at(item, "payload")
    message = at(payload, "message") or at(payload, "original_message")
    kind, severity, reason = _TYPES.get(native, EspEventType.UNKNOWN), None, None
    if text(message, "direction") == "incoming" or (not native and "rcpt_to" in item):
        kind = EspEventType.INBOUND
    elif kind is EspEventType.BOUNCED:
        status = status_in(text(payload, "output"), text(payload, "details"))
        is_final = text(payload, "status") == "HardFail" and status.startswith("5")
        severity, reason = severity_of(is_final, status), RejectReason.BOUNCED
    return EspEvent(
        type=kind,
        native=native,
        event_id=text(item, "uuid"),
        recipient=mailbox(message, "to"),
        occurred_at=moment(at(item, "timestamp")),
        severity=severity,
        reason=reason,
        **references(at(message, "headers")),
    )


POSTAL = Provider("Postal", schemes=(SIGNED,), unpack=json_events, read=read)
