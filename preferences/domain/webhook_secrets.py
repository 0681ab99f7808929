"""Signing secrets of Standard Webhooks 1.0: `whsec_` and 32 random bytes, or an Ed25519 pair `whsk_` / `whpk_` (M13)."""

from __future__ import annotations

import base64
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .webhooks import SignatureScheme

_SHARED, _PRIVATE, _PUBLIC = "whsec_", "whsk_", "whpk_"


def new_secret(scheme: SignatureScheme) -> str:
    """A fresh secret, which the service keeps."""
    prefix = _SHARED if scheme is SignatureScheme.V1 else _PRIVATE
    return prefix + base64.b64encode(secrets.token_bytes(32)).decode()


def verifying_secret(secret: str) -> str:
    """What the mailer is given to verify with: the shared secret itself, or the public key."""
    key = signing_key(secret)
    return secret if key is None else _PUBLIC + base64.b64encode(key.public_key().public_bytes_raw()).decode()


def signing_key(secret: str) -> Ed25519PrivateKey | None:
    """The private key of a `whsk_…`; None for a shared secret."""
    if not secret.startswith(_PRIVATE):
        return None
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret.removeprefix(_PRIVATE)))
