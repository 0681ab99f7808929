"""Codes of an authenticator app: TOTP (RFC 6238) with SHA-1, six digits, 30 seconds: what every app can do."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import struct
import unicodedata
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
DRIFT = 1
"""So many steps before and after now are accepted: clocks differ (RFC 6238 §5.2)."""

_BETWEEN = re.compile(r"[\s\-\u2010-\u2013.]+")


def new_secret() -> str:
    """160 random bits in base32, as apps take them (RFC 4226 §4)."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def otpauth_uri(secret: str, *, account: str, issuer: str) -> str:
    """What the QR code holds."""
    label = quote(f"{issuer}:{account}", safe="")
    query = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"


def code_at(secret: str, step: int) -> str:
    """The code of one step (RFC 4226 §5.3)."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    start = digest[-1] & 0x0F
    number: int = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(moment: datetime) -> int:
    """The number of the 30 seconds that a moment lies in."""
    return int(moment.timestamp()) // STEP_SECONDS


def matching_step(secret: str, typed: str, *, now: datetime, after: int | None) -> int | None:
    """The step whose code was typed; None when it is none that counts now, or not after the last one that was used.

    Every candidate is compared, in constant time.
    """
    code = _BETWEEN.sub("", unicodedata.normalize("NFKC", typed[:100]))
    current, found = step_of(now), None
    for step in range(current - DRIFT, current + DRIFT + 1):
        is_right = hmac.compare_digest(code_at(secret, step).encode(), code.encode())
        if is_right and (after is None or step > after):
            found = step
    return found
