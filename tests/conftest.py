"""Fixtures shared by everything. Functional tests run once on each database; see tests/support/databases.py."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import settings as property_settings
from sqlalchemy.orm import Session

from app import create_app
from preferences.cli.setup import prepare_database
from preferences.extensions import limiter
from preferences.models.transaction import transaction
from preferences.queries.purposes.purposes import forget_catalogue
from tests.support import databases
from tests.support.bytecode import keep_bytecode
from tests.support.client import StrictClient
from tests.support.memory import work_in_memory
from tests.support.snapshot import Snapshot
from tests.support.templates import share_compiled

work_in_memory()
keep_bytecode()
property_settings.register_profile("no deadline: machines that test are busy", deadline=None)
property_settings.load_profile("no deadline: machines that test are busy")

KEY = "A" * 42 + "I="
"""Keys of tests are recognisable; each setting has its own."""


def settings_environment(database_url: str, **more: str) -> dict[str, str]:
    """The environment of a service under test. `more` is added, with the prefix."""
    return {
        "PREFERENCES_ENV": "testing",
        "PREFERENCES_DATABASE_URL": database_url,
        "PREFERENCES_BASE_URL": "https://preferences.example",
        "PREFERENCES_SECRET_KEYS": "1" + KEY[1:],
        "PREFERENCES_LINK_KEYS": "2" + KEY[1:],
        "PREFERENCES_DATA_KEYS": "3" + KEY[1:],
        "PREFERENCES_INDEX_KEY": "4" + KEY[1:],
        "PREFERENCES_SEAL_KEYS": "5" + KEY[1:],
        **{f"PREFERENCES_{name}": value for name, value in more.items()},
    }


def pytest_collection_finish() -> None:
    """What was collected lives until the end: it is not searched for garbage again, which took a sixth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name bytes by their length: raw ones, such as an archive with a time in it, would differ from process to process."""
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[Flask, Snapshot]]]:
    """Gives the application on a database by name, made and migrated once in this process."""
    made: dict[str, tuple[Flask, Snapshot]] = {}
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")

    def get(name: str) -> tuple[Flask, Snapshot]:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            url = f"sqlite:///{folder / 'test.db'}"
            if name == "postgresql":
                url = databases.fresh_database(f"preferences_test_{worker}_{os.getpid()}")
                databases.spare_the_disk(url)
            app = create_app(settings_environment(url), instance_path=folder)
            app.test_client_class = StrictClient
            share_compiled(app, tmp_path_factory)
            with app.app_context():
                prepare_database()
            made[name] = (app, Snapshot(app))
        return made[name]

    yield get
    for name, (app, snapshot) in made.items():
        snapshot.close()
        with app.app_context():
            app.extensions["sqlalchemy"].engine.dispose()
        if name == "postgresql":
            databases.drop_database(app.config["SQLALCHEMY_DATABASE_URI"].rpartition("/")[2])


@pytest.fixture(params=databases.names())
def app(request: pytest.FixtureRequest, service: Callable[[str], tuple[Flask, Snapshot]]) -> Iterator[Flask]:
    """The service on each database in turn, as it is right after `flask setup`."""
    app, snapshot = service(request.param)
    with app.app_context():
        snapshot.restore()
        limiter.reset()
        with transaction() as session:
            forget_catalogue(session)
        yield app


@pytest.fixture
def client(app: Flask) -> StrictClient:
    """A strict test client without cookies of its own."""
    client = app.test_client(use_cookies=False)
    assert isinstance(client, StrictClient)
    return client


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session to arrange and look with; every `commit()` is the test's own. Rolled back at the end."""
    with Session(app.extensions["sqlalchemy"].engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


@pytest.fixture
def now() -> datetime:
    """The moment of the test, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return Path(__file__).resolve().parent.parent
