"""Keys of the tests' own, and what every way of signing needs."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import Signed

JSON = {"Content-Type": "application/json"}
PASSWORD = "p4ssw0rd-of-the-hook"
TOKEN = "t0ken-of-the-hook"


def encoded(payload: Any) -> bytes:
    """JSON as providers write it."""
    return json.dumps(payload, separators=(",", ":")).encode()


def with_password(payload: Any, now: datetime) -> Signed:
    """Basic authentication."""
    credentials = base64.b64encode(f"hook:{PASSWORD}".encode()).decode()
    return Signed(encoded(payload), {**JSON, "Authorization": f"Basic {credentials}"})


def seconds(now: datetime) -> str:
    """Seconds since 1970."""
    return str(int(now.timestamp()))


@cache
def elliptic_key() -> ec.EllipticCurvePrivateKey:
    """The key that signs for SendGrid."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """The key that signs for Amazon and Postal."""
    return rsa.generate_private_key(65537, 2048)


def public_der(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """The public key as providers show it."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def with_token(payload: Any, now: datetime) -> Signed:
    """A bearer token."""
    return Signed(encoded(payload), {**JSON, "Authorization": f"Bearer {TOKEN}"})
