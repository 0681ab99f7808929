"""Unisender Go: batches by user, or one flat event where the webhook is set to that; `auth` in the body is the MD5 of the
body as it is with the API key in that place.

Documents: godocs.unisender.ru/web-api-ref: "Event callback format" and "Delivery statuses". Times are in UTC.
An address is first asked for with GET.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime

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
from .fields import at, listed, moment, references, status_in, text

_MD5 = re.compile(r"[0-9a-fA-F]{32}", re.ASCII)
_TYPES = {
    "accepted": EspEventType.QUEUED,
    "sent": EspEventType.SENT,
    "delivered": EspEventType.DELIVERED,
    "soft_bounced": EspEventType.BOUNCED,
    "hard_bounced": EspEventType.BOUNCED,
    "spam": EspEventType.COMPLAINED,
    "unsubscribed": EspEventType.UNSUBSCRIBED,
    "subscribed": EspEventType.SUBSCRIBED,
    "opened": EspEventType.OPENED,
    "clicked": EspEventType.CLICKED,
}
_REASONS = {"spam": RejectReason.SPAM, "unsubscribed": RejectReason.UNSUBSCRIBED}
_DELIVERY = {
    "err_user_unknown": RejectReason.INVALID,
    "err_user_inactive": RejectReason.INVALID,
    "err_mailbox_discarded": RejectReason.INVALID,
    "err_domain_inactive": RejectReason.INVALID,
    "err_unreachable": RejectReason.TIMED_OUT,
    "skip_dup_unreachable": RejectReason.TIMED_OUT,
    "err_spam_rejected": RejectReason.SPAM,
    "err_spam_skipped": RejectReason.SPAM,
    "err_spam_removed": RejectReason.SPAM,
    "err_blacklisted": RejectReason.BLOCKED,
    "err_too_large": RejectReason.BLOCKED,
    "err_unsubscribed": RejectReason.UNSUBSCRIBED,
    "err_lost": RejectReason.OTHER,
    "err_internal": RejectReason.OTHER,
    "err_delivery_failed": RejectReason.OTHER,
}
_NOT_FINAL = {
    "err_spam_rejected",
    "err_spam_skipped",
    "err_spam_removed",
    "err_blacklisted",
    "err_too_large",
    "err_unsubscribed",
    "err_mailbox_full",
    "skip_dup_mailbox_full",
    "skip_dup_temp_unreachable",
    "err_skip_letter",
    "err_domain_inactive",
    "err_destination_misconfigured",
    "err_lost",
    "err_internal",
    "err_delivery_failed",
}
"""Hard bounces about this mail alone, or after which the provider itself sends to the address again within days."""
_OF_THE_CALL = {"auth", "retry_count"}


def _verify(incoming: Incoming, secrets: Secrets, now: datetime) -> None:
    """The `auth` of the whole is meant: a mailer's metadata may have one too."""
    found = text(parse_json(incoming.body), "auth")
    if not _MD5.fullmatch(found):
        raise NotVerified
    place = re.compile(rb'("auth"\s*:\s*")' + found.encode() + rb'(?=")')
    key = secrets["api_key"].encode()
    signed, times = place.subn(lambda match: match[1] + key, incoming.body)
    if times != 1:
        raise NotVerified
    same(found.lower(), hashlib.md5(signed, usedforsecurity=False).hexdigest())


SIGNED = Scheme("signed", _verify, theirs=(SecretField("api_key", "the API key of the account or project"),))


def unpack(incoming: Incoming) -> list[Item]:
    """The events of every user; or the one, without what changes from one attempt to the next."""
    body = parse_json(incoming.body)
    if not isinstance(body, Mapping):
        raise Malformed
    if "event_name" in body:
        return [{name: value for name, value in body.items() if name not in _OF_THE_CALL}]
    users = objects(at(body, "events_by_user"))
    return [event for user in users for event in objects(listed(user, "events"))]


def read(item: Item) -> EspEvent:
    """One status of one mail; anything else, such as a block of the sender, is counted."""
    name, data = text(item, "event_name"), item.get("event_data", item)
    if name != "transactional_email_status":
        return EspEvent(type=EspEventType.UNKNOWN, native=name)
    native = text(data, "status")
    kind, reason, severity = _TYPES.get(native, EspEventType.UNKNOWN), _REASONS.get(native), None
    if kind is EspEventType.BOUNCED:
        why = text(data, "delivery_info", "delivery_status")
        reason = _DELIVERY.get(why, RejectReason.BOUNCED)
        is_final = native == "hard_bounced" and why not in _NOT_FINAL
        severity = severity_of(is_final, status_in(text(data, "delivery_info", "destination_response")))
    return EspEvent(
        type=kind,
        native=native,
        recipient=text(data, "email"),
        occurred_at=moment(at(data, "event_time")),
        severity=severity,
        reason=reason,
        **references(at(data, "metadata")),
    )


UNISENDER_GO = Provider("Unisender Go", schemes=(SIGNED,), unpack=unpack, read=read)
