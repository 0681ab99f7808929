"""The API for mailers, `/api/v1`: bearer keys with scopes, JSON and NDJSON, `application/problem+json`, OpenAPI 3.1.

To add a call: write a view in a file of this package and import the file in `register_api`.

    @blueprint.post("/links")
    @access(Access.MAILER)
    @call(scope=Scope.LINKS, summary="Mint links", takes=LinksAsked, gives=LinksMinted,
          effect=Effect.CHANGES, bulk="recipients", most_rows=10_000, rows="results")
    def mint_links(call: Call[LinksAsked]) -> Answer:
        ...
        return Answer({"results": [...]}, rows="results")

- `takes` and `gives` are pydantic models; requests derive from `types.Strict`. They are the source of the specification.
- The wrapper authenticates, checks the scope, spends one call of the key's limit, reads the body, opens the session (one
  transaction for Effect.CHANGES, with `Idempotency-Key`; a reading session for Effect.READS), and writes the answer. A view
  translates: it calls services and queries, and raises PreferencesError or Problem.
- Bulk requests come as JSON or NDJSON (`bodies`), bulk answers likewise by `Accept` (`answers`): return
  `Stream(rows, name="results", head={...})` from a reading call for rows that are found while they are sent.
- `raw=RawBody("message/rfc822", "message")` lets one field come as the whole body, byte for byte.
- Tests take `make_key(session, Scope.LINKS)` from `tests.factories`: the bearer text of a fresh key.
"""

from __future__ import annotations

from flask import Blueprint, Flask

from .auth import tell_limits
from .problems import register_problem_handlers
from .waiting import allow_waiting

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
register_problem_handlers(blueprint)
blueprint.after_request(tell_limits)


def register_api(app: Flask) -> None:
    """Import every file of calls, so that their views are on the blueprint, and register it."""
    from . import (  # noqa: F401
        changes,
        choices,
        eligibility,
        endpoint_work,
        endpoints,
        header_check,
        imports,
        keys,
        links,
        photos,
        recipients,
        reference,
        suppressions,
    )

    app.register_blueprint(blueprint)
    allow_waiting(app)
