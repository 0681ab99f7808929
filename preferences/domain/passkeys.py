"""Passkeys (WebAuthn level 3) of staff: for whom browsers make them, what one is asked for, and its bounds."""

from __future__ import annotations

import ipaddress
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import urlsplit

import idna

from .errors import InvalidValue

CHALLENGE_LASTS = timedelta(minutes=5)
"""How long a browser may take to answer (WebAuthn §15.1 recommends 5 to 10 minutes)."""

MOST_PASSKEYS = 10
"""Of one person."""

MOST_NAME = 60

MOST_ANSWER = 16 * 1024
"""Characters of a browser's answer; those of real ones are below 4,000."""

_DEFAULT_PORTS = {"https": 443, "http": 80}


class Ceremony(StrEnum):
    """What a passkey is asked for. A challenge made for one is no good for another."""

    SIGN_IN = "sign_in"
    """Alone, from the sign-in page: the passkey says who it is."""
    SECOND_FACTOR = "second_factor"
    """After the password."""
    CONFIRM = "confirm"
    """Once more, before what is not easily undone."""
    ADD = "add"
    """A new one is made: at the first sign-in, or on the account's page."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """For whom passkeys are made: the host (`id`), the exact origin of the pages, and the name that browsers show."""

    id: str
    origin: str
    name: str


def relying_party(base_url: str, name: str) -> RelyingParty | None:
    """The relying party of a public address; None where browsers make no passkeys: for an IP address, or over plain http."""
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".")
    is_local = host == "localhost" or host.endswith(".localhost")
    if not host or _is_ip(host) or not (parts.scheme == "https" or is_local):
        return None
    host = host if host.isascii() else idna.encode(host, uts46=True).decode()
    port = "" if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    return RelyingParty(host, f"{parts.scheme}://{host}{port}", name)


def passkey_name(typed: str) -> str:
    """A name that somebody gives a passkey. Raises InvalidValue."""
    name = unicodedata.normalize("NFC", " ".join(typed.split()))
    if not 0 < len(name) <= MOST_NAME or not name.isprintable():
        raise InvalidValue(f"A name has 1 to {MOST_NAME} characters.", pointer="/name")
    return name


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
