"""Which URLs an endpoint may have. What a host's name leads to is checked again at every call, where the address is known."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import InvalidValue

MAX_URL_CHARACTERS = 1000
_URL = re.compile(r"https?://([a-zA-Z0-9.-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(:[0-9]{1,5})?(/[!-~]*|\?[!-~]*)?", re.ASCII)
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)", re.ASCII)
_LOCAL = ("localhost", "local", "internal", "localdomain", "home.arpa")


class UnusableUrl(InvalidValue):
    """An endpoint cannot have this URL."""

    code = "unusable_url"
    title = "The URL cannot be used"


@dataclass(frozen=True, slots=True)
class UrlRules:
    """What an installation allows beyond public https: hosts of its own by name, and there http outside production."""

    private_hosts: Collection[str] = ()
    allows_http: bool = False

    def is_private(self, url: str) -> bool:
        """Whether the operator named this URL's host."""
        return (urlsplit(url).hostname or "") in self.private_hosts

    def check(self, url: str, *, pointer: str = "/url") -> None:
        """Raises UnusableUrl, which says what would do."""
        host = _host(url, pointer)
        named = host in self.private_hosts
        if not url.startswith("https://") and not (named and self.allows_http):
            raise UnusableUrl("An endpoint's URL starts with https://.", pointer=pointer)
        if not named and not _looks_public(host):
            raise UnusableUrl("The URL leads to an address that is not public.", pointer=pointer)


def _host(url: str, pointer: str) -> str:
    if len(url) > MAX_URL_CHARACTERS:
        raise UnusableUrl(f"A URL has at most {MAX_URL_CHARACTERS} characters.", pointer=pointer)
    if not _URL.fullmatch(url) or "#" in url or "\\" in url:
        detail = "Use https://host/path in ASCII (a name as xn--…), without user name and without #fragment."
        raise UnusableUrl(detail, pointer=pointer)
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").rstrip(".")
    except ValueError:
        port, host = 0, ""
    if port == 0 or not host or ".." in host:
        raise UnusableUrl("The URL names no host that could be called.", pointer=pointer)
    return host


def _looks_public(host: str) -> bool:
    """Not an address out of the private ranges, in whatever way it is written, nor a name that only works at home."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        last = host.rpartition(".")[2]
        is_number = _NUMBER.fullmatch(last) is not None
        return "." in host and not is_number and not any(host == end or host.endswith(f".{end}") for end in _LOCAL)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_global and not address.is_multicast
