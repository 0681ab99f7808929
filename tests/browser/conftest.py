"""A real server and Debian's Chromium for journeys. Left out where there is no Chromium, unless it is required."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from app import create_app
from preferences.cli.setup import prepare_database
from preferences.models.transaction import transaction
from preferences.queries.purposes.purposes import forget_catalogue
from tests.conftest import settings_environment
from tests.support.snapshot import Snapshot
from tests.support.templates import share_compiled

from .looking import PICTURES, WINDOWS, Looker

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@runtime_checkable
class Closeable(Protocol):
    """What a server has to close after it was read (PEP 3333)."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Live:
    """A running service: its application, and the address it answers at."""

    app: Flask
    url: str


def _read_whole(app: WSGIApplication) -> WSGIApplication:
    """Files are read and closed before the first byte goes out: Werkzeug's server leaves them open when a browser hangs up."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        answered = app(environ, start_response)
        try:
            return list(answered)
        finally:
            if isinstance(answered, Closeable):
                answered.close()

    return answer


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser; walks that look at pages are in both languages with `make e2e`."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
    if PICTURES:
        return
    left_out = _in_the_other_language([one for one in items if "looker" in getattr(one, "fixturenames", ())])
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _in_the_other_language(journeys: list[pytest.Item]) -> list[pytest.Item]:
    """Of walks that there are in both languages one each, as each takes many seconds: Swedish and English by turns."""
    pairs: dict[str, list[pytest.Item]] = {}
    for journey in journeys:
        pairs.setdefault(journey.nodeid.partition("[")[0], []).append(journey)
    both = [pair for pair in pairs.values() if len(pair) == len(WINDOWS)]
    return [pair[turn % 2] for turn, pair in enumerate(both)]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for the whole run. Where the one without windows is installed, that: windows cost as much as the pages."""
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        if "chromium" in os.environ.get("PREFERENCES_TEST_REQUIRE", ""):
            pytest.fail("Chromium is required (PREFERENCES_TEST_REQUIRE) and there is none")
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, Snapshot]]:
    """The service on SQLite behind a socket, started once."""
    folder = tmp_path_factory.mktemp("browser")
    environment = settings_environment(f"sqlite:///{folder / 'browser.db'}", BASE_URL="http://127.0.0.1")
    app = create_app(environment, instance_path=folder)
    share_compiled(app, tmp_path_factory)
    with app.app_context():
        prepare_database()
    server = make_server("127.0.0.1", 0, _read_whole(app), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Live(app, f"http://127.0.0.1:{server.server_port}"), Snapshot(app)
    server.shutdown()
    thread.join()
    server.server_close()
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()


@pytest.fixture
def live(running: tuple[Live, Snapshot]) -> Iterator[Live]:
    """The running service with a fresh database, inside its application context."""
    service, snapshot = running
    with service.app.app_context():
        snapshot.restore()
        with transaction() as session:
            forget_catalogue(session)
        yield service


@pytest.fixture
def session(live: Live) -> Iterator[Session]:
    """A session on the running service's database."""
    with Session(live.app.extensions["sqlalchemy"].engine, expire_on_commit=False) as session:
        yield session
        session.rollback()


@pytest.fixture
def open_page(chromium: Browser, live: Live) -> Iterator[Callable[..., Page]]:
    """Opens a path in a fresh window: width in px, light or dark, language, with or without JavaScript."""
    contexts: list[BrowserContext] = []

    def open_one(
        path: str, *, width: int = 1280, scheme: str = "light", locale: str = "sv-SE", javascript: bool = True
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 640 if width < 600 else 900},
            color_scheme="dark" if scheme == "dark" else "light",
            locale=locale,
            java_script_enabled=javascript,
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.goto(live.url + path)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture(params=WINDOWS)
def looker(request: pytest.FixtureRequest, chromium: Browser, live: Live, root: Path) -> Iterator[Looker]:
    """A window in each language in turn."""
    folder = root / "screenshots"
    folder.mkdir(exist_ok=True)
    context: BrowserContext = chromium.new_context(locale="sv-SE" if request.param == "sv" else "en-GB")
    context.set_default_timeout(10_000)
    looker = Looker(context.new_page(), live.url, request.param, folder)
    yield looker
    context.close()
    assert looker.findings == []
