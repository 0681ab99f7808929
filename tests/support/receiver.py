"""A mailer's endpoint: a real HTTP server on this machine that keeps what it is sent and answers as it is told."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Message:
    """One message received."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """What was received, and what is answered: by default 204."""

    port: int = 0
    scheme: str = "http"
    messages: list[Message] = field(default_factory=list)
    connections: int = 0
    answers: list[Answer] = field(default_factory=list)
    """Given in turn; then `answer` for ever."""
    answer: Answer = (204, {}, b"")
    page: Callable[[str], Answer] | None = None
    """What a GET of a path answers."""
    before: Callable[[Message, Any], object] | None = None
    """Called with the message and the server's socket file before anything is answered."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    @property
    def events(self) -> list[int]:
        return [one.body["data"]["id"] for one in self.messages]


@contextmanager
def receiving(certificate: tuple[str, str] | None = None) -> Iterator[Receiver]:
    """A receiver that runs; over TLS with this certificate and key."""
    receiver = Receiver(scheme="https" if certificate else "http")
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            receiver.connections += 1

        def do_GET(self) -> None:
            assert receiver.page is not None
            status, headers, body = receiver.page(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            if len(raw) < int(self.headers["Content-Length"]):
                self.close_connection = True  # its sender died in the middle
                return
            message = Message(self.path, {name.lower(): value for name, value in self.headers.items()}, raw)
            with lock:
                receiver.messages.append(message)
                status, headers, body = receiver.answers.pop(0) if receiver.answers else receiver.answer
            try:
                if receiver.before is not None:
                    receiver.before(message, self.wfile)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_request(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
