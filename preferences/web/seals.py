"""`/seals/…`: the signed heads of the ledger and the keys that signed them, for everybody to keep. Nothing personal."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify

from preferences.models.transaction import reading
from preferences.queries.ledger.seal import head_by_number, newest_head, public_keys
from preferences.services.ledger.proofs import published_head
from preferences.services.ledger.sealing import SealKeys

from .access import Access, access
from .plumbing import settings

blueprint = Blueprint("seals", __name__)

FOR_EVER = "public, max-age=31536000, immutable"
FIVE_MINUTES = "public, max-age=300"
LARGEST = 2**31 - 1


@blueprint.get("/seals/<int:number>.json")
@access(Access.PUBLIC)
def head(number: int) -> Response:
    """One head, with the proof that it only adds to the one before."""
    with reading() as session:
        found = head_by_number(session, number) if 0 < number <= LARGEST else None
        if found is None:
            abort(404)
        return _cached(published_head(session, found), FOR_EVER)


@blueprint.get("/seals/latest.json")
@access(Access.PUBLIC)
def latest() -> Response:
    """The newest head."""
    with reading() as session:
        found = newest_head(session)
        if found is None:
            abort(404)
        return _cached(published_head(session, found), FIVE_MINUTES)


@blueprint.get("/seals/keys.json")
@access(Access.PUBLIC)
def keys() -> Response:
    """The public keys: the one that signs now, and every one that has signed."""
    with reading() as session:
        used = public_keys(session)
    signed = [{"public_key": key.hex(), "first_head": first, "last_head": last} for key, first, last in used]
    return _cached({"current": SealKeys(settings().seal_keys).newest.hex(), "keys": signed}, FIVE_MINUTES)


def _cached(content: dict[str, Any], how_long: str) -> Response:
    answer = jsonify(content)
    answer.headers["Cache-Control"] = how_long
    return answer
