"""The service behind a real socket, and a server that misbehaves as told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

import pytest
from flask import Flask
from werkzeug.serving import make_server


@pytest.fixture
def base_url(app: Flask) -> Iterator[str]:
    """The service, in a thread of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    with _running(server):
        yield f"http://127.0.0.1:{server.port}"


Told = tuple[int, dict[str, str], bytes]
"""An answer: status, headers and body. A Content-Length of one's own cuts it short."""


@dataclass
class Faulty:
    """Answers requests with what stands in `answers`, in turn, and keeps what came."""

    answers: list[Told] = field(default_factory=list)
    came: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def faulty() -> Iterator[Faulty]:
    """A server that answers as a test tells it."""
    told = Faulty()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            told.came.append((self.command, self.path, dict(self.headers), body))
            status, headers, answer = told.answers.pop(0)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)
            self.close_connection = True

        do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    with _running(server):
        yield told


@contextmanager
def _running(server: HTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
