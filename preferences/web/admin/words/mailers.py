"""What the codes about mailers, endpoints and reports of ESPs are called in the admin pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from preferences.domain.esp_events import EspEventType
from preferences.domain.events import EventType
from preferences.domain.scopes import Scope
from preferences.domain.webhooks import AttemptCode, DisabledReason, EndpointState, PayloadKind, SignatureScheme

_ = lazy_gettext

MAILER_WORDS: dict[str, Mapping[Any, Any]] = {
    "api_scope": {
        Scope.RECIPIENTS_READ: _("Look up recipients"),
        Scope.RECIPIENTS_WRITE: _("Add and change recipients"),
        Scope.LINKS: _("Make unsubscribe links"),
        Scope.ELIGIBILITY: _("Ask who may get a message"),
        Scope.CHOICES_WRITE: _("Report choices"),
        Scope.SUPPRESSIONS_READ: _("Read stopped addresses"),
        Scope.IMPORTS: _("Import files"),
        Scope.CHANGES_READ: _("Follow the change feed"),
        Scope.ENDPOINTS: _("Manage its own endpoints"),
        Scope.PHOTOS_READ: _("Ask who may be shown in photos"),
        Scope.HEADER_CHECK: _("Have a message examined"),
    },
    "event": {
        EventType.CHOICE_CHANGED: _("A choice changed"),
        EventType.RECIPIENT_STOPPED: _("Somebody stopped everything"),
        EventType.RECIPIENT_RESUMED: _("Somebody lifted their stop"),
        EventType.RECIPIENT_SUPPRESSED: _("Mail to an address was stopped, or the stop ended"),
        EventType.RECIPIENT_ERASED: _("Somebody was erased"),
        EventType.RECIPIENT_RESTRICTED: _("Somebody's data was blocked, or the block ended"),
        EventType.RECIPIENT_ADDRESS_CHANGED: _("Somebody changed their address"),
        EventType.RECIPIENT_CORRECTED: _("Somebody's data was corrected"),
        EventType.PHOTO_OBJECTION_CHANGED: _("An objection to photos changed"),
        EventType.TAKEDOWN_REQUESTED: _("Somebody wants something taken down"),
        EventType.POLICY_PUBLISHED: _("A privacy policy was published"),
    },
    "payload": {
        PayloadKind.THIN: _("Ids only"),
        PayloadKind.ADDRESSES: _("With email addresses"),
    },
    "signature": {
        SignatureScheme.V1: _("A shared secret (HMAC)"),
        SignatureScheme.V1A: _("A key pair (Ed25519)"),
    },
    "endpoint_state": {
        EndpointState.ENABLED: _("Called"),
        EndpointState.DISABLED: _("Not called"),
    },
    "disabled": {
        DisabledReason.MAILER: _("the mailer switched it off"),
        DisabledReason.OPERATOR: _("staff switched it off"),
        DisabledReason.GONE: _("it answered that it is gone (410)"),
        DisabledReason.FAILING: _("nothing got through for five days"),
    },
    "attempt": {
        AttemptCode.DELIVERED: _("Delivered"),
        AttemptCode.FAILED: _("Turned away"),
        AttemptCode.REDIRECTED: _("Redirected"),
        AttemptCode.GONE: _("Gone"),
        AttemptCode.BUSY: _("Busy"),
        AttemptCode.TIMED_OUT: _("No answer in time"),
        AttemptCode.CERTIFICATE: _("Certificate not accepted"),
        AttemptCode.UNREACHABLE: _("Not reached"),
        AttemptCode.PRIVATE_ADDRESS: _("Address not allowed"),
        AttemptCode.INTERNAL: _("Our own fault"),
    },
    "reported": {
        EspEventType.QUEUED: _("Queued"),
        EspEventType.SENT: _("Sent"),
        EspEventType.DEFERRED: _("Deferred"),
        EspEventType.DELIVERED: _("Delivered"),
        EspEventType.BOUNCED: _("Bounced"),
        EspEventType.REJECTED: _("Refused by the ESP"),
        EspEventType.FAILED: _("Failed"),
        EspEventType.COMPLAINED: _("Reported as spam"),
        EspEventType.UNSUBSCRIBED: _("Unsubscribed"),
        EspEventType.SUBSCRIBED: _("Subscribed"),
        EspEventType.OPENED: _("Opened"),
        EspEventType.CLICKED: _("Clicked"),
        EspEventType.AUTORESPONDED: _("Answered by a machine"),
        EspEventType.INBOUND: _("Mail to us"),
        EspEventType.UNKNOWN: _("Unknown"),
    },
}
