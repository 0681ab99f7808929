"""Calling our own address by name over https, with a certificate that the company's own authority issued."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from preferences.domain.own_address import AddressCode, AddressFound, proof
from preferences.integrations import http
from preferences.integrations.own_address import call_own_address
from tests.support.certificates import issued
from tests.support.receiver import Answer, receiving

NAME = "preferences.company.internal"
KEYS = (b"o" * 32,)


def ours(path: str) -> Answer:
    """What this installation answers."""
    return 200, {}, proof(KEYS[0], path.rpartition("/")[2]).encode()


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name leads to this machine, as the company's own name server says."""
    look_up = socket.getaddrinfo

    def here(_host: Any, *more: Any, **named: Any) -> Any:
        return look_up("127.0.0.1", *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", here)


def call(port: int | None, ca_file: str, name: str = NAME) -> AddressFound:
    return call_own_address(f"https://{name}:{port}", KEYS, ca_file=ca_file)


@pytest.mark.parametrize(
    ("issued_for", "days", "trusts", "code"),
    [
        (NAME, 40, True, AddressCode.OURS),
        ("*.company.internal", 40, True, AddressCode.OURS),
        ("other.company.internal", 40, True, AddressCode.CERTIFICATE_NAME),
        (NAME, -1, True, AddressCode.CERTIFICATE_EXPIRED),
        (NAME, 40, False, AddressCode.CERTIFICATE_UNTRUSTED),
    ],
)
def test_the_certificate_is_that_of_the_name(
    tmp_path: Path, issued_for: str, days: int, trusts: bool, code: AddressCode
) -> None:
    """A name that leads to a private address is said to, and called."""
    ca_file, files = issued(tmp_path, issued_for, days=days)
    with receiving(files) as server:
        server.page = ours
        found = call(urlsplit(server.url).port, ca_file if trusts else "")
    assert (found.code, found.is_private) == (code, True)


def test_another_authority_of_the_same_name_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    _, files = issued(tmp_path, NAME)
    theirs, _ = issued(tmp_path / "theirs", NAME)
    with receiving(files) as server:
        server.page = ours
        found = call(urlsplit(server.url).port, theirs)
    assert found.code is AddressCode.CERTIFICATE_UNTRUSTED


def test_a_redirect_is_told_and_not_followed(tmp_path: Path) -> None:
    ca_file, files = issued(tmp_path, NAME)
    with receiving(files) as server:
        server.page = lambda _: (308, {"Location": "https://www.company.example/"}, b"")
        found = call(urlsplit(server.url).port, ca_file)
    assert (found.code, found.leads_to) == (AddressCode.REDIRECT, "https://www.company.example/")


def test_plain_http_on_the_port_of_https_is_no_service(tmp_path: Path) -> None:
    ca_file, _ = issued(tmp_path, NAME)
    with receiving() as server:
        server.page = ours
        found = call(urlsplit(server.url).port, ca_file)
    assert found.code is AddressCode.UNREACHABLE


def test_a_server_that_never_shakes_hands_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.2)
    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.2)
    ca_file, _ = issued(tmp_path, NAME)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = call(silent.getsockname()[1], ca_file)
    assert found.code is AddressCode.TIMED_OUT
