"""`POST /keys/rotate`: a mailer replaces its own key, while the old one goes on working for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from preferences.domain.scopes import Scope
from preferences.services.webhooks.mailers import OVERLAP, renew_key
from preferences.web.access import Access, access

from . import blueprint
from .answers import Answer
from .calls import Call, Effect, call
from .types import Moment, Strict, write_moment


class RotateAsked(Strict):
    """How long the key of this request goes on working."""

    hours: Annotated[int, Field(ge=0, le=8760, description="0 ends it at once.")] = int(OVERLAP.total_seconds() // 3600)


class KeyIssued(BaseModel):
    """A new key with the same scopes. It is shown once."""

    key: str
    scopes: list[Scope]
    expires_at: Annotated[Moment | None, Field(description="As the old one would have ended; null: never.")]
    old_key_works_until: Moment


@blueprint.post("/keys/rotate")
@access(Access.MAILER)
@call(
    scope=None,
    summary="Replace the key of this request",
    takes=RotateAsked,
    gives=KeyIssued,
    effect=Effect.CHANGES,
    statuses=(201,),
    problems=(409,),
)
def rotate_own_key(call: Call[RotateAsked]) -> Answer:
    """Any key may replace itself, with what it may do and for as long as it was given. Send an Idempotency-Key: an answer that
    is lost on its way is then given again."""
    renewed = renew_key(call.session, call.key.prefix, now=call.now, overlap=timedelta(hours=call.body.hours))
    issued = renewed.issued
    body = {
        "key": issued.text,
        "scopes": [scope.value for scope in issued.scopes],
        "expires_at": issued.expires_at and write_moment(issued.expires_at),
        "old_key_works_until": write_moment(renewed.old_ends_at),
    }
    return Answer(body, status=201, headers={"Cache-Control": "no-store"})
