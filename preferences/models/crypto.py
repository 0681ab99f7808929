"""Personal data at rest: AES-256-GCM columns with key ids, and keyed blind indexes to find them (GDPR 25, 32; L14).

A stored value is `version (1) | key id (4) | nonce (12) | ciphertext and tag`; table and column are authenticated with it,
so a value copied into another column does not open. Keys run oldest to newest: the newest encrypts, all decrypt.
The blind index is HMAC-SHA-256 cut to 128 bits. Its key is never rotated: suppressions of erased people hang on it (T22).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NewType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

from preferences.domain.address import NormalAddress

BlindIndex = NewType("BlindIndex", bytes)

_VERSION = b"\x01"
_HEAD = 1 + 4
_NONCE = 12
_TAG = 16
_SHORTEST = _HEAD + _NONCE + _TAG


class UnreadableValue(Exception):
    """A stored value that no key opens: a key is missing from DATA_KEYS, or the value was changed."""


class Keyring:
    """The keys of one installation: data keys oldest to newest, and the key of the blind indexes (32 bytes each)."""

    def __init__(self, data_keys: Sequence[bytes], index_key: bytes) -> None:
        if not data_keys or any(len(key) != 32 for key in data_keys) or len(index_key) != 32:
            raise ValueError("data keys and the index key are 32 bytes each")
        self._ciphers = {_key_id(key): AESGCM(key) for key in data_keys}
        self.newest_key_id = _key_id(data_keys[-1])
        self._newest = self._ciphers[self.newest_key_id]
        self._head = _VERSION + self.newest_key_id
        self._address, self._domain, self._external_id = (
            _Mac(hmac.digest(index_key, b"preferences.index." + what, "sha256"))
            for what in (b"address", b"domain", b"external_id")
        )
        self._counted = _Mac(hmac.digest(index_key, b"preferences.index.counted", "sha256"))
        self._code_key = hmac.digest(index_key, b"preferences.step-up.code", "sha256")

    def encrypt(self, plain: bytes, where: bytes) -> bytes:
        """Encrypt for one place (`table.column`)."""
        nonce = os.urandom(_NONCE)
        return self._head + nonce + self._newest.encrypt(nonce, plain, where)

    def encrypter(self, most: int) -> Callable[[bytes, bytes], bytes]:
        """`encrypt` for at most this many values in a row: their nonces are drawn at once. Never kept beyond one batch."""
        drawn = os.urandom(_NONCE * most)
        next_nonce = [drawn[start : start + _NONCE] for start in range(0, len(drawn), _NONCE)].pop
        head, seal = self._head, self._newest.encrypt

        def encrypt(plain: bytes, where: bytes) -> bytes:
            nonce = next_nonce()
            return head + nonce + seal(nonce, plain, where)

        return encrypt

    def decrypt(self, stored: bytes, where: bytes) -> bytes:
        """The plain value. Raises UnreadableValue."""
        if len(stored) < _SHORTEST:
            raise UnreadableValue(f"a value in {where.decode()} was cut")
        cipher = self._ciphers.get(stored[1:_HEAD]) if stored[:1] == _VERSION else None
        if cipher is None:
            raise UnreadableValue(f"no key for a value in {where.decode()}")
        try:
            return cipher.decrypt(stored[_HEAD : _HEAD + _NONCE], stored[_HEAD + _NONCE :], where)
        except InvalidTag as error:
            raise UnreadableValue(f"a value in {where.decode()} was changed") from error

    @property
    def newest_head(self) -> bytes:
        """The first bytes of every value that the newest key encrypted: rotation skips those."""
        return self._head

    def address_index(self, normal: NormalAddress) -> BlindIndex:
        """Finds a recipient or a suppression by exact address."""
        return BlindIndex(self._address.digest(normal.encode())[:16])

    def domain_index(self, domain: str) -> BlindIndex:
        """Finds recipients by the domain of their address."""
        return BlindIndex(self._domain.digest(domain.encode())[:16])

    def external_index(self, external_id: str) -> BlindIndex:
        """Finds a recipient by the id another system gave it."""
        return BlindIndex(self._external_id.digest(external_id.encode())[:16])

    def counted_index(self, subject: str) -> BlindIndex:
        """What attempts are counted by: an account or a client, which cannot be read back from it."""
        return BlindIndex(self._counted.digest(subject.encode())[:16])

    def code_digest(self, recipient_id: int, code: str) -> bytes:
        """What is stored of a short code: without the key, a million guesses at its six digits find nothing."""
        return hmac.digest(self._code_key, f"{recipient_id}:{code}".encode(), "sha256")


class _Mac:
    """HMAC-SHA-256 (RFC 2104) under one key, with the key's two blocks hashed once: a third of the time for a short text."""

    def __init__(self, key: bytes) -> None:
        block = key.ljust(64, b"\x00")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def digest(self, text: bytes) -> bytes:
        """The 32 bytes of hmac.digest(key, text, "sha256")."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.digest()


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"preferences.data.key-id" + key).digest()[:4]


_keyring: Keyring | None = None


def use_keyring(keyring: Keyring) -> None:
    """Set the keys that encrypted columns of this process use; called once by create_app()."""
    global _keyring
    _keyring = keyring


def keyring() -> Keyring:
    """The keys in use. Raises RuntimeError before create_app() has set them."""
    if _keyring is None:
        raise RuntimeError("no keyring is set: encrypted columns need create_app()")
    return _keyring


class EncryptedText(TypeDecorator[str]):
    """A text column encrypted at rest. `where` is `table.column`."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else keyring().encrypt(value.encode(), self.where.encode())

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else keyring().decrypt(bytes(value), self.where.encode()).decode()


class EncryptedJson(TypeDecorator[Mapping[str, Any]]):
    """A JSON object encrypted at rest. `where` is `table.column`."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        plain = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return keyring().encrypt(plain.encode(), self.where.encode())

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Mapping[str, Any] | None:
        if value is None:
            return None
        found: Mapping[str, Any] = json.loads(keyring().decrypt(bytes(value), self.where.encode()))
        return found


class SealedBytes(TypeDecorator[bytes]):
    """Bytes that were encrypted before they came here, each for its own row: `where` and the primary key, joined by colons.

    The type changes nothing; it tells the rotation of keys what the values are bound to.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where


def where_in_row(where: str, key: Sequence[Any]) -> bytes:
    """What a value of a SealedBytes column is bound to."""
    return ":".join([where, *(str(part) for part in key)]).encode()


ENCRYPTED = (EncryptedText, EncryptedJson, SealedBytes)
"""The column types whose values the data keys encrypt."""
