"""Whether the public address leads to this very installation: what a call of it can show, and the proof that we answered."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_NONCE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class AddressCode(StrEnum):
    """What came of the call."""

    OURS = "ours"
    NO_NAME = "no_name"
    """The name leads nowhere (DNS)."""
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NAME = "certificate_name"
    """The certificate is for another name."""
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    REDIRECT = "redirect"
    """M3: one-click must be answered where it is sent."""
    FAULT = "fault"
    """Whoever stands in front answers that nobody behind it does."""
    SOMEBODY_ELSE = "somebody_else"


@dataclass(frozen=True, slots=True)
class AddressFound:
    """What a call found."""

    code: AddressCode
    status: int | None = None
    certificate_ends_at: datetime | None = None
    leads_to: str = ""
    is_private: bool | None = None


def is_nonce(text: str) -> bool:
    """Whether this can be asked for a proof."""
    return _NONCE.fullmatch(text) is not None


def proof(key: bytes, nonce: str) -> str:
    """What only an installation that holds this key can answer to a nonce. It serves nothing else (T14)."""
    return hmac.new(key, b"preferences.own-address\0" + nonce.encode(), hashlib.sha256).hexdigest()


def is_proof(keys: Sequence[bytes], nonce: str, answer: str) -> bool:
    """Whether the answer was made with one of the keys: web and worker may be restarted apart when one is added."""
    return any(hmac.compare_digest(proof(key, nonce).encode(), answer.strip().encode()) for key in keys)
