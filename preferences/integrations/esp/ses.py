"""Amazon SES, by way of SNS: one message about one mail, with a list of recipients in it.

Documents: docs.aws.amazon.com/ses/latest/dg: "Contents of Amazon SNS notifications" (notificationType) and "Examples of
event data that SES publishes to Amazon SNS" (eventType). The topic is configured, and looked at before anything is
fetched: a stranger's topic has valid signatures too. SNS repeats a message under the same signature; its id makes that
harmless.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from preferences.domain.esp_events import EspEvent, EspEventType, RejectReason, Severity, severity_of

from .base import (
    Incoming,
    Item,
    Malformed,
    NotNow,
    Provider,
    Scheme,
    SecretField,
    Secrets,
    objects,
    parse_json,
    same,
)
from .fields import LINK_NAMES, MESSAGE_NAMES, at, listed, moment, references, status_in, text
from .sns import NotFetched, confirm_subscription, verify_envelope

_TRIAL = "Successfully validated SNS topic"
_TYPES = {
    "Send": EspEventType.SENT,
    "Delivery": EspEventType.DELIVERED,
    "DeliveryDelay": EspEventType.DEFERRED,
    "Bounce": EspEventType.BOUNCED,
    "Complaint": EspEventType.COMPLAINED,
    "Reject": EspEventType.REJECTED,
    "Rendering Failure": EspEventType.FAILED,
    "Subscription": EspEventType.UNSUBSCRIBED,
    "Open": EspEventType.OPENED,
    "Click": EspEventType.CLICKED,
    "Received": EspEventType.INBOUND,
}
_RECIPIENTS = {
    "Delivery": ("delivery", "recipients"),
    "Bounce": ("bounce", "bouncedRecipients"),
    "Complaint": ("complaint", "complainedRecipients"),
    "DeliveryDelay": ("deliveryDelay", "delayedRecipients"),
}
_DETAIL = {
    "Bounce": "bounce",
    "Complaint": "complaint",
    "Delivery": "delivery",
    "DeliveryDelay": "deliveryDelay",
    "Subscription": "subscription",
}
_REASONS = {
    "Complaint": RejectReason.SPAM,
    "Subscription": RejectReason.UNSUBSCRIBED,
    "Reject": RejectReason.OTHER,
    "Rendering Failure": RejectReason.OTHER,
}


def _envelope(incoming: Incoming) -> Item:
    found = parse_json(incoming.body)
    if not isinstance(found, Mapping):
        raise Malformed
    return found


def _verify(incoming: Incoming, secrets: Secrets, now: datetime) -> None:
    envelope = _envelope(incoming)
    same(text(envelope, "TopicArn"), secrets["topic_arn"])
    try:
        verify_envelope(envelope, now)
    except NotFetched:
        raise NotNow("Amazon's certificate could not be fetched.") from None


def _check_topic(secrets: Secrets) -> None:
    if not secrets["topic_arn"].startswith(("arn:aws:sns:", "arn:aws-cn:sns:", "arn:aws-us-gov:sns:")):
        raise ValueError("topic_arn must look like arn:aws:sns:eu-north-1:123456789012:name")


SIGNED = Scheme(
    "signed",
    _verify,
    theirs=(SecretField("topic_arn", "the ARN of the SNS topic SES publishes to"),),
    check=_check_topic,
)


def unpack(incoming: Incoming) -> list[Item]:
    """One event for each recipient that the message is about; of the mail's headers only ours are kept."""
    envelope = _envelope(incoming)
    if text(envelope, "Type") != "Notification":
        return [
            {"sns": text(envelope, "MessageId"), "ask": text(envelope, "Type"), "url": text(envelope, "SubscribeURL")}
        ]
    body = _message(text_of(envelope))
    native = text(body, "notificationType") or text(body, "eventType")
    mail = at(body, "mail")
    shared: dict[str, Any] = {
        "sns": text(envelope, "MessageId"),
        "type": native,
        "sent_at": text(mail, "timestamp"),
        "detail": _without_recipients(at(body, _DETAIL.get(native, ""))),
        "headers": [one for one in listed(mail, "headers") if _is_ours(one)],
    }
    group, name = _RECIPIENTS.get(native, ("mail", "destination"))
    people = listed(body, group, name)[:1000] or [None]
    return [{**shared, "number": number, "recipient": person} for number, person in enumerate(people)]


def _message(written: str) -> Item:
    """The event inside. SES tries a new topic with a sentence, which is none but must be taken."""
    if written.startswith(_TRIAL):
        return {"eventType": "trial"}
    found = objects(parse_json(written))[0:1]
    if not found:
        raise Malformed
    return found[0]


def text_of(envelope: Item) -> str:
    """The message inside, whole: it may be longer than any other field."""
    message = envelope.get("Message")
    if not isinstance(message, str):
        raise Malformed
    return message


def _without_recipients(detail: Any) -> Any:
    if not isinstance(detail, Mapping):
        return None
    return {name: value for name, value in detail.items() if not name.endswith("Recipients") and name != "recipients"}


def _is_ours(header: Any) -> bool:
    return text(header, "name").lower().replace("-", "_") in LINK_NAMES | MESSAGE_NAMES


def read(item: Item) -> EspEvent:
    """One recipient's part of a message, or SNS asking whether we want the topic."""
    if "ask" in item:
        is_question = text(item, "ask") == "SubscriptionConfirmation"
        return EspEvent(
            type=EspEventType.UNKNOWN,
            native=text(item, "ask"),
            event_id=text(item, "sns"),
            confirm_url=text(item, "url") if is_question else "",
        )
    native = text(item, "type")
    kind, reason, severity = _TYPES.get(native, EspEventType.UNKNOWN), _REASONS.get(native), None
    if kind is EspEventType.BOUNCED:
        severity, reason = _bounce(item)
    elif native == "Subscription" and not _is_unsubscribe(item):
        kind, reason = EspEventType.SUBSCRIBED, None
    return EspEvent(
        type=kind,
        native=native,
        event_id=f"{text(item, 'sns')} {text(item, 'number')}",
        recipient=text(item, "recipient", "emailAddress") or text(item, "recipient"),
        occurred_at=moment(at(item, "detail", "timestamp")) or moment(at(item, "sent_at")),
        severity=severity,
        reason=reason,
        **references(at(item, "headers")),
    )


def _bounce(item: Item) -> tuple[Severity, RejectReason]:
    is_final = text(item, "detail", "bounceType") == "Permanent"
    kind = text(item, "detail", "bounceSubType")
    reason = {"NoEmail": RejectReason.INVALID, "ContentRejected": RejectReason.BLOCKED}.get(kind, RejectReason.BOUNCED)
    status = status_in(text(item, "recipient", "status"), text(item, "recipient", "diagnosticCode"))
    return severity_of(is_final and kind != "UnsubscribedRecipient", status), reason


def _is_unsubscribe(item: Item) -> bool:
    """A change of preferences without any topic left, or with the whole list left, is an unsubscribe."""
    preferences = at(item, "detail", "newTopicPreferences")
    if at(preferences, "unsubscribeAll") is True:
        return True
    return not any(text(one, "subscriptionStatus") == "OptIn" for one in listed(preferences, "topicSubscriptionStatus"))


SES = Provider("Amazon SES", schemes=(SIGNED,), unpack=unpack, read=read, confirm=confirm_subscription)
