"""Rounds to a provider and back, in order on our side."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from preferences.domain.single_sign_on import (
    Errand,
    PasswordsFor,
    SignOnRefused,
    SignOnRules,
    Vouched,
    WhyNot,
)
from preferences.domain.webhook_urls import UrlRules
from preferences.integrations.oidc.provider import Provider, new_round
from tests.support.identity_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider

RETURN = "https://preferences.example/admin/single-sign-on/return"


def rules_of(fake: FakeProvider, **more: Any) -> SignOnRules:
    rules = SignOnRules(
        issuer=fake.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        label="",
        scopes=("openid", "email"),
        verified_claim="email_verified",
        groups_claim="groups",
        roles={},
        new_staff_domains=frozenset(),
        required_methods=frozenset(),
        required_contexts=(),
        passwords=PasswordsFor.EVERYBODY,
        urls=UrlRules(("127.0.0.1",), allows_http=True),
    )
    return replace(rules, **more)


def go_round(
    fake: FakeProvider, errand: Errand = Errand.SIGN_IN, provider: Provider | None = None, **more: Any
) -> Vouched:
    """There and back, all in order on our side."""
    provider = provider or Provider(rules_of(fake, **more), return_url=RETURN)
    now = datetime.now(UTC)
    begun = new_round(errand, "/admin", now=now)
    back = fake.welcome(provider.way_there(begun, locale="sv", now=now))
    code = back.partition("code=")[2].partition("&")[0]
    return provider.vouch(code, begun, now=now)


def why_not(fake: FakeProvider, **more: Any) -> tuple[WhyNot, str]:
    with pytest.raises(SignOnRefused) as refused:
        go_round(fake, **more)
    return refused.value.why, refused.value.detail
