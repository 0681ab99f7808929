"""Signed links: what a token lets its bearer do, and how tokens are made and read (T11–T16).

A token is never stored. Everything it is used for is inside the signature, each capability has a salt of its own, and keys
run from oldest to newest: the newest signs, all verify.

URL form: `base64url(payload).base64url(mac)`, 51 characters: 21 bytes of payload, HMAC-SHA-256 cut to 128 bits.
Mail form: lower-case base32 of payload and a MAC of 80 bits (the least RFC 2104 §5 allows), 50 characters, so that
`unsubscribe+TOKEN` stays within the 64 of a local part and survives lower-casing (M10).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NewType

from itsdangerous import Signer
from itsdangerous.signer import HMACAlgorithm

from .errors import BadToken

Token = NewType("Token", str)
RecipientId = NewType("RecipientId", int)

MAX_TOKEN_CHARACTERS = 80
PREFERENCES_LAST = timedelta(days=396)
"""13 months; after that the page offers a fresh link and still lets the person stop everything."""
UNDO_LASTS = timedelta(minutes=15)

_EPOCH_START = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
_PAYLOAD = struct.Struct(">BQHHII")
_MAC_BYTES = 16
_MAIL_MAC_BYTES = 10
_MAIL_FORM = re.compile(r"[a-z2-7]{50}", re.ASCII)
_URL_FORM = re.compile(r"[A-Za-z0-9_-]{28}\.[A-Za-z0-9_-]{22}", re.ASCII)


class Capability(StrEnum):
    """Tiers of authority. `unsubscribe` only reduces and never expires; `preferences` sees the masked state and reduces
    anything; `confirm` turns on what was asked for, `sign_up` what a sign-up form asked for; `step_up` opens a short session;
    `undo` takes back one save, and `receipt` only shows what one did; `address_old` and `address_new` are how the two mailboxes
    answer to a change of address."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"
    SIGN_UP = "sign_up"
    STEP_UP = "step_up"
    UNDO = "undo"
    RECEIPT = "receipt"
    ADDRESS_OLD = "address_old"
    ADDRESS_NEW = "address_new"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. `reference` is the message it was sent in, or what a confirm or undo token is about; 0 is none."""

    capability: Capability
    recipient_id: RecipientId
    purpose_id: int
    epoch: int
    issued_at: datetime
    reference: int = 0


class _ShortHMAC(HMACAlgorithm):
    """HMAC-SHA-256 cut to its first 128 bits (RFC 2104 §5); itsdangerous compares it in constant time (T16)."""

    def get_signature(self, key: bytes, value: bytes) -> bytes:
        return hmac.digest(key, value, hashlib.sha256)[:_MAC_BYTES]


class _CachedSigner(Signer):
    """A Signer whose derived key is computed once: minting is the hot path of every newsletter."""

    def __init__(self, secret: bytes, salt: str) -> None:
        super().__init__(
            secret,
            salt=salt,
            key_derivation="hmac",
            digest_method=hashlib.sha256,
            algorithm=_ShortHMAC(hashlib.sha256),
        )
        self.derived = super().derive_key()

    def derive_key(self, secret_key: str | bytes | None = None) -> bytes:
        return self.derived


class LinkSigner:
    """Mints and opens tokens with a list of keys, oldest to newest. Holds configuration only; safe to share by threads."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("at least one link key is needed")
        self._signers = {
            capability: [(_key_id(key), _CachedSigner(key, f"preferences.link.{capability}")) for key in keys]
            for capability in Capability
        }

    def mint(self, claims: Claims) -> Token:
        """The URL form of a token, at most 80 characters of the alphabet `A-Za-z0-9_-.` (T15)."""
        one = self.minter(claims.capability, claims.purpose_id, issued_at=claims.issued_at, reference=claims.reference)
        return one(claims.recipient_id, claims.epoch)

    def minter(
        self, capability: Capability, purpose_id: int, *, issued_at: datetime, reference: int = 0
    ) -> Callable[[RecipientId, int], Token]:
        """A function of (recipient, link epoch) that mints one token of a batch: what is common is worked out once."""
        key_id, signer = self._signers[capability][-1]
        key, issued, pack = signer.derived, _seconds(issued_at), _PAYLOAD.pack
        reference &= 0xFFFFFFFF

        def mint_one(recipient_id: RecipientId, epoch: int) -> Token:
            payload = pack(key_id, recipient_id, purpose_id, epoch & 0xFFFF, issued, reference)
            value = urlsafe_b64encode(payload)
            mac = hmac.digest(key, value, "sha256")
            return Token((value + b"." + urlsafe_b64encode(mac[:_MAC_BYTES])[:22]).decode())

        return mint_one

    def open(self, token: str, capability: Capability) -> Claims:
        """The claims of a token of this capability. Raises BadToken for everything else, without saying why (M7).

        The MAC is compared in the one spelling we mint, so a changed last character is refused too.
        """
        if not _URL_FORM.fullmatch(token):
            raise BadToken
        value, mac = token[:28].encode(), token[29:].encode()
        payload = urlsafe_b64decode(value)
        for key_id, signer in self._signers[capability]:
            if key_id == payload[0] and hmac.compare_digest(signer.get_signature(value), mac):
                return _unpack(payload, capability)
        raise BadToken

    def mint_mail(self, claims: Claims) -> Token:
        """The form for a local part: 50 characters of lower-case base32 (M10)."""
        key_id, signer = self._signers[claims.capability][-1]
        payload = _pack(key_id, claims)
        return Token(_base32(payload + _mail_mac(signer, payload)))

    def open_mail(self, token: str, capability: Capability) -> Claims:
        """The claims of a token in its mail form; any case is accepted. Raises BadToken."""
        lowered = token.lower()
        if not _MAIL_FORM.fullmatch(lowered):
            raise BadToken
        raw = base64.b32decode(lowered.upper() + "======")
        payload, mac = raw[: _PAYLOAD.size], raw[_PAYLOAD.size :]
        for key_id, signer in self._signers[capability]:
            if (
                key_id == payload[0]
                and hmac.compare_digest(_mail_mac(signer, payload), mac)
                and _base32(raw) == lowered
            ):
                return _unpack(payload, capability)
        raise BadToken


def preferences_expired(claims: Claims, now: datetime) -> bool:
    """Whether a preferences link is older than 13 months."""
    return now - claims.issued_at > PREFERENCES_LAST


def _key_id(key: bytes) -> int:
    return hashlib.sha256(b"preferences.link.key-id" + key).digest()[0]


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp()) - _EPOCH_START


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _mail_mac(signer: _CachedSigner, payload: bytes) -> bytes:
    return hmac.digest(signer.derived, b"mail." + payload, "sha256")[:_MAIL_MAC_BYTES]


def _pack(key_id: int, claims: Claims) -> bytes:
    return _PAYLOAD.pack(
        key_id,
        claims.recipient_id,
        claims.purpose_id,
        claims.epoch & 0xFFFF,
        _seconds(claims.issued_at),
        claims.reference & 0xFFFFFFFF,
    )


def _unpack(payload: bytes, capability: Capability) -> Claims:
    _, recipient, purpose, epoch, issued, reference = _PAYLOAD.unpack(payload)
    return Claims(
        capability=capability,
        recipient_id=RecipientId(recipient),
        purpose_id=purpose,
        epoch=epoch,
        issued_at=datetime.fromtimestamp(issued + _EPOCH_START, tz=UTC),
        reference=reference,
    )
