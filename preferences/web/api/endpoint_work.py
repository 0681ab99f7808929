"""`/endpoints/<endpoint>/…`: test, rotate the secret, attempts, replay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from preferences.domain.scopes import Scope
from preferences.domain.webhooks import message_id
from preferences.queries.mailers.endpoints import AttemptView, attempts_of
from preferences.services.webhooks.endpoints import rotate_secret
from preferences.services.webhooks.replay import Range, replay, send_test
from preferences.web.access import Access, access

from . import blueprint
from .answers import Answer
from .calls import Call, Effect, call
from .endpoint_models import Attempts, AttemptsAsked, ReplayAsked, Replayed, RotationAsked, SecretShown, TestQueued
from .endpoints import own
from .types import Nothing, write_moment


@blueprint.post("/endpoints/<endpoint>/test")
@access(Access.MAILER)
@call(
    scope=Scope.ENDPOINTS,
    summary="Send a test message",
    takes=Nothing,
    gives=TestQueued,
    effect=Effect.CHANGES,
    statuses=(202,),
    problems=(404, 409),
)
def test_endpoint(call: Call[Nothing], endpoint: str) -> Answer:
    """The worker sends a message of the type `endpoint.test` within a second; the attempts say what came of it."""
    return Answer({"message": send_test(call.session, own(call, endpoint), now=call.now)}, status=202)


@blueprint.post("/endpoints/<endpoint>/rotate")
@access(Access.MAILER)
@call(
    scope=Scope.ENDPOINTS,
    summary="Rotate the secret",
    takes=RotationAsked,
    gives=SecretShown,
    effect=Effect.CHANGES,
    problems=(404,),
)
def rotate_endpoint(call: Call[RotationAsked], endpoint: str) -> Answer:
    """While both are in use every message carries two signatures. A secret that was on its way out already ends at once."""
    overlap = timedelta(hours=call.body.overlap_hours)
    fresh = rotate_secret(call.session, own(call, endpoint), now=call.now, overlap=overlap)
    ends_at = fresh.previous_ends_at
    return Answer({"secret": fresh.text, "previous_ends_at": ends_at and write_moment(ends_at)})


@blueprint.get("/endpoints/<endpoint>/attempts")
@access(Access.MAILER)
@call(
    scope=Scope.ENDPOINTS,
    summary="Show what was tried",
    takes=AttemptsAsked,
    gives=Attempts,
    effect=Effect.READS,
    rows="attempts",
    problems=(404,),
)
def list_attempts(call: Call[AttemptsAsked], endpoint: str) -> Answer:
    """Status, latency and the beginning of each answer, newest first."""
    found = own(call, endpoint)
    asked = call.body
    attempts = attempts_of(call.session, found.id, limit=asked.limit, before=asked.before, event_id=asked.event or None)
    return Answer({"attempts": [_attempt(one) for one in attempts]}, rows="attempts")


@blueprint.post("/endpoints/<endpoint>/replay")
@access(Access.MAILER)
@call(
    scope=Scope.ENDPOINTS,
    summary="Send changes again",
    takes=ReplayAsked,
    gives=Replayed,
    effect=Effect.CHANGES,
    statuses=(202,),
    problems=(404, 409),
)
def replay_endpoint(call: Call[ReplayAsked], endpoint: str) -> Answer:
    """Under the ids they had, up to 10,000 a call; those it was never told of too. They come in order for each person."""
    body = call.body
    asked = Range(event=body.event, after=body.after, through=body.through, since=body.since, until=body.until)
    done = replay(call.session, own(call, endpoint), asked, now=call.now)
    return Answer({"queued": done.queued, "last": done.last_event, "more": done.more}, status=202)


def _attempt(one: AttemptView) -> dict[str, Any]:
    return {
        "id": one.id,
        "message": message_id(one.event_id, one.delivery_id),
        "event": one.event_id,
        "number": one.number,
        "attempted_at": write_moment(one.attempted_at),
        "code": one.code.value,
        "status": one.status,
        "latency_ms": one.latency_ms,
        "excerpt": one.excerpt,
    }
