"""`/endpoints`: the webhooks of a mailer, its own ones only (M13)."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.orm import Session

from preferences.domain.scopes import Scope
from preferences.queries.mailers.endpoints import EndpointView, endpoints_of, waiting_count
from preferences.services.webhooks.endpoints import (
    EndpointChange,
    add_endpoint,
    change_endpoint,
    endpoint_of,
    remove_endpoint,
)
from preferences.web.access import Access, access
from preferences.web.plumbing import settings

from . import blueprint
from .answers import Answer
from .calls import Call, Effect, call
from .endpoint_models import EndpointAsked, EndpointChanged, EndpointMade, EndpointRemoved, Endpoints, EndpointShown
from .types import Nothing, write_moment

_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


@blueprint.get("/endpoints")
@access(Access.MAILER)
@call(scope=Scope.ENDPOINTS, summary="List your endpoints", takes=Nothing, gives=Endpoints, effect=Effect.READS)
def list_endpoints(call: Call[Nothing]) -> Answer:
    """Every endpoint of this mailer, with how it does. Secrets are not shown again."""
    found = endpoints_of(call.session, call.key.mailer.id)
    return Answer({"endpoints": [as_json(call.session, one) for one in found]})


@blueprint.post("/endpoints")
@access(Access.MAILER)
@call(
    scope=Scope.ENDPOINTS,
    summary="Add an endpoint",
    takes=EndpointAsked,
    gives=EndpointMade,
    effect=Effect.CHANGES,
    statuses=(201,),
    problems=(409,),
)
def create_endpoint(call: Call[EndpointAsked]) -> Answer:
    """It is told of every change that is recorded from now on. The answer shows what verifies its messages, once."""
    body = call.body
    new = EndpointChange(url=body.url, types=body.types, description=body.description, payload=body.payload)
    made, secret = add_endpoint(
        call.session, call.key.mailer.id, new, body.scheme, rules=settings().webhook_urls, now=call.now
    )
    return Answer({**as_json(call.session, made), "secret": secret.text}, status=201)


@blueprint.get("/endpoints/<endpoint>")
@access(Access.MAILER)
@call(
    scope=Scope.ENDPOINTS,
    summary="Show an endpoint",
    takes=Nothing,
    gives=EndpointShown,
    effect=Effect.READS,
    problems=(404,),
)
def show_endpoint(call: Call[Nothing], endpoint: str) -> Answer:
    """How it is set up, and how it does."""
    return Answer(as_json(call.session, own(call, endpoint)))


@blueprint.patch("/endpoints/<endpoint>")
@access(Access.MAILER)
@call(
    scope=Scope.ENDPOINTS,
    summary="Change an endpoint",
    takes=EndpointChanged,
    gives=EndpointShown,
    effect=Effect.CHANGES,
    problems=(404,),
)
def patch_endpoint(call: Call[EndpointChanged], endpoint: str) -> Answer:
    """Enabled again, it gets what was waiting; what was recorded while it was disabled it gets by a replay."""
    body = call.body
    change = EndpointChange(
        url=body.url, types=body.types, description=body.description, payload=body.payload, state=body.state
    )
    changed = change_endpoint(call.session, own(call, endpoint), change, rules=settings().webhook_urls, now=call.now)
    return Answer(as_json(call.session, changed))


@blueprint.delete("/endpoints/<endpoint>")
@access(Access.MAILER)
@call(
    scope=Scope.ENDPOINTS,
    summary="Remove an endpoint",
    takes=Nothing,
    gives=EndpointRemoved,
    effect=Effect.CHANGES,
    problems=(404,),
)
def delete_endpoint(call: Call[Nothing], endpoint: str) -> Answer:
    """What waits for it and what was tried is forgotten with it. The change feed still has every change."""
    found = own(call, endpoint)
    remove_endpoint(call.session, found.id)
    return Answer({"id": found.id})


def own(call: Call[Any], endpoint: str) -> EndpointView:
    """The endpoint named in the path, if it is this mailer's. Raises UnknownEndpoint."""
    number = int(endpoint) if _ID.fullmatch(endpoint) else None
    return endpoint_of(call.session, call.key.mailer.id, number)


def as_json(session: Session, one: EndpointView) -> dict[str, Any]:
    """An endpoint as its mailer sees it."""
    return {
        "id": one.id,
        "url": one.url,
        "types": [kind.value for kind in one.types],
        "description": one.description,
        "payload": one.payload.value,
        "scheme": one.scheme.value,
        "state": one.state.value,
        "disabled_reason": one.disabled_reason and one.disabled_reason.value,
        "created_at": write_moment(one.created_at),
        "updated_at": write_moment(one.updated_at),
        "disabled_at": one.disabled_at and write_moment(one.disabled_at),
        "failing_since": one.failing_since and write_moment(one.failing_since),
        "waiting": waiting_count(session, one.id),
    }
