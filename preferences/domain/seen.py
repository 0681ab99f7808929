"""Which lines of an import were about whom: 16 bytes a line, so that a million lines cost megabytes, not hundreds."""

from __future__ import annotations

from array import array
from typing import NamedTuple

_MASK = 2**64 - 1
_MIX = 0x9E3779B97F4A7C15
_PURPOSE_BITS = 16


class Seen(NamedTuple):
    """An earlier line: its number, its purpose (0: no act), and whether its act was a stop."""

    line: int
    purpose_id: int
    is_stop: bool


class SeenLines:
    """Earlier lines by 64-bit key, in an open-addressing table. Keys are cut from keyed hashes, so nobody can aim at one.

    Lines of the batch at hand lie apart until `settle()`; `forget()` drops them when the batch has to be looked at again.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self._size = 1 << (2 * capacity - 1).bit_length()
        self._keys = array("Q", bytes(8 * self._size))
        self._values = array("Q", bytes(8 * self._size))
        self._count = 0
        self._pending: dict[int, int] = {}

    def get(self, index: bytes, purpose_id: int = 0) -> Seen | None:
        """The first line about this address (or external id), or the newest about this address and purpose."""
        key = _key(index, purpose_id)
        value = self._pending.get(key, 0) or self._values[self._slot(key)]
        if value == 0:
            return None
        return Seen(value >> (_PURPOSE_BITS + 1), (value >> 1) & (2**_PURPOSE_BITS - 1), bool(value & 1))

    def put(self, index: bytes, seen: Seen, purpose_id: int = 0) -> None:
        """Remember a line."""
        value = (seen.line << (_PURPOSE_BITS + 1)) | (seen.purpose_id << 1) | seen.is_stop
        self._pending[_key(index, purpose_id)] = value

    def forget(self) -> None:
        """Drop the lines of the batch at hand."""
        self._pending.clear()

    def settle(self) -> None:
        """Keep the lines of the batch at hand."""
        for key, value in self._pending.items():
            slot = self._slot(key)
            if self._values[slot] == 0:
                self._count += 1
            self._keys[slot] = key
            self._values[slot] = value
            if self._count * 3 > self._size * 2:
                self._grow()
        self._pending.clear()

    def _slot(self, key: int) -> int:
        mask = self._size - 1
        slot = key & mask
        keys, values = self._keys, self._values
        while values[slot] and keys[slot] != key:
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        old_keys, old_values = self._keys, self._values
        self._size *= 2
        self._keys = array("Q", bytes(8 * self._size))
        self._values = array("Q", bytes(8 * self._size))
        for key, value in zip(old_keys, old_values, strict=True):
            if value:
                slot = self._slot(key)
                self._keys[slot] = key
                self._values[slot] = value


def _key(index: bytes, purpose_id: int) -> int:
    key = int.from_bytes(index[:8], "big")
    return key if purpose_id == 0 else (key ^ (purpose_id * _MIX)) & _MASK
