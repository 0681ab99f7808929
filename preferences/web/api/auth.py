"""Who calls: a bearer key, looked up by its public prefix and compared in constant time (L14, T16)."""

from __future__ import annotations

import hmac
from datetime import datetime
from math import ceil

import structlog
from flask import Response, g, request
from limits import RateLimitItemPerMinute

from preferences.domain.scopes import Scope
from preferences.extensions import limiter
from preferences.models.transaction import reading
from preferences.queries.mailers.mailers import KeyView, key_by_prefix
from preferences.services.webhooks.mailers import KEY_FORM, hash_secret
from preferences.web.plumbing import settings

from .problems import Problem

log = structlog.get_logger()

CHALLENGE = 'Bearer realm="preferences"'
_NO_HASH = bytes(32)


def authenticate(now: datetime) -> KeyView:
    """The key of this request. Raises Problem: 401 without a key that works.

    Only the holder of the secret learns that a key has expired or was revoked.
    """
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    match = KEY_FORM.fullmatch(token.strip()) if scheme.lower() == "bearer" else None
    if match is None:
        raise _unauthenticated("unauthenticated", "Send `Authorization: Bearer <key>`.", error=None)
    with reading() as session:
        key = key_by_prefix(session, match["prefix"])
    stored = key.secret_hash if key else _NO_HASH
    if not hmac.compare_digest(stored, hash_secret(match["secret"])) or key is None:
        raise _unauthenticated("invalid_key", "There is no such key.")
    if key.revoked_at is not None or key.mailer.archived_at is not None:
        raise _unauthenticated("key_revoked", "This key was revoked. Ask the operator for a new one.")
    if key.expires_at is not None and key.expires_at <= now:
        raise _unauthenticated("key_expired", "This key has expired. Ask the operator for a new one.")
    return key


def require_scope(key: KeyView, scope: Scope | None) -> None:
    """Raises Problem: 403 when the key may not do this."""
    if scope is not None and scope not in key.scopes:
        challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"'
        detail = f"This call needs the scope `{scope}`, which the key does not carry."
        raise Problem(403, "missing_scope", detail, headers={"WWW-Authenticate": challenge})


def spend_one_call(key: KeyView, now: datetime) -> None:
    """Count the call against the key's minute. Raises Problem: 429 with Retry-After (RFC 6585).

    A counter that cannot be reached counts nothing: limits protect the service, they must not stop an opt-out.
    """
    most = RateLimitItemPerMinute(settings().api_calls_per_minute)
    try:
        allowed = limiter.limiter.hit(most, "api", key.prefix)
        window = limiter.limiter.get_window_stats(most, "api", key.prefix)
    except Exception as error:
        log.warning("rate_limit_unavailable", kind=type(error).__name__)
        return
    wait = max(1, ceil(window.reset_time - now.timestamp()))
    g.rate_limit = (f'"minute";q={most.amount};w=60', f'"minute";r={window.remaining};t={wait}')
    if not allowed:
        detail = (
            f"This key may make {most.amount} calls a minute. Try again in {wait} seconds; bulk calls count as one."
        )
        raise Problem(429, "too_many_requests", detail, headers={"Retry-After": str(wait)})


def tell_limits(response: Response) -> Response:
    """Say what is left of the key's minute on every answer to a key (draft-ietf-httpapi-ratelimit-headers)."""
    if found := g.pop("rate_limit", None):
        response.headers["RateLimit-Policy"], response.headers["RateLimit"] = found
    return response


def _unauthenticated(code: str, detail: str, *, error: str | None = "invalid_token") -> Problem:
    challenge = CHALLENGE if error is None else f'{CHALLENGE}, error="{error}"'
    return Problem(401, code, detail, headers={"WWW-Authenticate": challenge})
