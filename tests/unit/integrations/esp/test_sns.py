"""Messages of Amazon SNS: whose certificate counts, what is fetched, and what never is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from preferences.integrations.esp import PROVIDERS, sns
from preferences.integrations.esp.base import Incoming, NotNow, NotVerified
from tests.support.esp.samples import CERTIFICATE_URL, SAMPLES, TOPIC, envelope
from tests.support.esp.signing import encoded

NOW = datetime.now(UTC).replace(microsecond=0)
SECRETS = SAMPLES["ses"].secrets


def verify(made: dict[str, Any], *, now: datetime = NOW) -> None:
    scheme = PROVIDERS["ses"].scheme("signed")
    scheme.verify(Incoming(encoded(made), {}, ""), SECRETS, now)


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were fetched; each answers with what is no certificate."""
    called: list[str] = []

    def fetch(url: str) -> bytes:
        called.append(url)
        return b"no certificate"

    monkeypatch.setattr(sns, "fetch", fetch)
    return called


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", ["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_every_kind_of_message_is_verified_in_both_versions(version: str, kind: str) -> None:
    more = {} if kind == "Notification" else {"SubscribeURL": "https://sns.eu-north-1.amazonaws.com/x", "Token": "t"}
    verify(envelope(kind, "Hej å", NOW, version, **more))


@pytest.mark.parametrize("field", ["Message", "MessageId", "Timestamp", "TopicArn", "Type", "Subject"])
def test_no_signed_field_can_be_changed_or_left_out(field: str) -> None:
    made = envelope("Notification", "Hej", NOW, Subject="S")
    for changed in ({**made, field: "x"}, {**made, field: 5}, {name: made[name] for name in made if name != field}):
        with pytest.raises(NotVerified):
            verify(changed)


@pytest.mark.parametrize("version", ["", "0", "3", None, 1.5])
def test_another_version_is_refused(version: Any) -> None:
    with pytest.raises(NotVerified):
        verify({**envelope("Notification", "Hej", NOW), "SignatureVersion": version})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://sns.eu-north-1.amazonaws.com/SimpleNotificationService-" + "0a" * 16 + ".pem",
        "https://sns.eu-north-1.amazonaws.com.evil.example/SimpleNotificationService-" + "0a" * 16 + ".pem",
        "https://evil.example/SimpleNotificationService-" + "0a" * 16 + ".pem",
        "https://sns.eu-north-1.amazonaws.com@evil.example/SimpleNotificationService-" + "0a" * 16 + ".pem",
        "https://x@sns.eu-north-1.amazonaws.com/SimpleNotificationService-" + "0a" * 16 + ".pem",
        "https://sns.eu-north-1.amazonaws.com:8443/SimpleNotificationService-" + "0a" * 16 + ".pem",
        "https://s3.eu-north-1.amazonaws.com/SimpleNotificationService-" + "0a" * 16 + ".pem",
        "https://sns.eu-north-1.amazonaws.com/other.pem",
        "https://sns.eu-north-1.amazonaws.com/a/../SimpleNotificationService-" + "0a" * 16 + ".pem",
        "https://[::1/x.pem",
        "file:///etc/passwd",
    ],
)
def test_a_certificate_from_elsewhere_is_never_fetched(url: str, fetched: list[str]) -> None:
    with pytest.raises(NotVerified):
        verify({**envelope("Notification", "Hej", NOW), "SigningCertURL": url})
    assert fetched == []


def test_a_strangers_topic_is_refused_before_anything_is_fetched(fetched: list[str]) -> None:
    made = {
        **envelope("Notification", "Hej", NOW),
        "TopicArn": TOPIC + "2",
        "SigningCertURL": CERTIFICATE_URL[:-5] + "1.pem",
    }
    with pytest.raises(NotVerified):
        verify(made)
    assert fetched == []


def test_what_is_no_certificate_is_refused_and_not_kept(fetched: list[str]) -> None:
    url = CERTIFICATE_URL.replace("0a0a", "0b0b", 1)
    for _ in range(2):
        with pytest.raises(NotVerified):
            verify({**envelope("Notification", "Hej", NOW), "SigningCertURL": url})
    assert fetched == [url, url]
    assert url not in sns.certificates.known


def test_amazon_out_of_reach_is_not_the_senders_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "get", fail)
    with pytest.raises(NotNow):
        verify({**envelope("Notification", "Hej", NOW), "SigningCertURL": CERTIFICATE_URL.replace("0a0a", "0c0c", 1)})


def test_an_expired_certificate_signs_nothing() -> None:
    later = NOW + timedelta(days=801)
    with pytest.raises(NotVerified):
        verify(envelope("Notification", "Hej", later), now=later)


def test_certificates_kept_are_few() -> None:
    kept = sns.Certificates()
    kept.known = {f"https://x/{number}": sns.certificates.known[CERTIFICATE_URL] for number in range(32)}
    url = CERTIFICATE_URL
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sns, "fetch", lambda _: b"no certificate")
        with pytest.raises(NotVerified):
            kept.get(url)
    assert kept.known == {}
