"""What the calls about endpoints take and give."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from preferences.domain.events import EventType
from preferences.domain.webhook_urls import MAX_URL_CHARACTERS
from preferences.domain.webhooks import AttemptCode, DisabledReason, EndpointState, PayloadKind, SignatureScheme

from .types import Moment, Number, Strict

LARGEST_ID = 10**18 - 1

Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_URL_CHARACTERS,
        description="https, public, without user name and fragment. It may hold a secret of yours: it is kept encrypted.",
        examples=["https://mailer.example/hooks/preferences"],
    ),
]
Types = Annotated[
    list[Annotated[EventType, Field(strict=False)]], Field(min_length=1, max_length=100, description="Types of events.")
]
Description = Annotated[str, Field(max_length=200, description="Your own words.")]
Payload = Annotated[
    PayloadKind, Field(strict=False, description="`thin`: ids only; `addresses`: with the email address.")
]
EventId = Annotated[int, Field(ge=1, le=LARGEST_ID, description="The id of a change.")]


class EndpointAsked(Strict):
    """A new endpoint."""

    url: Url
    types: Annotated[Types | None, Field(description="Left out: every type there is today.")] = None
    description: Description = ""
    payload: Payload = PayloadKind.THIN
    scheme: Annotated[
        SignatureScheme, Field(strict=False, description="`v1`: HMAC with a shared secret; `v1a`: Ed25519.")
    ] = SignatureScheme.V1


class EndpointChanged(Strict):
    """What shall be otherwise; what is left out stays."""

    url: Url | None = None
    types: Types | None = None
    description: Description | None = None
    payload: Payload | None = None
    state: Annotated[EndpointState | None, Field(strict=False)] = None


class EndpointShown(BaseModel):
    """An endpoint and how it does."""

    id: int
    url: str
    types: list[EventType]
    description: str
    payload: PayloadKind
    scheme: SignatureScheme
    state: EndpointState
    disabled_reason: DisabledReason | None
    created_at: Moment
    updated_at: Moment
    disabled_at: Moment | None
    failing_since: Annotated[Moment | None, Field(description="Since when nothing has got through.")]
    waiting: Annotated[int, Field(description="Messages on their way to it, held ones too.")]


class EndpointMade(EndpointShown):
    """A new endpoint, with what verifies its messages."""

    secret: Annotated[
        str, Field(description="Shown once. `whsec_…`, the shared secret; with `v1a` the public key `whpk_…`.")
    ]


class Endpoints(BaseModel):
    """Your endpoints, oldest first."""

    endpoints: list[EndpointShown]


class EndpointRemoved(BaseModel):
    """An endpoint that is no more."""

    id: int


class RotationAsked(Strict):
    """How to change over."""

    overlap_hours: Annotated[
        int, Field(ge=0, le=168, description="How long the secret before goes on signing beside the new one.")
    ] = 24


class SecretShown(BaseModel):
    """The new secret."""

    secret: Annotated[str, Field(description="Shown once.")]
    previous_ends_at: Moment | None


class TestQueued(BaseModel):
    """A test message on its way; look for it in the attempts."""

    message: Annotated[str, Field(description="Its `webhook-id`.")]


class AttemptsAsked(Strict):
    """Which attempts."""

    limit: Annotated[Number, Field(ge=1, le=1000)] = 100
    before: Annotated[Number, Field(ge=1, le=LARGEST_ID, description="Only attempts older than this one.")] = LARGEST_ID
    event: Annotated[
        Number, Field(ge=0, le=LARGEST_ID, description="Only attempts to tell of this change; 0: of all.")
    ] = 0


class AttemptShown(BaseModel):
    """One call of the endpoint."""

    id: int
    message: Annotated[str, Field(description="The `webhook-id`.")]
    event: Annotated[int | None, Field(description="The change; null: a test message.")]
    number: Annotated[int, Field(description="1 for the first.")]
    attempted_at: Moment
    code: AttemptCode
    status: Annotated[int | None, Field(description="What it answered; null: nothing.")]
    latency_ms: int
    excerpt: Annotated[str | None, Field(description="The first 500 bytes of the answer.")]


class Attempts(BaseModel):
    """What was tried, newest first. Kept for 30 days."""

    attempts: list[AttemptShown]


class ReplayAsked(Strict):
    """One event, or a range: after an id or since a time, up to another id or time."""

    event: EventId | None = None
    after: Annotated[int | None, Field(ge=0, le=LARGEST_ID, description="From the change after this id on.")] = None
    through: EventId | None = None
    since: Moment | None = None
    until: Moment | None = None


class Replayed(BaseModel):
    """What is on its way again."""

    queued: int
    last: Annotated[int | None, Field(description="The last change queued.")]
    more: Annotated[bool, Field(description="Whether there are more: ask again with `after` = `last`.")]
