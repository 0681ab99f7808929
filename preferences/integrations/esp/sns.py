"""Amazon SNS, which carries the events of SES: its signatures, its certificates, and the confirmation of a subscription.

Documents: docs.aws.amazon.com/sns/latest/dg: "Verifying the signatures of Amazon SNS messages", "Parsing Amazon SNS
message formats", "Amazon SNS message delivery retries". Certificates come from Amazon's own hosts alone, over verified
TLS.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from .base import CLOCK_SKEW, Item, NotVerified, decode64
from .fields import at, moment, text

TIMEOUT = (3.0, 5.0)
"""Seconds to connect and to read: Amazon waits 15 for our answer."""
MOST_BYTES = 20_000
MOST_CERTIFICATES = 32
WINDOW = timedelta(hours=24)
"""How old a message may be: SNS repeats one under the signature it has."""
_HOST = re.compile(r"sns\.[a-z]{2}(?:-[a-z]+)+-\d\.amazonaws\.com(?:\.cn)?", re.ASCII)
_CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[0-9a-f]{32}\.pem", re.ASCII)
_HASHES: dict[str, Callable[[], HashAlgorithm]] = {"1": SHA1, "2": SHA256}
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


class NotFetched(Exception):
    """Amazon did not answer as it should; trying again later may help."""


def fetch(url: str) -> bytes:
    """GET from Amazon: TLS verified, no redirect followed, little read. Raises NotFetched."""
    try:
        with requests.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
            if answer.status_code != 200:
                raise NotFetched(f"status {answer.status_code}")
            return answer.raw.read(MOST_BYTES)
    except requests.RequestException as error:
        raise NotFetched(type(error).__name__) from None


class Certificates:
    """The signing certificates met so far. One thread at a time fetches one; a false address is never fetched."""

    def __init__(self) -> None:
        self.known: dict[str, x509.Certificate] = {}
        self._lock = threading.Lock()

    def get(self, url: str) -> x509.Certificate:
        """The certificate at this address. Raises NotVerified when it is not Amazon's, or NotFetched."""
        if not is_amazons(url) or not _CERTIFICATE_PATH.fullmatch(urlsplit(url).path):
            raise NotVerified
        with self._lock:
            if url not in self.known:
                if len(self.known) >= MOST_CERTIFICATES:
                    self.known.clear()
                try:
                    self.known[url] = x509.load_pem_x509_certificate(fetch(url))
                except ValueError:
                    raise NotVerified from None
            return self.known[url]


certificates = Certificates()


def is_amazons(url: str) -> bool:
    """Whether an address is on a host of SNS, over https, on its own port, without user name."""
    try:
        found = urlsplit(url)
    except ValueError:
        return False
    return found.scheme == "https" and bool(_HOST.fullmatch(found.netloc)) and not found.fragment


def verify_envelope(envelope: Item, now: datetime) -> None:
    """Check the signature of a message. Raises NotVerified or NotFetched."""
    make_hash = _HASHES.get(text(envelope, "SignatureVersion"))
    kind = text(envelope, "Type")
    if make_hash is None or kind not in _SIGNED:
        raise NotVerified
    signature = decode64(text(envelope, "Signature"))
    signed_at = moment(at(envelope, "Timestamp"))
    if signed_at is None or not -CLOCK_SKEW <= now - signed_at <= WINDOW + CLOCK_SKEW:
        raise NotVerified
    certificate = certificates.get(text(envelope, "SigningCertURL"))
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise NotVerified
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise NotVerified
    try:
        key.verify(signature, _string_to_sign(envelope, kind), PKCS1v15(), make_hash())
    except InvalidSignature:
        raise NotVerified from None


def _string_to_sign(envelope: Item, kind: str) -> bytes:
    lines: list[str] = []
    for name in _SIGNED[kind]:
        value = envelope.get(name)
        if name == "Subject" and value is None:
            continue
        if not isinstance(value, str):
            raise NotVerified
        lines += [name, value]
    try:
        return "".join(f"{line}\n" for line in lines).encode()
    except UnicodeEncodeError:
        raise NotVerified from None


def confirm_subscription(url: str) -> None:
    """Tell SNS that we want the topic. Raises NotFetched; an address that is not Amazon's is never called."""
    if not is_amazons(url):
        raise NotFetched("not an address of Amazon SNS")
    fetch(url)
