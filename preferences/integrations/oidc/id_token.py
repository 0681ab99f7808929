"""Reads an ID token and believes nothing that was not checked (OpenID Connect Core 1.0 §3.1.3.7, RFC 8725).

Only asymmetric signatures: with a shared secret, whoever knows the secret, or a public key taken for one, could sign.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError
from joserfc.jwk import import_key
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from preferences.domain.single_sign_on import CLOCKS_DIFFER, ROUND_LASTS, Round, SignOnRefused, SignOnRules, WhyNot

KINDS = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "PS384": "RSA",
    "PS512": "RSA",
    "ES256": "EC",
    "ES384": "EC",
    "ES512": "EC",
    "EdDSA": "OKP",
    "Ed25519": "OKP",
}
"""Algorithms that are believed, and the kind of key each takes."""
LEAST_RSA_BITS = 2048
MOST_CHARACTERS = 64 * 1024
MOST_SUBJECT = 255
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


class UnknownKey(Exception):
    """The token names a key that the provider had not published: it may have changed keys since."""


def read_id_token(
    token: str, keys: Sequence[Mapping[str, Any]], rules: SignOnRules, begun: Round, *, access_token: str, now: datetime
) -> Mapping[str, Any]:
    """The token's claims. Raises SignOnRefused, or UnknownKey when it is worth fetching the keys once more."""
    header = _header(token)
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in KINDS:
        raise SignOnRefused(WhyNot.BAD_TOKEN, "algorithm")
    fitting = [one for one in keys if _fits(one, algorithm, key_id)]
    if not fitting:
        raise UnknownKey
    claims = next((found for key in fitting if (found := _verified(token, key, algorithm)) is not None), None)
    if claims is None:
        raise SignOnRefused(WhyNot.BAD_TOKEN, "signature")
    _check_times(claims, now)
    _check_meant_for_us(claims, rules, begun)
    _check_access_token(claims, algorithm, access_token)
    return claims


def _header(token: str) -> Mapping[str, Any]:
    try:
        if len(token) > MOST_CHARACTERS or token.count(".") != 2:
            raise ValueError
        found = json.loads(_raw(token.partition(".")[0]))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("kid", ""), str) or "crit" in found:
        raise SignOnRefused(WhyNot.BAD_TOKEN, "malformed")
    return found


def _fits(key: Mapping[str, Any], algorithm: str, key_id: str | None) -> bool:
    is_meant = key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm
    return is_meant and key.get("kty") == KINDS[algorithm] and key_id in (None, key.get("kid"))


def _verified(token: str, key: Mapping[str, Any], algorithm: str) -> dict[str, Any] | None:
    """The claims, where this key has signed them."""
    try:
        if key["kty"] == "RSA" and len(_raw(key["n"]).lstrip(b"\0")) * 8 < LEAST_RSA_BITS:
            return None
        loaded = import_key({name: value for name, value in key.items() if isinstance(value, str)})
        registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        return jwt.decode(token, loaded, algorithms=[algorithm], registry=registry).claims
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _check_times(claims: dict[str, Any], now: datetime) -> None:
    second, leeway = int(now.timestamp()), int(CLOCKS_DIFFER.total_seconds())
    registry = JWTClaimsRegistry(now=second, leeway=leeway, exp={"essential": True}, iat={"essential": True})
    try:
        registry.validate({name: claims[name] for name in ("exp", "iat", "nbf") if name in claims})
    except ExpiredTokenError:
        raise SignOnRefused(WhyNot.CLOCK, "expired") from None
    except InvalidClaimError as error:
        raise SignOnRefused(WhyNot.CLOCK, f"{error.claim}_wrong") from None
    except JoseError:
        raise SignOnRefused(WhyNot.BAD_TOKEN, "no_times") from None
    if claims["iat"] < second - leeway - ROUND_LASTS.total_seconds():
        raise SignOnRefused(WhyNot.CLOCK, "issued_too_long_ago")


def _check_meant_for_us(claims: Mapping[str, Any], rules: SignOnRules, begun: Round) -> None:
    audience = claims.get("aud")
    meant = [audience] if isinstance(audience, str) else audience
    subject, party = claims.get("sub"), claims.get("azp")
    wrong = {
        "issuer": claims.get("iss") != rules.issuer,
        "audience": not isinstance(meant, list) or rules.client_id not in meant,
        "party": party != rules.client_id if party is not None or meant != [rules.client_id] else False,
        "subject": not isinstance(subject, str) or not 0 < len(subject) <= MOST_SUBJECT or not _is_utf8(subject),
        "nonce": not _is_same(claims.get("nonce"), begun.nonce),
    }
    for what, is_wrong in wrong.items():
        if is_wrong:
            raise SignOnRefused(WhyNot.BAD_TOKEN, what)


def _check_access_token(claims: Mapping[str, Any], algorithm: str, access_token: str) -> None:
    """The access token is the one that was issued with this token, where that says so (`at_hash`)."""
    said, make = claims.get("at_hash"), _HASHES.get(algorithm[2:])
    if said is None or not access_token or make is None:
        return
    digest = make(access_token.encode("utf-8", "surrogatepass")).digest()
    if not _is_same(said, base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")):
        raise SignOnRefused(WhyNot.BAD_TOKEN, "access_token")


def _is_same(said: object, wanted: str) -> bool:
    return isinstance(said, str) and _is_utf8(said) and hmac.compare_digest(said.encode(), wanted.encode())


def _is_utf8(text: str) -> bool:
    """Half a character (`\\ud800` in JSON) can be stored and compared nowhere."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def moment_of(claim: object) -> datetime | None:
    """A moment out of a claim in seconds since 1970; None for anything else."""
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        return None
    try:
        return datetime.fromtimestamp(claim, UTC)
    except (OverflowError, ValueError, OSError):
        return None
