"""MailerSend: one event a request, signed with HMAC-SHA-256 over the body.

Documents: developers.mailersend.com/api/v1/webhooks.html ("Security", "Payload examples") and
www.mailersend.com/help/webhooks for version 2 of the payload; both versions are read. A new webhook is first tried with
`webhook.test`, signed with a secret that the documents print; that tells nothing and is taken.
"""

from __future__ import annotations

import hmac
from datetime import datetime

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, severity_of

from .base import Incoming, Item, NotVerified, Provider, Scheme, Secrets, hmac_of_body, json_events, parse_json, same
from .fields import at, moment, references, status_in, text

_HEADER = "signature"
_TRIAL = "webhook.test"
_TRIAL_SECRET = b"test_Am3L1GuOIc4blLUuHqAPxxwkZaJyEk8G"
_TYPES = {
    "sent": EspEventType.SENT,
    "delivered": EspEventType.DELIVERED,
    "deferred": EspEventType.DEFERRED,
    "soft_bounced": EspEventType.BOUNCED,
    "hard_bounced": EspEventType.BOUNCED,
    "suppressed": EspEventType.REJECTED,
    "unsubscribed": EspEventType.UNSUBSCRIBED,
    "spam_complaint": EspEventType.COMPLAINED,
    "spam_complaints": EspEventType.COMPLAINED,
    "opened": EspEventType.OPENED,
    "opened_unique": EspEventType.OPENED,
    "clicked": EspEventType.CLICKED,
    "clicked_unique": EspEventType.CLICKED,
    "inbound.message": EspEventType.INBOUND,
}
_REASONS = {
    "soft_bounced": RejectReason.BOUNCED,
    "hard_bounced": RejectReason.BOUNCED,
    "suppressed": RejectReason.BLOCKED,
    "unsubscribed": RejectReason.UNSUBSCRIBED,
    "spam_complaint": RejectReason.SPAM,
    "spam_complaints": RejectReason.SPAM,
}
_BODY = hmac_of_body(_HEADER, what="the webhook's signing secret")


def _verify(incoming: Incoming, secrets: Secrets, now: datetime) -> None:
    try:
        _BODY.verify(incoming, secrets, now)
    except NotVerified:
        same(incoming.header(_HEADER), hmac.digest(_TRIAL_SECRET, incoming.body, "sha256").hex())
        if text(parse_json(incoming.body), "type") != _TRIAL:
            raise


SIGNED = Scheme("signed", _verify, theirs=_BODY.theirs)


def unpack(incoming: Incoming) -> list[Item]:
    """The one event; the trial is none."""
    return [one for one in json_events(incoming) if text(one, "type") != _TRIAL]


def read(item: Item) -> EspEvent:
    """One activity. Version 1 has the recipient inside the mail, version 2 beside it."""
    data = at(item, "data")
    native = text(data, "type") or text(item, "type").removeprefix("activity.")
    kind = _TYPES.get(native, EspEventType.UNKNOWN)
    severity = None
    if kind is EspEventType.BOUNCED:
        status = status_in(text(data, "meta", "bounce_code"), text(data, "meta", "bounce_reason"))
        severity = severity_of(native == "hard_bounced", status or status_in(text(data, "morph", "reason")))
    return EspEvent(
        type=kind,
        native=native,
        event_id=text(data, "id"),
        recipient=text(data, "recipient") or text(data, "email", "recipient", "email"),
        occurred_at=moment(at(data, "created_at")) or moment(at(item, "created_at")),
        severity=severity,
        reason=_REASONS.get(native),
        **references(at(data, "email", "headers"), at(data, "headers")),
    )


MAILERSEND = Provider("MailerSend", schemes=(SIGNED,), unpack=unpack, read=read)
