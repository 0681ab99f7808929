"""The samples: one for each scheme of each provider."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from preferences.integrations.esp import sns

from . import Sample, Signed
from .more_samples import MORE
from .signing import JSON, PASSWORD, elliptic_key, encoded, public_der, rsa_key, seconds, with_password

TOPIC = "arn:aws:sns:eu-north-1:123456789012:events"
CERTIFICATE_URL = f"https://sns.eu-north-1.amazonaws.com/SimpleNotificationService-{'0a' * 16}.pem"


def sendgrid(payload: Any, now: datetime) -> Signed:
    """ECDSA over timestamp and body."""
    body = encoded(payload)
    signature = elliptic_key().sign(seconds(now).encode() + body, ec.ECDSA(SHA256()))
    return Signed(
        body,
        {
            **JSON,
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": seconds(now),
        },
    )


def mailgun(payload: Any, now: datetime) -> Signed:
    """HMAC of timestamp and token, in the body."""
    token = "e0b5477167110d68991efc6b9f89f0a11066af27834600e123"
    signature = hmac.digest(b"mailgun-key", f"{seconds(now)}{token}".encode(), "sha256").hex()
    signed = {"signature": {"timestamp": seconds(now), "token": token, "signature": signature}, "event-data": payload}
    return Signed(encoded(signed), JSON)


@cache
def trust_amazon() -> None:
    """Put a certificate of the test's own where Amazon's would be after the first fetch."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(rsa_key().public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=800))
        .not_valid_after(now + timedelta(days=800))
        .sign(rsa_key(), SHA256())
    )
    sns.certificates.known[CERTIFICATE_URL] = made


def envelope(kind: str, message: str, now: datetime, version: str = "2", **more: Any) -> dict[str, Any]:
    """An SNS message with its signature."""
    trust_amazon()
    made = {
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        **more,
    }
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{made[name]}\n" for name in names if name in made)
    signature = rsa_key().sign(text.encode(), PKCS1v15(), SHA1() if version == "1" else SHA256())
    return {**made, "Signature": base64.b64encode(signature).decode()}


def ses(payload: Any, now: datetime, version: str = "2") -> Signed:
    """An SES event inside an SNS notification."""
    return Signed(encoded(envelope("Notification", json.dumps(payload), now, version, Subject="Ämne")), JSON)


SAMPLES = {
    **MORE,
    "mailgun": Sample(
        "mailgun", {"scheme": "signed", "signing_key": "mailgun-key"}, mailgun, "signature", is_timed=True, in_body=True
    ),
    "postmark": Sample("postmark", {"scheme": "basic", "password": PASSWORD}, with_password, "Authorization"),
    "sendgrid": Sample(
        "sendgrid",
        {"scheme": "signed", "public_key": public_der(elliptic_key())},
        sendgrid,
        "X-Twilio-Email-Event-Webhook-Signature",
        is_timed=True,
    ),
    "sendgrid, unsigned": Sample("sendgrid", {"scheme": "basic", "password": PASSWORD}, with_password, "Authorization"),
    "ses": Sample("ses", {"scheme": "signed", "topic_arn": TOPIC}, ses, "Signature", is_timed=True, in_body=True),
    "ses, version 1": Sample(
        "ses",
        {"scheme": "signed", "topic_arn": TOPIC},
        lambda payload, now: ses(payload, now, "1"),
        "Signature",
        is_timed=True,
        in_body=True,
    ),
}
