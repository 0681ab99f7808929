"""Requests as bytes on a socket: what a mail provider sends is not what a test client makes."""

from __future__ import annotations

import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


def send(port: int, data: bytes) -> Answer:
    """Send these bytes on a fresh connection, and read the answer until the server closes or the content is whole."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(data)
        received = b""
        while b"\r\n\r\n" not in received:
            received += _more(connection)
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        missing = int(headers.get("content-length", "0")) - len(body)
        while missing > 0 and not data.startswith(b"HEAD"):
            more = _more(connection)
            body, missing = body + more, missing - len(more)
    return Answer(int(first.split(" ")[1]), headers, body)


def request(
    method: str, path: str, body: bytes | None = None, *headers: str, host: str = "preferences.example"
) -> bytes:
    """The bytes of a request. `headers` are whole lines and stand in the order given, before Content-Length."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "Connection: close"]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def _more(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise ConnectionError("the server closed the connection")
    return received
