"""What other systems tell us: the events of ESPs. Each request proves by itself where it comes from."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("inbound", __name__)

from . import esp  # noqa: E402, F401 - register its views on the blueprint
