"""The file of an import as a stream over its stored parts: decrypted piece by piece, counted and hashed on the way."""

from __future__ import annotations

import io
from collections.abc import Callable
from hashlib import sha256
from typing import BinaryIO, cast

PART_BYTES = 1024 * 1024

LoadPart = Callable[[int], bytes | None]
"""Gives the part with this number, from 1, or None after the last."""


class PartsStream(io.RawIOBase):
    """Reads parts one after another."""

    def __init__(self, load: LoadPart) -> None:
        super().__init__()
        self._load = load
        self._number = 1
        self._rest = memoryview(b"")
        self._hash = sha256()
        self.position = 0
        """Bytes handed out so far."""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer from the current part. 0 at the end."""
        if not self._rest:
            part = self._load(self._number)
            if part is None:
                return 0
            self._number += 1
            self._hash.update(part)
            self._rest = memoryview(part)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self.position += count
        return count

    @property
    def digest(self) -> bytes:
        """SHA-256 of everything loaded so far."""
        return self._hash.digest()


def buffered(stream: PartsStream) -> BinaryIO:
    """The stream as CSV reading wants it."""
    return cast("BinaryIO", io.BufferedReader(stream, PART_BYTES // 4))
