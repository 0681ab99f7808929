"""What DKIM signatures cover (RFC 6376), and whether the body is still the one that was signed.

The signature itself is not verified: that takes the public key from the DNS. The body hash needs nothing but the message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum
from functools import cache, partial

from .header_doctor_codes import Code, Finding
from .list_headers import LIST_UNSUBSCRIBE, LIST_UNSUBSCRIBE_POST
from .raw_message import Field, RawMessage

MOST_SIGNATURES = 10
_TAG = re.compile(r"[ \t]*([a-zA-Z][a-zA-Z0-9_]{0,20})[ \t]*=(.*)", re.ASCII | re.DOTALL)
_DOMAIN = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){1,10}", re.ASCII)
_SPACES = re.compile(rb"[ \t]+")
_WHITE = re.compile(r"\s+")


class Canon(StrEnum):
    """How a body is made alike before it is hashed (RFC 6376 §3.4.3, §3.4.4)."""

    SIMPLE = "simple"
    RELAXED = "relaxed"


@dataclass(frozen=True, slots=True)
class Signature:
    """The tags of one DKIM-Signature that matter here."""

    domain: str
    algorithm: str
    covers: frozenset[str]
    """Names of signed fields, in lower case."""
    body_hash: bytes
    canon: Canon
    is_limited: bool
    """Whether `l=` says that only the beginning of the body was signed."""

    @property
    def hash_name(self) -> str:
        """What its body was hashed with."""
        return "sha1" if self.algorithm == "rsa-sha1" else "sha256"


def dkim_findings(message: RawMessage) -> Iterator[Finding]:
    """What is wrong with the signatures, each named by its domain."""
    fields = message.named("dkim-signature")
    if not fields:
        yield Finding(Code.DKIM_MISSING if message.named("received") else Code.DKIM_NOT_YET)
        return
    signatures = [read_signature(field) for field in fields[:MOST_SIGNATURES]]
    usable = [one for one in signatures if one is not None]
    if len(usable) < len(signatures):
        yield Finding(Code.DKIM_MALFORMED)
    yield from _coverage(usable)
    digest = cache(partial(body_digest, message.body))
    for one in usable:
        yield from _soundness(one, digest)
    sender = _sender_domain(message)
    if usable and sender and not any(_aligned(one.domain, sender) for one in usable):
        yield Finding(Code.DKIM_NOT_ALIGNED, sender)
    yield Finding(Code.DKIM_SIGNATURE_NOT_CHECKED)


def read_signature(field: Field) -> Signature | None:
    """The signature, or None where a tag that it needs is missing or unreadable (RFC 6376 §3.5)."""
    tags: dict[str, str] = {}
    for text in field.value.split(";")[:50]:
        match = _TAG.fullmatch(text)
        if match:
            tags[match[1]] = _WHITE.sub("", match[2])
    domain = tags.get("d", "").lower()
    try:
        body_hash = base64.b64decode(tags.get("bh", ""), validate=True)
    except (binascii.Error, ValueError):
        return None
    if not tags.get("b") or not tags.get("h") or not _DOMAIN.fullmatch(domain) or not body_hash:
        return None
    return Signature(
        domain=domain,
        algorithm=tags.get("a", "").lower(),
        covers=frozenset(tags["h"].lower().split(":")),
        body_hash=body_hash,
        canon=Canon.RELAXED if tags.get("c", "").lower().endswith("/relaxed") else Canon.SIMPLE,
        is_limited="l" in tags,
    )


def body_digest(body: bytes, canon: Canon, hash_name: str) -> bytes:
    """The hash of a body in its canonical form."""
    lines = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if canon is Canon.RELAXED:
        lines = b"\r\n".join(_SPACES.sub(b" ", line).rstrip(b" ") for line in lines.split(b"\r\n"))
    end = len(lines)
    while lines.endswith(b"\r\n", 0, end):
        end -= 2
    kept = lines[:end] + (b"\r\n" if end or canon is Canon.SIMPLE else b"")
    return hashlib.new(hash_name, kept, usedforsecurity=False).digest()


def _coverage(signatures: list[Signature]) -> Iterator[Finding]:
    both = {LIST_UNSUBSCRIBE.lower(), LIST_UNSUBSCRIBE_POST.lower()}
    lacking = [one for one in signatures if not both <= one.covers]
    if len(lacking) < len(signatures):
        yield from (Finding(Code.DKIM_ONE_OMITS, one.domain) for one in lacking)
        return
    for one in lacking:
        if LIST_UNSUBSCRIBE.lower() not in one.covers:
            yield Finding(Code.DKIM_OMITS_UNSUBSCRIBE, one.domain)
        if LIST_UNSUBSCRIBE_POST.lower() not in one.covers:
            yield Finding(Code.DKIM_OMITS_POST, one.domain)


def _soundness(one: Signature, digest: Callable[..., bytes]) -> Iterator[Finding]:
    if one.is_limited:
        yield Finding(Code.DKIM_LENGTH_LIMITED, one.domain)
    elif digest(one.canon, one.hash_name) != one.body_hash:
        yield Finding(Code.DKIM_BODY_DIFFERS, one.domain)
    if one.algorithm not in {"rsa-sha256", "ed25519-sha256"}:
        yield Finding(Code.DKIM_WEAK, one.domain)


def _sender_domain(message: RawMessage) -> str:
    address = parseaddr(message.first("from")[:500])[1]
    domain = address.rpartition("@")[2].lower()
    return domain if _DOMAIN.fullmatch(domain) else ""


def _aligned(domain: str, sender: str) -> bool:
    """Relaxed alignment (RFC 7489 §3.1.1), without the list of public suffixes: one is the other or lies below it."""
    return domain == sender or domain.endswith(f".{sender}") or sender.endswith(f".{domain}")
