"""The identity provider: sends people there, and finds out what it vouches for when they come back.

Its documents are kept for an hour. An unknown key makes the keys be fetched once more, at most once a minute; after a failure
nothing is asked for a few seconds, so that a provider that hangs does not hold up every page of a small installation.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from preferences.domain.single_sign_on import (
    CLOCKS_DIFFER,
    Errand,
    Round,
    SignOnRefused,
    SignOnRules,
    Vouched,
    WhyNot,
    claim_at,
    weakness,
)

from .documents import Metadata, Tokens, exchange_code, fetch_keys, fetch_metadata, fetch_userinfo
from .id_token import UnknownKey, moment_of, read_id_token

KEPT_FOR = timedelta(hours=1)
NEW_KEYS_EVERY = timedelta(minutes=1)
RESTS_AFTER_FAILURE = timedelta(seconds=10)
MOST_GROUPS = 5_000
MOST_CODE = 4_096
STANDARD_PROOF = "email_verified"
_SIGNED = frozenset({"amr", "acr", "auth_time"})


@dataclass(frozen=True, slots=True)
class _Documents:
    metadata: Metadata
    keys: list[Mapping[str, Any]]
    fetched_at: datetime
    keys_at: datetime


def new_round(errand: Errand, onward: str, *, now: datetime) -> Round:
    """A round that is about to begin: fresh state, nonce and verifier of 256 random bits each."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Round(errand=errand, state=state, nonce=nonce, verifier=verifier, onward=onward, begun_at=now)


class Provider:
    """One identity provider, by the settings. Holds nothing about anybody, so that threads may share it."""

    def __init__(self, rules: SignOnRules, *, return_url: str) -> None:
        self.rules = rules
        self._return_url = return_url
        self._documents: _Documents | None = None
        self._failed: tuple[datetime, SignOnRefused] | None = None

    def way_there(self, begun: Round, *, locale: str, now: datetime) -> str:
        """The address to send somebody's browser to. Raises SignOnRefused."""
        asked = {
            "response_type": "code",
            "client_id": self.rules.client_id,
            "redirect_uri": self._return_url,
            "scope": " ".join(self.rules.scopes),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge_of(begun.verifier),
            "code_challenge_method": "S256",
            "ui_locales": locale.replace("_", "-"),
        }
        if self.rules.required_contexts:
            asked["acr_values"] = " ".join(self.rules.required_contexts)
        if begun.errand is Errand.CONFIRM:
            asked |= {"prompt": "login", "max_age": "0"}
        door = self.documents(now=now).metadata.authorization
        return f"{door}{'&' if '?' in door else '?'}{urlencode(asked)}"

    def way_out(self, onward: str, *, now: datetime) -> str:
        """Where somebody can sign out of the provider as well; empty where it offers that nowhere, or cannot be asked.

        No token goes along: the provider asks the person itself (RP-Initiated Logout 1.0 §2).
        """
        try:
            door = self.documents(now=now).metadata.end_session
        except SignOnRefused:
            return ""
        asked = urlencode({"client_id": self.rules.client_id, "post_logout_redirect_uri": onward})
        return f"{door}{'&' if '?' in door else '?'}{asked}" if door else ""

    def check_answerer(self, named: str | None, *, now: datetime) -> None:
        """That the answer came from this provider (RFC 9207): a mix-up with another would hand our code to it."""
        if named is None and not self.documents(now=now).metadata.names_itself:
            return
        if named != self.rules.issuer:
            raise SignOnRefused(WhyNot.FORGED, "answer_of_another_issuer")

    def vouch(self, code: str, begun: Round, *, now: datetime) -> Vouched:
        """Whom the provider vouches for in exchange for this code. Raises SignOnRefused."""
        if not 0 < len(code) <= MOST_CODE:
            raise SignOnRefused(WhyNot.CODE_REFUSED, "no_code")
        metadata = self.documents(now=now).metadata
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._return_url,
            "code_verifier": begun.verifier,
        }
        tokens = exchange_code(self.rules, metadata, form)
        vouched = self._read(self._with_userinfo(self._claims(tokens, begun, now=now), metadata, tokens))
        if missing := weakness(vouched, self.rules):
            raise SignOnRefused(WhyNot.TOO_WEAK, missing)
        earliest = begun.begun_at - CLOCKS_DIFFER
        if begun.errand is Errand.CONFIRM and (vouched.proved_at is None or vouched.proved_at < earliest):
            raise SignOnRefused(WhyNot.NOT_AGAIN, "auth_time")
        return vouched

    def documents(self, *, now: datetime) -> _Documents:
        """Discovery and keys, fetched when they are not at hand. Raises SignOnRefused."""
        held = self._documents
        if held is not None and timedelta() <= now - held.fetched_at < KEPT_FOR:
            return held
        if self._failed is not None and timedelta() <= now - self._failed[0] < RESTS_AFTER_FAILURE:
            raise SignOnRefused(self._failed[1].why, self._failed[1].detail)
        try:
            metadata = fetch_metadata(self.rules)
            held = _Documents(metadata, fetch_keys(self.rules, metadata), now, now)
        except SignOnRefused as error:
            self._failed = (now, error)
            raise
        self._documents, self._failed = held, None
        return held

    def _claims(self, tokens: Tokens, begun: Round, *, now: datetime) -> Mapping[str, Any]:
        held = self.documents(now=now)
        try:
            return self._read_token(tokens, held.keys, begun, now)
        except UnknownKey:
            if now - held.keys_at < NEW_KEYS_EVERY and held.keys_at != held.fetched_at:
                raise SignOnRefused(WhyNot.BAD_TOKEN, "unknown_key") from None
        keys = fetch_keys(self.rules, held.metadata)
        self._documents = _Documents(held.metadata, keys, held.fetched_at, now)
        try:
            return self._read_token(tokens, keys, begun, now)
        except UnknownKey:
            raise SignOnRefused(WhyNot.BAD_TOKEN, "unknown_key") from None

    def _read_token(
        self, tokens: Tokens, keys: list[Mapping[str, Any]], begun: Round, now: datetime
    ) -> Mapping[str, Any]:
        return read_id_token(tokens.id_token, keys, self.rules, begun, access_token=tokens.access_token, now=now)

    def _with_userinfo(self, claims: Mapping[str, Any], metadata: Metadata, tokens: Tokens) -> Mapping[str, Any]:
        """The token's claims, and for what it leaves out what the provider says beside it (§5.3.2). The token wins.

        An address and whether it is verified are taken from the same place, never one from each. How and when somebody has
        signed in (`amr`, `acr`, `auth_time`) stands in the signed token or nowhere: beside it may be a profile they fill in.
        """
        rules, address = self.rules, ("email", self.rules.verified_claim)
        has_address = all(claim_at(claims, name) is not None for name in address)
        has_groups = not rules.roles or claim_at(claims, rules.groups_claim) is not None
        if (has_address and has_groups) or not (metadata.userinfo and tokens.access_token):
            return claims
        more = fetch_userinfo(rules, metadata, tokens)
        if more.get("sub") != claims["sub"]:
            raise SignOnRefused(WhyNot.BAD_TOKEN, "userinfo_of_another")
        if has_address or more.get("email") is None:
            more = {name: value for name, value in more.items() if name not in address}
        else:
            claims = {name: value for name, value in claims.items() if name not in address}
        return {**{name: value for name, value in more.items() if name not in _SIGNED}, **claims}

    def _read(self, claims: Mapping[str, Any]) -> Vouched:
        address, name, context = claims.get("email"), claims.get("name"), claims.get("acr")
        return Vouched(
            issuer=self.rules.issuer,
            subject=claims["sub"],
            address=address if isinstance(address, str) else None,
            is_verified=_is_yes(claim_at(claims, self.rules.verified_claim), self.rules.verified_claim),
            name=name if isinstance(name, str) else "",
            groups=_texts(claim_at(claims, self.rules.groups_claim)),
            methods=_texts(claims.get("amr")),
            context=context if isinstance(context, str) else "",
            proved_at=moment_of(claims.get("auth_time")),
        )


def challenge_of(verifier: str) -> str:
    """What the provider gets to see of the verifier before it gets the verifier (RFC 7636 §4.2, S256)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _is_yes(claim: object, name: str) -> bool:
    """Whether a claim says that the address is verified. The standard's is `true` and nothing else (Core §5.1).

    Text and number are taken of a claim that the operator has named, because Entra writes `"1"` and `"true"`.
    """
    return claim is True or (name != STANDARD_PROOF and claim in (1, "1", "true"))


def _texts(claim: object) -> frozenset[str]:
    if isinstance(claim, str):
        return frozenset({claim})
    return (
        frozenset(one for one in claim[:MOST_GROUPS] if isinstance(one, str))
        if isinstance(claim, list)
        else frozenset()
    )
