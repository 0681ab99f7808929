"""`GET /suppressions`: every address-level stop, as a keyed hash; with addresses for the mailer's own recipients (T20, T22)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, Field

from preferences.domain.catalogue import Catalogue
from preferences.domain.scopes import Scope
from preferences.domain.suppression import SuppressionReason, SuppressionScope
from preferences.queries.choices.suppressions import active_suppressions_for
from preferences.queries.purposes.purposes import catalogue
from preferences.web.access import Access, access

from . import blueprint
from .answers import Stream
from .calls import Call, Effect, call
from .types import Moment, Nothing, write_moment


class Suppressed(BaseModel):
    """One stop of one address."""

    hash: Annotated[
        str, Field(description="Keyed hash of the address, 32 hex digits: the same address, the same hash.")
    ]
    reason: SuppressionReason
    scope: SuppressionScope
    purpose: Annotated[str | None, Field(description="The purpose's key when the scope is `purpose`.")]
    since: Moment
    email: Annotated[str | None, Field(description="Only for recipients that this mailer brought in.")] = None


class Suppressions(BaseModel):
    """Active suppressions, oldest first."""

    suppressions: list[Suppressed]
    count: int


@blueprint.get("/suppressions")
@access(Access.MAILER)
@call(
    scope=Scope.SUPPRESSIONS_READ,
    summary="Stream every active suppression",
    takes=Nothing,
    gives=Suppressions,
    effect=Effect.READS,
    rows="suppressions",
)
def list_suppressions(call: Call[Nothing]) -> Stream:
    """Streamed: memory stays flat on both sides. What is missing was lifted. Erased people are hashes without an address."""
    return Stream(_rows(call, catalogue(call.session)), name="suppressions")


def _rows(call: Call[Nothing], known: Catalogue) -> Iterator[dict[str, Any]]:
    for one in active_suppressions_for(call.session, call.source):
        purpose = known.by_id(one.purpose_id)
        row: dict[str, Any] = {
            "hash": one.address_index.hex(),
            "reason": one.reason.value,
            "scope": one.scope.value,
            "purpose": purpose.purpose.key if purpose else None,
            "since": write_moment(one.since),
        }
        if one.address is not None:
            row["email"] = one.address
        yield row
