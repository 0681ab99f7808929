"""An application for what needs one (templates, languages), without a database behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from app import create_app
from tests.conftest import settings_environment
from tests.support.templates import share_compiled


@pytest.fixture(scope="session")
def bare_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The service on a database that nobody opens."""
    folder = tmp_path_factory.mktemp("bare")
    app = create_app(settings_environment(f"sqlite:///{folder / 'bare.db'}"), instance_path=folder)
    share_compiled(app, tmp_path_factory)
    return app


@pytest.fixture(autouse=True)
def context(bare_app: Flask) -> Iterator[None]:
    """An application context around every test."""
    with bare_app.app_context():
        yield
