"""What a seal is made of: the bytes of a ledger entry and of a notice text, and the signed head over all sealed entries.

Everything is canonical JSON (RFC 8785) of strings, whole numbers, booleans and null, so that anybody can make the same bytes.
docs/seals.md describes each field. A format is never changed, only followed by the next number: old seals stay checkable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from .merkle import hash_leaf

ENTRY_FORMAT = "ledger-entry/1"
NOTICE_FORMAT = "notice-text/1"
HEAD_FORMAT = "ledger-head/1"
PROOF_FORMAT = "ledger-proof/1"

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_encode_by_lines = json.JSONEncoder(ensure_ascii=False, separators=(",\n", ": ")).encode


def canonical(value: Mapping[str, Any]) -> bytes:
    """RFC 8785 of an object whose keys are ASCII and whose values hold no fractions."""
    return _encode(value).encode()


def as_file(value: Mapping[str, Any]) -> bytes:
    """A proof, a receipt or a head to take along: a line for each value. Indented, it would take ten times as long to write."""
    return _encode_by_lines(value).encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedText:
    """A notice as it was shown: one version in one language."""

    purpose_key: str
    number: int
    lawful_basis: str
    customer_exception: bool
    published_at: datetime
    locale: str
    title: str
    what: str
    why: str
    who: str
    how_long: str

    def as_json(self) -> dict[str, Any]:
        """The fields that are hashed."""
        return {
            "format": NOTICE_FORMAT,
            "purpose": self.purpose_key,
            "version": self.number,
            "lawful_basis": self.lawful_basis,
            "customer_exception": self.customer_exception,
            "published_at": moment_text(self.published_at),
            "locale": self.locale,
            "title": self.title,
            "what": self.what,
            "why": self.why,
            "who": self.who,
            "how_long": self.how_long,
        }

    @property
    def digest(self) -> bytes:
        """What an entry holds of it."""
        return sha256(canonical(self.as_json())).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEntry:
    """A ledger entry as it is sealed: every column, the purpose's key, and digests of the notice text and the evidence."""

    entry: int
    recipient: str
    """The recipient's random id as the API writes it."""
    purpose_id: int
    purpose: str
    training: int
    act: str
    basis: str | None
    method: str
    actor: str
    actor_id: int | None
    notice_version: int | None
    notice_digest: bytes | None
    locale: str | None
    occurred_at: datetime
    recorded_at: datetime
    paused_until: datetime | None
    reference: int | None
    evidence_digest: bytes | None

    def as_json(self) -> dict[str, Any]:
        """The fields that are hashed."""
        return {
            "format": ENTRY_FORMAT,
            "entry": self.entry,
            "recipient": self.recipient,
            "purpose_id": self.purpose_id,
            "purpose": self.purpose,
            "training": self.training,
            "act": self.act,
            "basis": self.basis,
            "method": self.method,
            "actor": self.actor,
            "actor_id": self.actor_id,
            "notice_version": self.notice_version,
            "notice_digest": _hex(self.notice_digest),
            "locale": self.locale,
            "occurred_at": moment_text(self.occurred_at),
            "recorded_at": moment_text(self.recorded_at),
            "paused_until": None if self.paused_until is None else moment_text(self.paused_until),
            "reference": self.reference,
            "evidence_digest": _hex(self.evidence_digest),
        }

    @property
    def leaf(self) -> bytes:
        """Its place in the tree."""
        return hash_leaf(canonical(self.as_json()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A statement about the whole ledger at one moment, which a signature makes binding."""

    number: int
    """1, 2, 3 …"""
    tree_size: int
    """How many entries it covers."""
    root: bytes
    previous: bytes | None
    """The digest of the head before; None for the first."""
    sealed_at: datetime
    public_key: bytes
    """The Ed25519 key (32 bytes) that signs it."""

    def as_json(self) -> dict[str, Any]:
        """The fields that are signed."""
        return {
            "format": HEAD_FORMAT,
            "number": self.number,
            "tree_size": self.tree_size,
            "root": self.root.hex(),
            "previous": _hex(self.previous),
            "sealed_at": moment_text(self.sealed_at),
            "public_key": self.public_key.hex(),
        }

    @property
    def statement(self) -> bytes:
        """The bytes that are signed."""
        return canonical(self.as_json())

    @property
    def digest(self) -> bytes:
        """What the next head names this one by."""
        return sha256(self.statement).digest()


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head with its signature, and that of the key before where the key has just been changed."""

    head: Head
    signature: bytes
    endorsement: bytes | None

    def as_json(self) -> dict[str, Any]:
        """What is published."""
        return {
            "head": self.head.as_json(),
            "signature": self.signature.hex(),
            "endorsement": _hex(self.endorsement),
        }


def read_head(published: Any) -> SignedHead:
    """A head from the JSON that was published. Raises ValueError where it is none."""
    try:
        stated = published["head"]
        if stated["format"] != HEAD_FORMAT:
            raise ValueError("another format")
        head = Head(
            number=int(stated["number"]),
            tree_size=int(stated["tree_size"]),
            root=bytes.fromhex(stated["root"]),
            previous=None if stated["previous"] is None else bytes.fromhex(stated["previous"]),
            sealed_at=datetime.fromisoformat(stated["sealed_at"]),
            public_key=bytes.fromhex(stated["public_key"]),
        )
        endorsement = published.get("endorsement")
        signed = SignedHead(
            head, bytes.fromhex(published["signature"]), None if endorsement is None else bytes.fromhex(endorsement)
        )
        if head.as_json() != stated:
            raise ValueError("not in its canonical form")
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise ValueError(f"not a published head: {error}") from error
    return signed


def moment_text(moment: datetime) -> str:
    """A moment in RFC 3339: UTC, always with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()
