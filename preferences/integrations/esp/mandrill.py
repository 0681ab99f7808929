"""Mandrill (Mailchimp Transactional): batches in a form field, signed with HMAC-SHA-1 over the address and the form.

Documents: mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks ("Authenticating webhook
requests", "Message events") and mandrill.zendesk.com "How to Authenticate Webhook Requests". A new webhook is first
tried with an empty list, signed with the key `test-webhook`; that tells nothing and is taken. The address is signed as
entered: it must be BASE_URL's.
"""

from __future__ import annotations

import base64
import hmac
from datetime import datetime
from urllib.parse import parse_qsl

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, severity_of

from .base import (
    Incoming,
    Item,
    Malformed,
    NotVerified,
    Provider,
    Scheme,
    SecretField,
    Secrets,
    objects,
    parse_json,
    same,
)
from .fields import at, moment, references, status_in, text

_FIELD = "mandrill_events"
_TRIAL_KEY = b"test-webhook"
_TYPES = {
    "send": EspEventType.SENT,
    "delivered": EspEventType.DELIVERED,
    "deferral": EspEventType.DEFERRED,
    "hard_bounce": EspEventType.BOUNCED,
    "soft_bounce": EspEventType.BOUNCED,
    "reject": EspEventType.REJECTED,
    "spam": EspEventType.COMPLAINED,
    "unsub": EspEventType.UNSUBSCRIBED,
    "open": EspEventType.OPENED,
    "click": EspEventType.CLICKED,
    "inbound": EspEventType.INBOUND,
}
_REASONS = {
    "hard_bounce": RejectReason.BOUNCED,
    "soft_bounce": RejectReason.BOUNCED,
    "reject": RejectReason.OTHER,
    "spam": RejectReason.SPAM,
    "unsub": RejectReason.UNSUBSCRIBED,
}


def _form(incoming: Incoming) -> list[tuple[str, str]]:
    try:
        return parse_qsl(incoming.body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=20)
    except ValueError:
        raise Malformed("The body is not a form in UTF-8.") from None


def _verify(incoming: Incoming, secrets: Secrets, now: datetime) -> None:
    signature = incoming.header("x-mandrill-signature")
    form = _form(incoming)
    signed = (incoming.url + "".join(name + value for name, value in sorted(form))).encode(errors="surrogatepass")
    key = secrets["webhook_key"].encode()
    try:
        same(signature, base64.b64encode(hmac.digest(key, signed, "sha1")))
    except NotVerified:
        if form != [(_FIELD, "[]")]:
            raise
        same(signature, base64.b64encode(hmac.digest(_TRIAL_KEY, signed, "sha1")))


SIGNED = Scheme(
    "signed", _verify, theirs=(SecretField("webhook_key", "the key beside the webhook in Settings, Webhooks"),)
)


def unpack(incoming: Incoming) -> list[Item]:
    """The list in the one field."""
    values = [value for name, value in _form(incoming) if name == _FIELD]
    if len(values) != 1:
        raise Malformed("`mandrill_events` is missing.")
    return objects(parse_json(values[0]))


def read(item: Item) -> EspEvent:
    """One event about a message. Changes of Mandrill's own lists (`type` instead of `event`) are only counted."""
    native, message = text(item, "event"), at(item, "msg")
    kind = _TYPES.get(native, EspEventType.UNKNOWN)
    severity = None
    if kind is EspEventType.BOUNCED:
        severity = severity_of(native == "hard_bounce", status_in(text(message, "diag")))
    reason = _REASONS.get(native)
    if text(message, "bounce_description") == "bad_mailbox":
        reason = RejectReason.INVALID
    own = text(item, "_id")
    return EspEvent(
        type=kind,
        native=native or f"{text(item, 'type')} {text(item, 'action')}".strip(),
        event_id=f"{native} {own} {text(item, 'ts')}" if native and own else "",
        recipient=text(message, "email"),
        occurred_at=moment(at(item, "ts")),
        severity=severity,
        reason=reason,
        **references(at(message, "metadata")),
    )


MANDRILL = Provider("Mandrill", schemes=(SIGNED,), unpack=unpack, read=read)
