"""For load balancers and monitors: `/healthz`, `/readyz`, `/metrics`. They tell states and counts, nothing about anybody."""

from __future__ import annotations

import hmac

import structlog
from flask import Blueprint, Flask, Response, abort, current_app, jsonify, request
from prometheus_client.exposition import choose_encoder
from sqlalchemy.exc import DBAPIError
from werkzeug.wrappers import Response as AnyResponse

from preferences.config import Settings
from preferences.domain.own_address import is_nonce, proof
from preferences.extensions import alembic
from preferences.metrics import count_request, prepare_shared_folder, registry
from preferences.models.rehearsal import on_stage
from preferences.models.transaction import glancing
from preferences.queries.upkeep.readiness import applied_revisions
from preferences.queries.upkeep.worker_state import SILENT_AFTER, last_sign_of_life

from .access import Access, access
from .plumbing import settings, utc_now

log = structlog.get_logger()

blueprint = Blueprint("health", __name__)


def register_health(app: Flask, given: Settings) -> None:
    """Add the views, and count every answer."""
    prepare_shared_folder()
    app.register_blueprint(blueprint)
    app.after_request(_count)
    if given.metrics_key:
        app.extensions["preferences.metrics"] = registry(app)


def _count(response: AnyResponse) -> AnyResponse:
    if on_stage() is not None:
        return response  # a rehearsal of the header doctor is no request of anybody's
    asked = request._get_current_object()  # type: ignore[attr-defined]  # one look through the proxy instead of three
    rule = asked.url_rule
    count_request("none" if rule is None else rule.rule, asked.method, response.status_code)
    return response


@blueprint.get("/healthz")
@access(Access.PUBLIC)
def healthz() -> Response:
    """The process is up and answers. Asks nothing of the database, whose failure no restart of this process would mend."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/healthz/<nonce>")
@access(Access.PUBLIC)
def prove(nonce: str) -> Response:
    """That this very installation answers: what only its keys can make of what the self-check asks. Tells nothing else."""
    if not is_nonce(nonce):
        abort(404)
    answer = proof(settings().secret_keys[-1], nonce)
    return Response(f"{answer}\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})


@blueprint.get("/readyz")
@access(Access.PUBLIC)
def readyz() -> tuple[Response, int]:
    """Requests may be sent here: the database answers and has this code's schema. Tells of the worker, and does without it."""
    try:
        with glancing() as session:
            applied = applied_revisions(session)
            if applied != wanted_revisions():
                return jsonify(status="not_ready", database="ok", migrations="differ"), 503
            seen_at = last_sign_of_life(session)
    except DBAPIError as error:
        log.error("database_unavailable", endpoint=request.endpoint, kind=type(error.orig).__name__)
        return jsonify(status="not_ready", database="unavailable"), 503
    age = None if seen_at is None else max(0, round((utc_now() - seen_at).total_seconds()))
    worker = "none" if age is None else "alive" if age <= SILENT_AFTER.total_seconds() else "silent"
    return jsonify(status="ready", database="ok", migrations="current", worker=worker, worker_seen_seconds=age), 200


@blueprint.get("/metrics")
@access(Access.OPERATOR)
def metrics() -> Response:
    """For Prometheus, with the bearer key of PREFERENCES_METRICS_KEY; without that setting there is nothing here."""
    key = settings().metrics_key
    if not key:
        abort(404)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), key.encode()):
        return Response("A bearer key is needed.\n", 401, {"WWW-Authenticate": "Bearer"}, mimetype="text/plain")
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(current_app.extensions["preferences.metrics"]), content_type=content_type)


def wanted_revisions() -> frozenset[str]:
    """The newest migrations of this code; read from its files once."""
    if "preferences.revisions" not in current_app.extensions:
        heads = frozenset(script.revision for script in alembic.heads())
        current_app.extensions["preferences.revisions"] = heads
    wanted: frozenset[str] = current_app.extensions["preferences.revisions"]
    return wanted
