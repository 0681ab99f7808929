"""Nothing that is logged holds a token, an address or the words of an exception, whichever server runs the service."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from preferences.domain.capability import Capability
from preferences.models.transaction import reading
from preferences.web.access import Access, access
from tests.conftest import settings_environment
from tests.factories import link, make_key, make_recipient, purpose
from tests.support.client import StrictClient
from tests.support.logs import log_lines
from tests.support.server import free_port

SERVERS = {
    "flask run": ["flask", "--app", "app", "run", "--port"],
    "granian": ["granian", "--interface", "wsgi", "--factory", "app:create_app", "--log-level", "debug", "--port"],
}


def test_an_unexpected_error_is_logged_by_kind_and_place_without_its_words(
    app: Flask, client: StrictClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = link(make_recipient(session), purpose(session, "marketing"))

    def fails(token: str) -> str:
        try:
            raise KeyError(token)
        except KeyError as error:
            raise ValueError(f"anna@example.se has {token}") from error

    monkeypatch.setitem(app.view_functions, "recipient.unsubscribe_link", access(Access.TOKEN)(fails))
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    with log_lines() as logged:
        assert client.get(f"/u/{token}").status_code == 500
    (event,) = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert (event["event"], event["endpoint"], event["kind"]) == (
        "unexpected_error",
        "recipient.unsubscribe_link",
        "ValueError",
    )
    assert [one.split(" < ")[0] for one in event["exception"]] == ["builtins.KeyError", "builtins.ValueError"]
    assert "test_logs.py:" in event["exception"][1]
    assert token not in logged.getvalue()
    assert "anna@" not in logged.getvalue()


def test_errors_of_the_database_do_not_repeat_what_was_to_be_stored(app: Flask) -> None:
    with reading() as session, pytest.raises(Exception) as raised:
        session.execute(text("SELECT :address FROM nowhere"), {"address": "anna@example.se"})
    assert "anna@" not in str(raised.value)


@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
def test_no_token_key_or_address_reaches_the_output_of_a_server(
    service_on_sqlite: Flask, session: Session, tmp_path: Path, root: Path, server: str
) -> None:
    app, anna = service_on_sqlite, make_recipient(session, "hemlig@example.se")
    tokens = [link(anna, purpose(session, "marketing"), capability) for capability in Capability]
    key, port = make_key(session), free_port()
    environ = settings_environment(
        app.config["SQLALCHEMY_DATABASE_URI"], INSTANCE_PATH=app.instance_path, LOG_LEVEL="debug"
    )
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *SERVERS[server], str(port)],
            cwd=root,
            env={**os.environ, **environ},
            stdout=output,
            stderr=output,
        )
        try:
            wait_for(port, process)
            for token in tokens:
                ask_in_every_way(port, token, key)
        finally:
            process.terminate()
            process.wait(10)
    written = (tmp_path / "output").read_text()
    assert "unsubscribe_post_ignored" in written, "what the service has to say is there"
    assert "link_requested" in written
    for secret in (*tokens, key, key.rpartition("_")[2], "hemlig"):
        assert secret not in written
        assert secret[:20] not in written or secret == "hemlig"


@pytest.fixture
def service_on_sqlite(app: Flask) -> Flask:
    """Servers do not log differently on PostgreSQL."""
    if app.extensions["sqlalchemy"].engine.dialect.name != "sqlite":
        pytest.skip("the same on both databases")
    return app


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"{process.args!r} does not answer")


def ask_in_every_way(port: int, token: str, key: str) -> None:
    """Requests that fit, that do not fit, and that are not HTTP at all."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    bearer = {"Authorization": f"Bearer {key}"}
    for method, path, body, headers in (
        ("GET", f"/u/{token}", "", {}),
        ("HEAD", f"/u/{token}", "", {}),
        ("POST", f"/u/{token}", "", {}),
        ("POST", f"/u/{token}", "List-Unsubscribe=One-Click", form),
        ("DELETE", f"/u/{token}", "", {}),
        ("GET", f"/p/{token}?x={token}", "", {"Referer": f"https://preferences.example/p/{token}"}),
        ("POST", f"/p/{token}", f"undo={token}", form),
        ("GET", f"/c/{token}", "", {}),
        ("GET", f"/s/{token}", "", {}),
        ("GET", f"/nowhere/{token}", "", {}),
        ("POST", "/", "address=hemlig%40example.se", form),
        ("POST", "/api/v1/eligibility", '{"purpose": "hemlig@example.se"}', bearer),
        ("GET", f"/api/v1/recipients/{token}", "", {**bearer, "Cookie": f"x={token}"}),
    ):
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        with contextlib.closing(connection), contextlib.suppress(HTTPException):
            connection.request(method, path, body, headers)
            connection.getresponse().read()
    for raw in (
        f"GET /u/{token}\r\n\r\n",
        f"/u/{token} /u/{token} HTTP/9.9 x\r\n\r\n",
        f"POST /u/{token} HTTP/1.1\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port), 5) as line, contextlib.suppress(OSError):
            line.sendall(raw.encode())
            line.shutdown(socket.SHUT_WR)
            line.recv(1000)
