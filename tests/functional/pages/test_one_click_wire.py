"""One-click with real bytes on a real socket: every encoding of RFC 8058, and what only looks like it (M2, M3, M6)."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from preferences.domain.acts import Act, Method
from preferences.domain.capability import Token
from tests.conftest import settings_environment
from tests.factories import link, make_recipient, purpose
from tests.support.one_click_bodies import ACCEPTED, IGNORED, PAIR, URLENCODED, Sent
from tests.support.server import Server, serving
from tests.support.visits import entries
from tests.support.wire import Answer, request, send


@pytest.fixture
def port(app: Flask) -> Iterator[int]:
    """The service behind a real socket, in a thread."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def granian(app: Flask) -> Iterator[Server]:
    """The service behind the server it ships with, as a process of its own."""
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    with serving({**settings_environment(url), "PREFERENCES_INSTANCE_PATH": app.instance_path}) as server:
        yield server


@pytest.fixture
def token(session: Session) -> Token:
    """The link of a recipient of marketing mail."""
    return link(make_recipient(session), purpose(session, "marketing"))


def post(port: int, token: str, sent: Sent) -> Answer:
    return send(port, request("POST", f"/u/{token}", sent.body, *sent.headers))


def check_accepted(port: int, session: Session) -> None:
    for number, (name, sent) in enumerate(ACCEPTED.items(), 1):
        token = link(make_recipient(session, f"a{number}@example.se"), purpose(session, "marketing"))
        answer = post(port, token, sent)
        assert (answer.status, answer.headers.get("location"), answer.headers.get("set-cookie")) == (200, None, None), (
            name
        )
        ledger = entries(session)
        assert len(ledger) == number, name
        assert (ledger[-1].act, ledger[-1].method) == (Act.WITHDRAWN, Method.ONE_CLICK), name
        assert (ledger[-1].notice_version_id, ledger[-1].locale) == (None, None), "nothing of ours was shown"


def check_ignored(port: int, session: Session, token: str) -> None:
    for name, sent in IGNORED.items():
        answer = post(port, token, sent)
        assert (answer.status, b'name="confirm" value="1"' in answer.body) == (200, True), name
        assert entries(session) == [], name


def test_every_encoding_of_the_pair_acts(port: int, session: Session) -> None:
    check_accepted(port, session)


def test_any_other_body_shows_the_confirm_page_and_changes_nothing(port: int, session: Session, token: Token) -> None:
    check_ignored(port, session, token)


def test_the_server_we_ship_reads_the_same_bytes(granian: Server, session: Session, token: Token) -> None:
    check_ignored(granian.port, session, token)
    check_accepted(granian.port, session)


def test_bodies_without_a_length_are_read_as_far_as_they_may_be(
    granian: Server, session: Session, token: Token
) -> None:
    head = f"POST /u/{token} HTTP/1.1\r\nHost: x\r\n{URLENCODED}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    endless = (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 20 + b"0\r\n\r\n"
    assert send(granian.port, head.encode() + endless).status == 200
    assert send(granian.port, request("HEAD", f"/u/{token}")).status == 200
    assert entries(session) == []
    assert send(granian.port, head.encode() + b"5\r\nList-\r\n15\r\nUnsubscribe=One-Click\r\n0\r\n\r\n").status == 200
    assert [entry.method for entry in entries(session)] == [Method.ONE_CLICK]


def test_a_link_that_was_touched_on_its_way_acts_without_a_redirect(port: int, session: Session) -> None:
    for number, path in enumerate(["/u/{}/", "/u//{}", "/u/{}?lang=sv", "/u/{}?utm_source=a%00b", "/u/%2F{}"], 1):
        token = link(make_recipient(session, f"a{number}@example.se"), purpose(session, "marketing"))
        answer = send(port, request("POST", path.format(token), PAIR, URLENCODED))
        assert (answer.status, answer.headers.get("location")) == (200, None), path
        assert len(entries(session)) == number, path


def test_no_host_or_scheme_is_redirected(port: int, session: Session) -> None:
    for number, host in enumerate(["other.example", "preferences.example:80", "[::1]", "xn--bcher-kva.example"], 1):
        token = link(make_recipient(session, f"a{number}@example.se"), purpose(session, "marketing"))
        answer = send(port, request("POST", f"/u/{token}", PAIR, URLENCODED, "X-Forwarded-Proto: http", host=host))
        assert (answer.status, answer.headers.get("location")) == (200, None), host
        assert len(entries(session)) == number, host
