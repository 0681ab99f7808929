"""Resend: one event a request, signed as Svix does: Standard Webhooks under other header names.

Documents: resend.com/docs/webhooks: "Verify webhooks requests", "Event types", and the pages of the events. Each
attempt is signed anew.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from datetime import datetime

from standardwebhooks import Webhook, WebhookVerificationError

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, severity_of

from .base import Incoming, Item, Malformed, NotVerified, Provider, Scheme, SecretField, Secrets, check_age, parse_json
from .fields import at, listed, mailbox, moment, references, status_in, text

_HEADERS = {"webhook-id": "svix-id", "webhook-timestamp": "svix-timestamp", "webhook-signature": "svix-signature"}
_SIGNATURE = re.compile(r"v1,[A-Za-z0-9+/]{43}=|v1a,[A-Za-z0-9+/]{86}==", re.ASCII)
"""One of several while a secret is rotated; `v1a` is the asymmetric kind, which the library passes over."""
_TYPES = {
    "email.scheduled": EspEventType.QUEUED,
    "email.sent": EspEventType.SENT,
    "email.delivered": EspEventType.DELIVERED,
    "email.delivery_delayed": EspEventType.DEFERRED,
    "email.bounced": EspEventType.BOUNCED,
    "email.complained": EspEventType.COMPLAINED,
    "email.failed": EspEventType.FAILED,
    "email.suppressed": EspEventType.REJECTED,
    "email.opened": EspEventType.OPENED,
    "email.clicked": EspEventType.CLICKED,
    "email.received": EspEventType.INBOUND,
}
_REASONS = {
    "email.complained": RejectReason.SPAM,
    "email.bounced": RejectReason.BOUNCED,
    "email.failed": RejectReason.OTHER,
    "email.suppressed": RejectReason.BLOCKED,
}


def _verify(incoming: Incoming, secrets: Secrets, now: datetime) -> None:
    """The library reads base64 leniently and fails on other forms, so it is given whole signatures only."""
    headers = {ours: incoming.header(theirs) for ours, theirs in _HEADERS.items()}
    check_age(headers["webhook-timestamp"], now)
    if not all(_SIGNATURE.fullmatch(one) for one in headers["webhook-signature"].split(" ")):
        raise NotVerified
    try:
        Webhook(secrets["signing_secret"]).verify(incoming.body, headers, json_parse=False)
    except (WebhookVerificationError, ValueError):  # binascii.Error and UnicodeDecodeError are ValueErrors
        raise NotVerified from None


def _check_secret(secrets: Secrets) -> None:
    try:
        Webhook(secrets["signing_secret"])
    except (binascii.Error, ValueError):
        raise ValueError("signing_secret must look like whsec_ and base64") from None


SIGNED = Scheme(
    "signed",
    _verify,
    theirs=(SecretField("signing_secret", "the webhook's signing secret, whsec_…"),),
    check=_check_secret,
)


def unpack(incoming: Incoming) -> list[Item]:
    """One event; the id of the call is in its header. Of several recipients Resend does not say which it means."""
    body = parse_json(incoming.body)
    if not isinstance(body, Mapping):
        raise Malformed
    people = [one for name in ("to", "cc", "bcc") for one in listed(body, "data", name)]
    call = "".join(incoming.headers.get("svix-id", ()))
    one = people[0] if len(people) == 1 else None
    return [{**body, "call": call, "number": 0, "recipient": one, "is_one_of_several": len(people) > 1}]


def read(item: Item) -> EspEvent:
    """One event. A bounce of one mailbox among several is nobody's. A contact that became unsubscribed is the only word of an
    unsubscribe that Resend gives."""
    native, data = text(item, "type"), at(item, "data")
    kind, reason, severity = _TYPES.get(native, EspEventType.UNKNOWN), _REASONS.get(native), None
    if kind is EspEventType.BOUNCED:
        is_final = text(data, "bounce", "type") == "Permanent"
        severity = severity_of(is_final, status_in(text(data, "bounce", "message")))
    elif native == "contact.updated":
        is_stop = at(data, "unsubscribed") is True
        kind = EspEventType.UNSUBSCRIBED if is_stop else EspEventType.UNKNOWN
        reason = RejectReason.UNSUBSCRIBED if is_stop else None
    is_nobodys = kind is EspEventType.BOUNCED and at(item, "is_one_of_several") is True
    return EspEvent(
        type=kind,
        native=native,
        event_id=f"{text(item, 'call')} {text(item, 'number')}",
        recipient=mailbox(item, "recipient") or text(data, "email"),
        occurred_at=moment(at(item, "created_at")),
        severity=severity,
        reason=reason,
        **({} if is_nobodys else references(at(data, "headers"), at(data, "tags"))),
    )


RESEND = Provider("Resend", schemes=(SIGNED,), unpack=unpack, read=read)
