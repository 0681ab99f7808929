"""A fast endpoint: asyncio, 204 to everything, and when which recipient was told of."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import Iterator

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_RECIPIENT = re.compile(rb'"recipient":"([0-9a-z]{13})"')


class Told:
    """What was received: how many, and the moment (perf_counter) of each, by recipient."""

    def __init__(self) -> None:
        self.port = 0
        self.count = 0
        self.first = self.last = 0.0
        self.at: dict[str, float] = {}


@contextlib.contextmanager
def fast_endpoint() -> Iterator[Told]:
    """An endpoint in a thread of this process."""
    told, loop, ready = Told(), asyncio.new_event_loop(), threading.Event()

    class Endpoint(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport, self.waiting = transport, b""

        def data_received(self, data: bytes) -> None:
            self.waiting += data
            while True:
                end = self.waiting.find(b"\r\n\r\n")
                if end < 0:
                    return
                found = _LENGTH.search(self.waiting, 0, end)
                whole = end + 4 + (int(found[1]) if found else 0)
                if len(self.waiting) < whole:
                    return
                message, self.waiting = self.waiting[:whole], self.waiting[whole:]
                self.keep(message)
                self.transport.write(_ANSWER)  # type: ignore[attr-defined]

        def keep(self, message: bytes) -> None:
            now = time.perf_counter()
            told.first = told.first or now
            told.last = now
            told.count += 1
            who = _RECIPIENT.search(message)
            if who is not None:
                told.at[who[1].decode()] = now

    async def listen() -> None:
        server = await loop.create_server(Endpoint, "127.0.0.1", 0)
        told.port = server.sockets[0].getsockname()[1]
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(listen())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    yield told
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
