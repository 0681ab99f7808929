"""Email addresses: one normal form for matching, the original kept for sending (trap T23).

Normal form: trim, NFC, IDNA (domain to ASCII), lower-case. `+tag` and dots are kept: they may be other people.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import NewType

from email_validator import EmailNotValidError, validate_email

from .errors import InvalidAddress

NormalAddress = NewType("NormalAddress", str)

MAX_ADDRESS_BYTES = 254
"""RFC 5321 §4.5.3.1.3: a path is at most 256 octets with its angle brackets."""

HIDDEN = "•••"
"""What stands for everything that a link in a mail may not show."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>(?:{_LABEL}\.)+[A-Za-z]{{2,63}})", re.ASCII)
_LOCAL_PART_BYTES = 64
"""RFC 5321 §4.5.3.1.1, octets."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address as the person wrote it, and the normal form that stands for the mailbox."""

    original: str
    normal: NormalAddress

    @property
    def domain(self) -> str:
        """The domain in its normal (ASCII, lower-case) form."""
        return self.normal.rpartition("@")[2]

    def __repr__(self) -> str:
        """Never the address itself: objects end up in logs and tracebacks."""
        return f"<Address {mask_address(self.original)}>"


def parse_address(raw: str) -> Address:
    """Read one address. Raises InvalidAddress with a reason: `empty`, `too_long`, `control_character` or `syntax`.

    Plain ASCII addresses take a fast path (a bulk import reads a million); everything else goes through
    email-validator without asking the DNS. The domain must have a dot: we never mail `root@localhost`.
    """
    text = raw.strip()
    if not text:
        raise InvalidAddress("The address is empty.", reason="empty")
    if len(text) > MAX_ADDRESS_BYTES:
        raise InvalidAddress("The address is longer than 254 bytes.", reason="too_long")
    if text.isascii():
        match = _PLAIN.fullmatch(text)
        lowered = text.lower()
        if match is not None and len(match["local"]) <= _LOCAL_PART_BYTES and "xn--" not in lowered:
            return Address(original=text, normal=NormalAddress(lowered))
    return _parse_unusual(text)


def normal_form(raw: str) -> NormalAddress | None:
    """The normal form of an address; None where the text is none. For the bulk calls, which read a hundred thousand."""
    text = raw.strip()
    if len(text) <= MAX_ADDRESS_BYTES and text.isascii():
        match = _PLAIN.fullmatch(text)
        lowered = text.lower()
        if match is not None and match.end("local") <= _LOCAL_PART_BYTES and "xn--" not in lowered:
            return NormalAddress(lowered)
    try:
        return parse_address(text).normal
    except InvalidAddress:
        return None


def _parse_unusual(text: str) -> Address:
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text):
        raise InvalidAddress("The address holds a control character.", reason="control_character")
    try:
        found = validate_email(unicodedata.normalize("NFC", text), check_deliverability=False, test_environment=True)
    except EmailNotValidError:  # its message may quote the address, which belongs in no traceback
        raise InvalidAddress("This does not look like an email address.", reason="syntax") from None
    if found.ascii_domain is None or "." not in found.ascii_domain:
        raise InvalidAddress("The domain of the address is not complete.", reason="syntax")
    local = unicodedata.normalize("NFC", found.local_part.lower())
    normal = f"{local}@{found.ascii_domain.lower()}"
    if len(normal.encode()) > MAX_ADDRESS_BYTES or len(text.encode()) > MAX_ADDRESS_BYTES:
        raise InvalidAddress("The address is longer than 254 bytes.", reason="too_long")
    if len(local.encode()) > _LOCAL_PART_BYTES:
        raise InvalidAddress("What stands before the @ is longer than 64 bytes.", reason="too_long")
    return Address(original=text, normal=NormalAddress(normal))


def parse_domain(raw: str) -> str:
    """The normal form of a bare domain (`example.se`, `@Example.SE`, `exämple.se`), as in addresses. Raises InvalidAddress."""
    return parse_address("x@" + raw.strip().removeprefix("@")).domain


def mask_address(address: str) -> str:
    """An address its owner recognises and a stranger cannot use: `a•••@e•••.se` (forward-safe, T11).

    At most one character of the name and one of the domain stand there, and never the whole of either.
    """
    local, _, domain = address.rpartition("@")
    name, dot, rest = domain.rpartition(".")
    if not local or not dot:
        return HIDDEN
    return f"{_first(local)}{HIDDEN}@{_first(name)}{HIDDEN}.{rest}"


def _first(text: str) -> str:
    return text[0] if len(text) > 1 else ""
