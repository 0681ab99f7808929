"""Pages a recipient reaches. The link is the only credential: no cookie, no session, no login (T6)."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("recipient", __name__)

from . import confirm, landing, own_data, policy, preferences, step_up, unsubscribe  # noqa: E402, F401 - register their views
