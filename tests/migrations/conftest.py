"""An application on an empty database of its own, for migrations to be run up and down."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from tests.conftest import settings_environment
from tests.support import databases


@pytest.fixture(params=databases.names())
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The service with an empty database, on each database in turn. No application context is pushed."""
    name = f"preferences_migrations_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}_{os.getpid()}"
    url = f"sqlite:///{tmp_path / 'migrations.db'}" if request.param == "sqlite" else databases.fresh_database(name)
    try:
        app = create_app(settings_environment(url), instance_path=tmp_path)
        yield app
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()
    finally:
        if request.param == "postgresql":
            databases.drop_database(name)
