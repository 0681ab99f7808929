"""What every view needs from its application: settings, the signer, the clock, links."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from flask import current_app

from preferences.config import Settings
from preferences.domain.capability import LinkSigner


def settings() -> Settings:
    """The configuration of the running application."""
    return cast(Settings, current_app.extensions["preferences.settings"])


def signer() -> LinkSigner:
    """The signer of links of the running application."""
    return cast(LinkSigner, current_app.extensions["preferences.signer"])


def utc_now() -> datetime:
    """The clock of the edges; services are told the time."""
    return datetime.now(UTC)
