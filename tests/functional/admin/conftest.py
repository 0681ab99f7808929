"""Single sign-on switched on, with a provider that runs on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from preferences.config import Settings
from tests.support.identity_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider, providing
from tests.support.sign_on import Configure


@pytest.fixture(scope="module")
def server() -> Iterator[FakeProvider]:
    with providing() as provider:
        yield provider


@pytest.fixture
def configure(app: Flask, server: FakeProvider) -> Iterator[Configure]:
    """Changes settings of this test; single sign-on is on."""
    before: Settings = app.extensions["preferences.settings"]

    def change(**changes: Any) -> Settings:
        found: Settings = replace(app.extensions["preferences.settings"], **changes)
        app.extensions["preferences.settings"] = found
        return found

    change(
        oidc_issuer=server.fresh().issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        oidc_label="Kundbolaget",
        oidc_private_hosts=("127.0.0.1",),
    )
    app.extensions.pop("preferences.identity_provider", None)
    yield change
    app.extensions["preferences.settings"] = before


@pytest.fixture
def fake(server: FakeProvider, configure: Configure) -> FakeProvider:
    return server
