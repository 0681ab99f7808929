"""The samples of providers that sign with a shared secret, a form or a key of their own."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from standardwebhooks import Webhook

from . import BASE_URL, Sample, Signed
from .signing import JSON, PASSWORD, TOKEN, encoded, public_der, rsa_key, seconds, with_password, with_token

SECRET = "shared-secret"
BASE64_SECRET = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def body_hmac(header: str) -> Callable[[Any, datetime], Signed]:
    """HMAC of the body in a header."""

    def sign(payload: Any, now: datetime) -> Signed:
        body = encoded(payload)
        return Signed(body, {**JSON, header: hmac.digest(SECRET.encode(), body, "sha256").hex()})

    return sign


def resend(payload: Any, now: datetime) -> Signed:
    """As Svix signs."""
    body = encoded(payload)
    signature = Webhook(f"whsec_{BASE64_SECRET}").sign("msg_1", now, body.decode())
    return Signed(body, {**JSON, "svix-id": "msg_1", "svix-timestamp": seconds(now), "svix-signature": signature})


def mandrill(payload: Any, now: datetime) -> Signed:
    """HMAC of the address and the form."""
    value = encoded(payload).decode()
    text = f"{BASE_URL}/hooks/esp/mandrill/newslettermandrill_events{value}"
    signature = base64.b64encode(hmac.digest(SECRET.encode(), text.encode(), "sha1")).decode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Mandrill-Signature": signature}
    return Signed(urlencode({"mandrill_events": value}).encode(), headers)


def postal(payload: Any, now: datetime) -> Signed:
    """RSA over the body, as newer servers do."""
    body = encoded(payload)
    return Signed(body, {**JSON, "X-Postal-Signature-256": _rsa(body, SHA256())})


def old_postal(payload: Any, now: datetime) -> Signed:
    """RSA over the body, as older servers do."""
    body = encoded(payload)
    return Signed(body, {**JSON, "X-Postal-Signature": _rsa(body, SHA1())})


def _rsa(body: bytes, algorithm: SHA1 | SHA256) -> str:
    return base64.b64encode(rsa_key().sign(body, PKCS1v15(), algorithm)).decode()


def unisender(payload: Any, now: datetime) -> Signed:
    """MD5 of the body with the key in it."""
    rest = payload if isinstance(payload, dict) else {"events_by_user": payload}
    with_key = encoded({"auth": SECRET, **rest})
    digest = hashlib.md5(with_key).hexdigest().encode()
    return Signed(with_key.replace(SECRET.encode(), digest, 1), JSON)


def mailomat(payload: Any, now: datetime) -> Signed:
    """HMAC of what stands in the headers."""
    signature = hmac.digest(SECRET.encode(), f"1.delivered.{seconds(now)}".encode(), "sha256").hex()
    names = {"Id": "1", "Event": "delivered", "Timestamp": seconds(now), "Signature": f"sha256={signature}"}
    return Signed(encoded(payload), {**JSON, **{f"X-MOM-Webhook-{name}": value for name, value in names.items()}})


def sweego(payload: Any, now: datetime) -> Signed:
    """HMAC of id, time and body."""
    body = encoded(payload)
    signed = f"1.{seconds(now)}.".encode() + body
    signature = base64.b64encode(hmac.digest(base64.b64decode(BASE64_SECRET), signed, "sha256")).decode()
    names = {"webhook-id": "1", "webhook-timestamp": seconds(now), "webhook-signature": signature}
    return Signed(body, {**JSON, **names})


def _basic(provider: str) -> Sample:
    return Sample(provider, {"scheme": "basic", "password": PASSWORD}, with_password, "Authorization")


def _bearer(provider: str) -> Sample:
    return Sample(provider, {"scheme": "bearer", "token": TOKEN}, with_token, "Authorization")


_SIGNED = {"scheme": "signed", "signing_secret": SECRET}
_POSTAL = {"scheme": "signed", "public_key": public_der(rsa_key())}
MORE = {
    "brevo": _basic("brevo"),
    "brevo, token": _bearer("brevo"),
    "mailersend": Sample("mailersend", _SIGNED, body_hmac("Signature"), "Signature"),
    "mailjet": _basic("mailjet"),
    "mailomat": Sample("mailomat", _SIGNED, mailomat, "X-MOM-Webhook-Signature", is_timed=True),
    "mailtrap": Sample("mailtrap", _SIGNED, body_hmac("Mailtrap-Signature"), "Mailtrap-Signature"),
    "mandrill": Sample("mandrill", {"scheme": "signed", "webhook_key": SECRET}, mandrill, "X-Mandrill-Signature"),
    "postal": Sample("postal", _POSTAL, postal, "X-Postal-Signature-256"),
    "postal, older": Sample("postal", _POSTAL, old_postal, "X-Postal-Signature"),
    "resend": Sample(
        "resend",
        {"scheme": "signed", "signing_secret": f"whsec_{BASE64_SECRET}"},
        resend,
        "svix-signature",
        is_timed=True,
    ),
    "sparkpost": _basic("sparkpost"),
    "sparkpost, token": _bearer("sparkpost"),
    "sweego": Sample(
        "sweego", {"scheme": "signed", "signing_secret": BASE64_SECRET}, sweego, "webhook-signature", is_timed=True
    ),
    "unisender_go": Sample("unisender_go", {"scheme": "signed", "api_key": SECRET}, unisender, "auth", in_body=True),
}
