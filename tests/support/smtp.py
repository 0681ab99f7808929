"""SMTP servers to send to: a real one (aiosmtpd) that keeps raw bytes, and ones that misbehave at a chosen moment."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Kept:
    """What a server was given."""

    messages: list[bytes] = field(default_factory=list)
    senders: list[str | None] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    options: list[list[str]] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    """`RCPT` or `DATA` to the reply to give instead of accepting; None accepts."""

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        self.options.append(options)
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "RCPT" in self.replies:
            return self.replies["RCPT"].replace("ADDRESS", address)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" in self.replies:
            return self.replies["DATA"]
        self.messages.append(envelope.original_content or b"")
        self.senders.append(envelope.mail_from)
        self.recipients.append(envelope.rcpt_tos)
        return "250 2.0.0 accepted"


@contextmanager
def smtp_server(
    kept: Kept | None = None, *, tls: ssl.SSLContext | None = None, **options: Any
) -> Iterator[tuple[int, Kept]]:
    """A real server on a free port. `tls` offers STARTTLS and requires it. Yields the port and what it was given."""
    kept = kept or Kept()
    settings = {"tls_context": tls, "require_starttls": tls is not None, "enable_SMTPUTF8": True, **options}
    loop = asyncio.new_event_loop()
    # The loop runs in its own thread from beginning to end: a browser's test may hold one in this thread.
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(
        loop.create_server(lambda: SMTP(kept, hostname="mx.example", loop=loop, **settings), "127.0.0.1", 0), loop
    ).result(10)
    try:
        yield int(server.sockets[0].getsockname()[1]), kept
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(_end_conversations(loop), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end_conversations(loop: asyncio.AbstractEventLoop) -> None:
    """Let every conversation notice that it is over, so that nothing is left behind."""
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks(loop) if task is not mine]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0.01)


@contextmanager
def broken_server(at: str, *, hang: bool, reached: threading.Event | None = None) -> Iterator[int]:
    """A server that speaks until it has received a command that starts with `at` (`greeting`: not even that).

    Then it says nothing more (`hang`), or drops the line. `.` is the end of the message's content.
    `reached` is set at that moment.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)
    over = threading.Event()

    def serve() -> None:
        try:
            line, _ = listener.accept()
        except (TimeoutError, OSError):
            return
        with line, line.makefile("rb") as commands:
            if at != "greeting":
                line.sendall(b"220 broken.example\r\n")
                _answer(line, commands, at)
            if reached is not None:
                reached.set()
            if hang:
                over.wait(10)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        listener.close()
        thread.join()


def _answer(line: socket.socket, commands: Any, at: str) -> None:
    in_data = False
    for raw in commands:
        command = raw.decode("latin-1").strip()
        if (command == "." and at == ".") or (not in_data and at != "." and command.upper().startswith(at)):
            return
        if in_data:
            if command == ".":
                in_data = False
                line.sendall(b"250 OK\r\n")
        elif command.upper() == "DATA":
            in_data = True
            line.sendall(b"354 go on\r\n")
        else:
            line.sendall(b"250 OK\r\n")


def self_signed(folder: Path, host: str = "127.0.0.1") -> ssl.SSLContext:
    """A server context with a certificate that nobody has reason to trust; `folder/cert.pem` for whoever wants to."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context
