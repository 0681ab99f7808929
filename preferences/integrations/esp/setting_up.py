"""Setting up a hook: the secrets of a scheme made complete, and what has to be entered at the provider."""

from __future__ import annotations

import secrets as random_secrets
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from .base import USERNAME, Scheme, Secrets


@dataclass(frozen=True, slots=True, repr=False)
class ToEnter:
    """The address, with a password in it where the scheme has one, and the header, if any. Shown once."""

    url: str
    header: str | None


def complete_secrets(scheme: Scheme, given: Secrets) -> dict[str, str]:
    """The provider's secrets with fresh ones of ours. Raises ValueError where they could never verify anything."""
    fresh = {name: random_secrets.token_urlsafe(24) for name in scheme.ours}
    secrets = {"scheme": scheme.name, **given, **fresh}
    if scheme.check is not None:
        scheme.check(secrets)
    return secrets


def hook_address(base_url: str, provider: str, mailer: str) -> str:
    """Where a provider reports for a mailer."""
    return f"{base_url}/hooks/esp/{provider}/{mailer}"


def to_enter(base_url: str, provider: str, mailer: str, scheme: Scheme, secrets: Secrets) -> ToEnter:
    """What to enter at the provider."""
    url = hook_address(base_url, provider, mailer)
    if "password" in scheme.ours:
        base = urlsplit(url)
        url = urlunsplit(base._replace(netloc=f"{USERNAME}:{secrets['password']}@{base.netloc}"))
    return ToEnter(url, f"Authorization: Bearer {secrets['token']}" if "token" in scheme.ours else None)
