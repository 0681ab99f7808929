"""What is true of outbound webhooks (Standard Webhooks 1.0, M13): vocabularies, when to try again, when to stop trying."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class EndpointState(StrEnum):
    """Whether an endpoint is called."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class DisabledReason(StrEnum):
    """Why an endpoint is not called any more."""

    MAILER = "mailer"
    """The mailer said so."""
    OPERATOR = "operator"
    """A command said so."""
    GONE = "gone"
    """It answered 410."""
    FAILING = "failing"
    """Nothing got through for DISABLE_AFTER."""


class PayloadKind(StrEnum):
    """What the endpoint is told of a person."""

    THIN = "thin"
    """The recipient's id."""
    ADDRESSES = "addresses"
    """The email address too, read when the message is made: of an erased person there is none."""


class SignatureScheme(StrEnum):
    """How messages are signed."""

    V1 = "v1"
    """HMAC-SHA-256 with a shared secret, `whsec_…`."""
    V1A = "v1a"
    """Ed25519: the endpoint holds only the public key, `whpk_…`."""


class DeliveryOutcome(StrEnum):
    """How a delivery ended."""

    DELIVERED = "delivered"
    GIVEN_UP = "given_up"
    """Every try of the schedule failed."""


class AttemptCode(StrEnum):
    """What came of one attempt."""

    DELIVERED = "delivered"
    FAILED = "failed"
    """Another status than 2xx."""
    REDIRECTED = "redirected"
    GONE = "gone"
    BUSY = "busy"
    """429, 502, 503 or 504: the endpoint asks for less."""
    TIMED_OUT = "timed_out"
    CERTIFICATE = "certificate"
    """TLS could not be established or verified."""
    UNREACHABLE = "unreachable"
    PRIVATE_ADDRESS = "private_address"
    """The host leads to an address that is not public, or the URL is not https."""
    INTERNAL = "internal"
    """The message could not be made: our fault, told in the log."""


TEST_TYPE = "endpoint.test"
"""The `type` of a test message; never a change event."""

WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""How long before each attempt: ten in all, over three days."""
LONGEST_RETRY_AFTER = timedelta(hours=24)
DISABLE_AFTER = timedelta(days=5)
"""An endpoint that nothing got through to for so long is disabled, and staff are told."""
MAX_ENDPOINTS = 20
"""Of one mailer."""
SECRETS_OVERLAP = timedelta(hours=24)
FAILURES_BEFORE_HOLD = 5
LONGEST_HOLD = timedelta(minutes=5)

_BUSY = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one call gave. `retry_after` is what the endpoint asked for, if it did."""

    code: AttemptCode
    status: int | None = None
    latency: timedelta = timedelta()
    excerpt: str = ""
    retry_after: timedelta | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the endpoint has taken the message."""
        return self.code is AttemptCode.DELIVERED


def message_id(event_id: int | None, delivery_id: int) -> str:
    """`webhook-id`: the same through every attempt and replay, and for every endpoint that hears of the event."""
    return f"test_{delivery_id}" if event_id is None else f"evt_{event_id}"


def code_of_status(status: int) -> AttemptCode:
    """What a status means: 2xx is success, a redirect is a failure."""
    if 200 <= status < 300:
        return AttemptCode.DELIVERED
    if 300 <= status < 400:
        return AttemptCode.REDIRECTED
    if status == 410:
        return AttemptCode.GONE
    return AttemptCode.BUSY if status in _BUSY else AttemptCode.FAILED


def wait_before_next(attempts: int, *, jitter: float) -> timedelta | None:
    """How long to wait after so many attempts (1, 2 …), or None to give up. `jitter` in [0, 1) adds up to a fifth."""
    if attempts >= len(WAITS):
        return None
    return WAITS[max(attempts, 0)] * (1 + 0.2 * jitter)


def hold_of(attempt: Attempt, failures: int) -> timedelta:
    """How long the whole endpoint is left alone after its `failures`-th failure in a row: busy ones at once, dead ones soon."""
    if attempt.retry_after is not None:
        return min(attempt.retry_after, LONGEST_RETRY_AFTER)
    begins_at = 1 if attempt.code is AttemptCode.BUSY else FAILURES_BEFORE_HOLD
    if failures < begins_at:
        return timedelta()
    doubled: timedelta = timedelta(seconds=5) * 2 ** min(failures - begins_at, 10)
    return min(doubled, LONGEST_HOLD)
