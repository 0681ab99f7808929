"""`/hooks/esp/<provider>/<mailer>`: verified, split, stored, answered; the worker does the rest.

A request is answered 200 only when its events are committed. 401 and 400 tell whoever set up the hook what is wrong, 503 that
the provider shall try again.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import structlog
from flask import Response, request
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from preferences.domain.errors import NotFound, PreferencesError
from preferences.integrations.esp import PROVIDERS
from preferences.integrations.esp.base import Incoming, Malformed, NotVerified, Provider
from preferences.metrics import ESP_EVENTS
from preferences.models.transaction import glancing, transaction
from preferences.queries.esp.esp import HookView
from preferences.services.esp.events import store_events
from preferences.services.esp.hooks import existing_hook, valid_secrets
from preferences.web.access import Access, access
from preferences.web.plumbing import settings, utc_now

from . import blueprint

log = structlog.get_logger()

MOST_BYTES = 16 * 1024 * 1024
"""Ten thousand events of the longest kind, with room to spare."""
CHALLENGE = 'Basic realm="hooks", charset="UTF-8"'
"""Amazon SNS, like browsers, sends the password only after having been asked for it."""


@blueprint.route("/hooks/esp/<provider>/<mailer>", methods=["GET", "HEAD", "POST"])
@access(Access.HOOK)
def take_events(provider: str, mailer: str) -> Response:
    """Store what a provider reports. GET and HEAD only say that the address is there (Unisender Go and Mandrill ask)."""
    request.max_content_length = MOST_BYTES
    known = PROVIDERS.get(provider)
    if known is None:
        raise NotFound("There is no such provider.")
    if request.method != "POST":
        return _answer("", 200)
    incoming, now = _incoming(), utc_now()
    with glancing() as session:
        hook = existing_hook(session, mailer, provider)
    _verify(known, hook, incoming, now)
    events = known.events(incoming)
    with transaction() as session:
        new = store_events(session, mailer_id=hook.mailer_id, provider=provider, events=events, now=now)
    types = Counter(event.type.value for _, event in events)
    for kind, count in types.items():
        ESP_EVENTS.labels(provider, kind).inc(count)
    log.info("esp_events_stored", provider=provider, mailer=hook.mailer_key, new=new, **types)
    return _answer("ok\n", 200)


def _incoming() -> Incoming:
    """The request as it came: the whole body, bounded, and every header with all its values."""
    body = request.get_data(cache=False)
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        headers.setdefault(name.lower(), []).append(value)
    return Incoming(body, headers, settings().base_url + request.full_path.rstrip("?"))


def _verify(known: Provider, hook: HookView, incoming: Incoming, now: datetime) -> None:
    """By the present secrets, or by those before the last rotation while they last. Raises NotVerified."""
    refusal = NotVerified()
    for secrets in valid_secrets(hook, now):
        try:
            known.scheme(secrets["scheme"]).verify(incoming, secrets, now)
        except NotVerified as error:
            refusal = error
        else:
            return
    raise refusal


def _answer(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")


@blueprint.errorhandler(PreferencesError)
def _refuse(error: PreferencesError) -> Response:
    log.warning("esp_request_refused", code=error.code, provider=_provider())
    response = _answer(f"{error.code}: {error.detail}\n", error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = CHALLENGE
    if error.status == 503:
        response.headers["Retry-After"] = "30"
    return response


@blueprint.errorhandler(RecursionError)
def _refuse_deep(_: RecursionError) -> Response:
    """JSON that can be read and not written again, at the edge of what the interpreter nests."""
    return _refuse(Malformed())


@blueprint.errorhandler(HTTPException)
def _refuse_http(error: HTTPException) -> Response:
    log.warning("esp_request_refused", code=error.code, provider=_provider())
    return _answer(f"{error.name}\n", error.code or 500)


@blueprint.errorhandler(DBAPIError)
def _not_stored(error: DBAPIError) -> Response:
    log.error("esp_events_not_stored", kind=type(error.orig).__name__, provider=_provider())
    response = _answer("not stored; send it again\n", 503)
    response.headers["Retry-After"] = "30"
    return response


def _provider() -> str:
    """The provider in the path, if it is one of ours: nothing else of a path is logged."""
    named = (request.view_args or {}).get("provider", "")
    return named if named in PROVIDERS else "unknown"
