"""Signatures are those of Standard Webhooks 1.0 (M13)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from preferences.domain.webhook_secrets import new_secret, verifying_secret
from preferences.domain.webhooks import SignatureScheme
from preferences.integrations.standard_webhooks import BodyTooLarge, make_body, signed_headers

NOW = datetime.now(UTC)


def test_the_example_of_the_specification_is_signed_as_it_says() -> None:
    moment = datetime.fromtimestamp(1674087231, UTC)
    body = '{"event_type":"ping","data":{"success":true}}'
    headers = signed_headers("msg_loFOjxBNrRLzqYUf", body, ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"], now=moment)
    assert headers["webhook-timestamp"] == "1674087231"
    assert headers["webhook-signature"].startswith("v1,")
    expected = Webhook("C2FVsBQIhrscChlQIMV+b5sSYspob7oD").sign("msg_loFOjxBNrRLzqYUf", moment, body)
    assert headers["webhook-signature"] == expected


def test_a_secret_is_32_random_bytes() -> None:
    made = {new_secret(SignatureScheme.V1) for _ in range(20)}
    assert len(made) == 20
    assert {len(base64.b64decode(one.removeprefix("whsec_"), validate=True)) for one in made} == {32}


def test_ed25519_is_verified_with_the_public_key_alone() -> None:
    secret = new_secret(SignatureScheme.V1A)
    public = verifying_secret(secret)
    assert public.startswith("whpk_")
    assert secret.removeprefix("whsk_") not in public
    headers = signed_headers("evt_1", "{}", [secret], now=NOW)
    scheme, signature = headers["webhook-signature"].split(",")
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    key.verify(base64.b64decode(signature), f"evt_1.{headers['webhook-timestamp']}.{{}}".encode())
    assert scheme == "v1a"


def test_two_secrets_give_two_signatures_apart_by_a_space() -> None:
    now = datetime.now(UTC)
    secrets = [new_secret(SignatureScheme.V1), new_secret(SignatureScheme.V1)]
    body = make_body("choice.changed", now, {"namn": "Åsa"})
    headers = signed_headers("evt_1", body, secrets, now=now)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in secrets:
        assert Webhook(secret).verify(body, headers) == {
            "type": "choice.changed",
            "timestamp": now.isoformat().replace("+00:00", "Z"),
            "data": {"namn": "Åsa"},
        }


def test_a_body_that_receivers_need_not_accept_is_not_made() -> None:
    with pytest.raises(BodyTooLarge):
        make_body("choice.changed", NOW, {"much": "å" * 10_000})
