"""What the identity provider publishes and answers, fetched within bounds and read strictly. Nothing of it reaches a log.

Documents: OpenID Connect Discovery 1.0 §3 and §4, RFC 7517 (JWK), RFC 6749 §5 (token endpoint).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from preferences.domain.single_sign_on import SignOnRefused, SignOnRules, WhyNot
from preferences.domain.webhook_urls import UnusableUrl
from preferences.integrations.http import CallFailed, Line, Reach

USER_AGENT = "preferences-sign-on"
MOST_BYTES = 256 * 1024
"""Largest document that is read. The discovery documents of large providers have a few kilobytes."""
SECONDS = 8.0
"""Somebody waits before the page meanwhile, and on a small installation everybody else, too."""
MOST_KEYS = 50
WELL_KNOWN = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Where the provider's doors are."""

    authorization: str
    token: str
    jwks: str
    userinfo: str
    end_session: str
    names_itself: bool
    """Whether its answers say who answers (RFC 9207), so that one without is forged."""
    takes_secret_in_form: bool
    """Whether the secret goes into the form, because the provider does not take it in a header."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Tokens:
    """What the token endpoint gave."""

    id_token: str
    access_token: str


def fetch_metadata(rules: SignOnRules) -> Metadata:
    """The discovery document of the issuer in the settings. Raises SignOnRefused."""
    found = _get(rules, rules.issuer.rstrip("/") + WELL_KNOWN, "discovery")
    if found.get("issuer") != rules.issuer:
        raise SignOnRefused(WhyNot.UNUSABLE, "discovery_of_another_issuer")
    ways = found.get("token_endpoint_auth_methods_supported")
    return Metadata(
        authorization=_address(found, "authorization_endpoint", rules),
        token=_address(found, "token_endpoint", rules),
        jwks=_address(found, "jwks_uri", rules),
        userinfo=_address(found, "userinfo_endpoint", rules, required=False),
        end_session=_address(found, "end_session_endpoint", rules, required=False),
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
        takes_secret_in_form=isinstance(ways, list) and bool(ways) and "client_secret_basic" not in ways,
    )


def fetch_keys(rules: SignOnRules, metadata: Metadata) -> list[Mapping[str, Any]]:
    """The keys that the provider signs with now. Raises SignOnRefused."""
    keys = _get(rules, metadata.jwks, "keys").get("keys")
    if not isinstance(keys, list) or not 0 < len(keys) <= MOST_KEYS:
        raise SignOnRefused(WhyNot.UNUSABLE, "keys_malformed")
    return [one for one in keys if isinstance(one, dict)]


def exchange_code(rules: SignOnRules, metadata: Metadata, form: Mapping[str, str]) -> Tokens:
    """The tokens for a code. Raises SignOnRefused."""
    headers, sent = {}, dict(form)
    if metadata.takes_secret_in_form:
        sent |= {"client_id": rules.client_id, "client_secret": rules.client_secret}
    else:
        pair = f"{quote_plus(rules.client_id)}:{quote_plus(rules.client_secret)}".encode()
        headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    status, body = _call(rules, "POST", metadata.token, headers, urlencode(sent).encode())
    if status != 200:
        raise SignOnRefused(WhyNot.CODE_REFUSED, f"token_endpoint_{status}")
    found = _object(body, "token")
    id_token, access_token = found.get("id_token"), found.get("access_token")
    if not isinstance(id_token, str):
        raise SignOnRefused(WhyNot.BAD_TOKEN, "no_id_token")
    return Tokens(id_token=id_token, access_token=access_token if isinstance(access_token, str) else "")


def fetch_userinfo(rules: SignOnRules, metadata: Metadata, tokens: Tokens) -> Mapping[str, Any]:
    """What the provider says of the person beside the token. Raises SignOnRefused."""
    if not tokens.access_token.isascii() or not tokens.access_token.isprintable():
        raise SignOnRefused(WhyNot.BAD_TOKEN, "access_token_malformed")
    return _get(rules, metadata.userinfo, "userinfo", {"authorization": f"Bearer {tokens.access_token}"})


def _address(found: Mapping[str, Any], name: str, rules: SignOnRules, *, required: bool = True) -> str:
    """An address out of the document: it may lead nowhere that the issuer itself may not lead (SSRF)."""
    address = found.get(name)
    if address is None and not required:
        return ""
    try:
        if not isinstance(address, str):
            raise UnusableUrl("missing")
        rules.urls.check(address)
    except UnusableUrl:
        raise SignOnRefused(WhyNot.UNUSABLE, f"discovery_{name}") from None
    return address


def _get(rules: SignOnRules, url: str, what: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    status, body = _call(rules, "GET", url, headers or {}, None)
    if status != 200:
        why = WhyNot.UNREACHABLE if status >= 500 else WhyNot.UNUSABLE
        raise SignOnRefused(why, f"{what}_{status}")
    return _object(body, what)


def _call(
    rules: SignOnRules, method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> tuple[int, bytes]:
    sent = {"accept": "application/json", "accept-encoding": "identity", **headers}
    if body is not None:
        sent["content-type"] = "application/x-www-form-urlencoded"
    line = Line(Reach.ANYWHERE if rules.urls.is_private(url) else Reach.PUBLIC, user_agent=USER_AGENT)
    try:
        return line.fetch(method, url, body, sent, most_bytes=MOST_BYTES, seconds=SECONDS)
    except CallFailed as failed:
        raise SignOnRefused(WhyNot.UNREACHABLE, failed.code.value) from None
    finally:
        line.close()


def _object(body: bytes, what: str) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise SignOnRefused(WhyNot.UNUSABLE, f"{what}_malformed")
    return found
