"""Calls our own public address from here, as a mailbox provider would: no redirect followed, the certificate looked at.

The address is the operator's own setting, so it may lead to a private one; that is said, not refused.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
import ssl
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_match_hostname import CertificateError

from preferences.domain.own_address import AddressCode, AddressFound, is_proof

from .http import Fetched, Line, Reach

USER_AGENT = "preferences-self-check/1"
_EXPIRED, _NAME, _NAME_IS_ADDRESS = 10, 62, 64
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED, _HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH."""


def call_own_address(base_url: str, keys: Sequence[bytes], *, ca_file: str = "") -> AddressFound:
    """One GET of `<base_url>/healthz/<nonce>` and what it shows. Never raises for anything that answers, or does not.

    `ca_file`: the authorities that are trusted instead of the public ones.
    """
    parts = urlsplit(base_url)
    try:
        is_private = _is_private(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    except (OSError, UnicodeError):
        return AddressFound(AddressCode.NO_NAME)
    line, nonce = Line(Reach.ANYWHERE, user_agent=USER_AGENT, ca_file=ca_file), secrets.token_urlsafe(32)
    try:
        fetched = line.get(f"{base_url}/healthz/{nonce}")
    except (OSError, HTTPError, ValueError) as error:  # what requests raises is an OSError
        return AddressFound(_code_of(error), is_private=is_private)
    finally:
        line.close()
    return AddressFound(
        _code_of_answer(fetched, keys, nonce),
        fetched.status,
        fetched.certificate_ends_at,
        fetched.location if 300 <= fetched.status < 400 else "",
        is_private,
    )


def _code_of_answer(fetched: Fetched, keys: Sequence[bytes], nonce: str) -> AddressCode:
    if fetched.status == 200 and is_proof(keys, nonce, fetched.excerpt):
        return AddressCode.OURS
    if 300 <= fetched.status < 400:
        return AddressCode.REDIRECT
    return AddressCode.FAULT if fetched.status in {502, 503, 504} else AddressCode.SOMEBODY_ELSE


def _code_of(error: BaseException) -> AddressCode:
    causes = list(_causes(error))
    for one in causes:
        if isinstance(one, CertificateError):  # urllib3 compares the name itself
            return AddressCode.CERTIFICATE_NAME
        if isinstance(one, ssl.SSLCertVerificationError):
            if one.verify_code == _EXPIRED:
                return AddressCode.CERTIFICATE_EXPIRED
            named = one.verify_code in {_NAME, _NAME_IS_ADDRESS}
            return AddressCode.CERTIFICATE_NAME if named else AddressCode.CERTIFICATE_UNTRUSTED
    if any(isinstance(one, ConnectionRefusedError) for one in causes):
        return AddressCode.REFUSED
    if any(isinstance(one, (TimeoutError, requests.exceptions.Timeout)) for one in causes):
        return AddressCode.TIMED_OUT
    return AddressCode.UNREACHABLE


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything inside it: libraries wrap in arguments, reasons, causes and contexts."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


def _is_private(host: str, port: int) -> bool:
    """Whether any address of the name is not public. Raises OSError or UnicodeError where it leads nowhere."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return any(not ipaddress.ip_address(str(one[4][0]).partition("%")[0]).is_global for one in found)
