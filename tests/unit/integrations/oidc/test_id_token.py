"""A token is believed when it is signed by the provider, meant for us, new, and asked for; and not otherwise."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from preferences.domain.single_sign_on import (
    WhyNot,
)
from tests.support.identity_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider, key, signed

from .support import why_not


def _by_hand(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes] = lambda _: b"") -> str:
    """A token that no careful library would make."""
    body = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
    return f"{body}.{_base64(sign(body.encode()))}"


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _none(claims: dict[str, Any]) -> str:
    return _by_hand({"alg": "none"}, claims)


def _with_public_key_as_secret(claims: dict[str, Any]) -> str:
    secret = key("first").as_pem(private=False)
    return _by_hand({"alg": "HS256", "kid": "first"}, claims, lambda body: hmac.digest(secret, body, "sha256"))


def _with_client_secret(claims: dict[str, Any]) -> str:
    return _by_hand({"alg": "HS256"}, claims, lambda body: hmac.digest(CLIENT_SECRET.encode(), body, "sha256"))


def _with_key_in_header(claims: dict[str, Any]) -> str:
    return signed(claims, key("third"), kid="first", jwk=key("third").as_dict(private=False))


def _with_changed_claims(claims: dict[str, Any]) -> str:
    header, _, signature = signed(claims, key("first")).split(".")
    body = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "1"}).encode()).decode().rstrip("=")
    return f"{header}.{body}.{signature}"


def _saying(**changes: Any) -> Callable[[dict[str, Any]], str]:
    def forge(claims: dict[str, Any]) -> str:
        said = {**claims, **changes}
        return signed({name: value for name, value in said.items() if value is not None}, key("first"))

    return forge


def _at(claim: str, seconds: int) -> Callable[[dict[str, Any]], str]:
    """The claim says so many seconds from the moment at which the token is asked for, however long other tests took."""

    def forge(claims: dict[str, Any]) -> str:
        return _saying(**{claim: int(datetime.now(UTC).timestamp()) + seconds})(claims)

    return forge


BAD, CLOCK = WhyNot.BAD_TOKEN, WhyNot.CLOCK
FORGED: list[tuple[str, Callable[[dict[str, Any]], str], WhyNot, str]] = [
    ("unsigned", _none, BAD, "algorithm"),
    ("HS256 with the public key", _with_public_key_as_secret, BAD, "algorithm"),
    ("HS256 with the client's secret", _with_client_secret, BAD, "algorithm"),
    ("changed after it was signed", _with_changed_claims, BAD, "signature"),
    ("another's key under our key's name", lambda c: signed(c, key("third"), kid="first"), BAD, "signature"),
    (
        "a key in the header",
        lambda c: signed(c, key("third"), kid="first", jwk=key("third").as_dict(private=False)),
        BAD,
        "signature",
    ),
    ("a key that was never published", lambda c: signed(c, key("third")), BAD, "unknown_key"),
    ("a curve's key as an RSA one", lambda c: signed(c, key("first"), kid="ec-second"), BAD, "unknown_key"),
    ("something critical", lambda c: signed(c, key("first"), crit=["b64"], b64=True), BAD, "malformed"),
    ("no token", lambda _: "no-token", BAD, "malformed"),
    ("two dots and nothing", lambda _: "..", BAD, "malformed"),
    ("far too long", lambda _: "a.b." + "c" * 70_000, BAD, "malformed"),
    ("another issuer", _saying(iss="https://evil.example"), BAD, "issuer"),
    ("the issuer with a slash", _saying(iss="http://127.0.0.1/realms/staff/"), BAD, "issuer"),
    ("no issuer", _saying(iss=None), BAD, "issuer"),
    ("another audience", _saying(aud="somebody"), BAD, "audience"),
    ("no audience", _saying(aud=None), BAD, "audience"),
    ("several audiences, nobody's party", _saying(aud=[CLIENT_ID, "x"]), BAD, "party"),
    ("another's party", _saying(azp="somebody"), BAD, "party"),
    ("another nonce", _saying(nonce="n" * 43), BAD, "nonce"),
    ("no nonce", _saying(nonce=None), BAD, "nonce"),
    ("no subject", _saying(sub=None), BAD, "subject"),
    ("a number as subject", _saying(sub=7), BAD, "subject"),
    ("another access token's", _saying(at_hash="x"), BAD, "access_token"),
    ("expired", _at("exp", -90), CLOCK, "expired"),
    ("never expires", _saying(exp=None), BAD, "no_times"),
    ("expires at no time", _saying(exp="soon"), CLOCK, "exp_wrong"),
    ("issued in the future", _at("iat", 600), CLOCK, "iat_wrong"),
    ("issued long ago", _at("iat", -3600), CLOCK, "issued_too_long_ago"),
    ("not yet valid", _at("nbf", 600), CLOCK, "nbf_wrong"),
]


@pytest.mark.parametrize(("forge", "why", "detail"), [pytest.param(*row[1:], id=row[0]) for row in FORGED])
def test_token_is_refused(fake: FakeProvider, forge: Callable[[dict[str, Any]], str], why: WhyNot, detail: str) -> None:
    fake.forge = forge
    assert why_not(fake) == (why, detail)


def test_short_rsa_key_signs_nothing(fake: FakeProvider) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    numbers = {name: _base64(number.to_bytes(128)) for name, number in [("n", short.public_key().public_numbers().n)]}
    published = {"kty": "RSA", "kid": "short", "e": "AQAB", **numbers}
    fake.instead["/keys"] = (200, json.dumps({"keys": [published]}).encode())
    fake.forge = lambda claims: _by_hand(
        {"alg": "RS256", "kid": "short"}, claims, lambda body: short.sign(body, padding.PKCS1v15(), hashes.SHA256())
    )
    assert why_not(fake) == (BAD, "signature")
