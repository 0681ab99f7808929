"""Pages a recipient reaches. The link is the only credential: no cookie, no session, no login (T6)."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("recipient", __name__)

from . import (  # noqa: E402 - register their views on the blueprint
    confirm,  # noqa: F401
    landing,  # noqa: F401
    own_address,  # noqa: F401
    own_copy,  # noqa: F401
    own_corrections,  # noqa: F401
    own_data,  # noqa: F401
    own_erasure,  # noqa: F401
    own_photos,  # noqa: F401
    own_receipts,  # noqa: F401
    own_rights,  # noqa: F401
    own_takedowns,  # noqa: F401
    own_why,  # noqa: F401
    own_words,  # noqa: F401
    policy,  # noqa: F401
    preferences,  # noqa: F401
    reason,  # noqa: F401
    step_up,  # noqa: F401
    subscribe,  # noqa: F401
    training_choice,  # noqa: F401
    unsubscribe,  # noqa: F401
)
