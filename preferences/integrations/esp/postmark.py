"""Postmark: one event a request, nothing signed, a password in the address.

Documents: postmarkapp.com/developer/webhooks: "Bounce webhook", "Spam complaint webhook", "Subscription change
webhook", "Delivery webhook", and for the bounce types postmarkapp.com/developer/api/bounce-api#bounce-types.
"""

from __future__ import annotations

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, Severity, severity_of

from .base import BASIC, Item, Provider, json_events
from .fields import at, moment, references, status_in, text

_RECORDS = {
    "Delivery": (EspEventType.DELIVERED, "DeliveredAt"),
    "Open": (EspEventType.OPENED, "ReceivedAt"),
    "Click": (EspEventType.CLICKED, "ReceivedAt"),
    "Bounce": (EspEventType.BOUNCED, "BouncedAt"),
    "SpamComplaint": (EspEventType.COMPLAINED, "BouncedAt"),
    "SubscriptionChange": (EspEventType.UNSUBSCRIBED, "ChangedAt"),
    "Inbound": (EspEventType.INBOUND, "Date"),
}
_BOUNCES = {
    "HardBounce": (EspEventType.BOUNCED, RejectReason.BOUNCED),
    "BadEmailAddress": (EspEventType.BOUNCED, RejectReason.INVALID),
    "Transient": (EspEventType.DEFERRED, RejectReason.TIMED_OUT),
    "DnsError": (EspEventType.BOUNCED, RejectReason.OTHER),
    "SoftBounce": (EspEventType.BOUNCED, RejectReason.BOUNCED),
    "Undeliverable": (EspEventType.BOUNCED, RejectReason.OTHER),
    "Blocked": (EspEventType.BOUNCED, RejectReason.BLOCKED),
    "ISPBlock": (EspEventType.BOUNCED, RejectReason.BLOCKED),
    "SpamNotification": (EspEventType.BOUNCED, RejectReason.SPAM),
    "DMARCPolicy": (EspEventType.BOUNCED, RejectReason.BLOCKED),
    "VirusNotification": (EspEventType.BOUNCED, RejectReason.OTHER),
    "ManuallyDeactivated": (EspEventType.REJECTED, RejectReason.BLOCKED),
    "Unconfirmed": (EspEventType.REJECTED, RejectReason.OTHER),
    "SMTPApiError": (EspEventType.FAILED, RejectReason.OTHER),
    "TemplateRenderingFailed": (EspEventType.FAILED, RejectReason.OTHER),
    "InboundError": (EspEventType.INBOUND, None),
    "SpamComplaint": (EspEventType.COMPLAINED, RejectReason.SPAM),
    "Unsubscribe": (EspEventType.UNSUBSCRIBED, RejectReason.UNSUBSCRIBED),
    "Subscribe": (EspEventType.SUBSCRIBED, None),
    "AutoResponder": (EspEventType.AUTORESPONDED, None),
    "OpenRelayTest": (EspEventType.AUTORESPONDED, None),
    "ChallengeVerification": (EspEventType.AUTORESPONDED, None),
    "AddressChange": (EspEventType.AUTORESPONDED, None),
}
_FINAL = {"HardBounce", "BadEmailAddress"}
_SUPPRESSED_FOR = {
    "HardBounce": (EspEventType.BOUNCED, RejectReason.BOUNCED),
    "SpamComplaint": (EspEventType.COMPLAINED, RejectReason.SPAM),
}


def read(item: Item) -> EspEvent:
    """One webhook call."""
    record = text(item, "RecordType") or ("Inbound" if "FromFull" in item else "")
    kind, time_field = _RECORDS.get(record, (EspEventType.UNKNOWN, "ReceivedAt"))
    native, reason, severity = record, None, None
    if record == "Bounce":
        bounce = text(item, "Type")
        native = f"{record} {bounce}"
        kind, reason = _BOUNCES.get(bounce, (EspEventType.UNKNOWN, RejectReason.OTHER))
        if kind is EspEventType.BOUNCED:
            status = status_in(text(item, "Details"))
            severity = severity_of(bounce in _FINAL, status)
    elif record == "SpamComplaint":
        reason = RejectReason.SPAM
    elif record == "SubscriptionChange":
        native, kind, reason, severity = _subscription(item)
    return EspEvent(
        type=kind,
        native=native,
        event_id=_event_id(item, record),
        recipient=text(item, "Email") or text(item, "Recipient"),
        occurred_at=moment(at(item, time_field)),
        severity=severity,
        reason=reason,
        **references(at(item, "Metadata"), at(item, "Headers")),
    )


def _subscription(item: Item) -> tuple[str, EspEventType, RejectReason | None, Severity | None]:
    """Added to or taken off the suppression list, and why. Only the recipient's own act is an unsubscribe."""
    if at(item, "SuppressSending") is not True:
        return "SubscriptionChange off", EspEventType.SUBSCRIBED, None, None
    why = text(item, "SuppressionReason")
    native = f"SubscriptionChange {why}"
    if why in _SUPPRESSED_FOR:
        kind, reason = _SUPPRESSED_FOR[why]
        return native, kind, reason, Severity.HARD if kind is EspEventType.BOUNCED else None
    if text(item, "Origin") == "Recipient":
        return native, EspEventType.UNSUBSCRIBED, RejectReason.UNSUBSCRIBED, None
    return f"{native} by {text(item, 'Origin')}", EspEventType.REJECTED, RejectReason.OTHER, None


def _event_id(item: Item, record: str) -> str:
    """Bounces and complaints have an id of their own; the rest is told apart by message and record."""
    own = text(item, "ID")
    return f"{record} {own}" if own and record in {"Bounce", "SpamComplaint"} else ""


POSTMARK = Provider("Postmark", schemes=(BASIC,), unpack=json_events, read=read)
