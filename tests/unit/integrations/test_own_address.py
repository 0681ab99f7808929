"""Calling our own address shows what is wrong with it, in one code: name, certificate, redirect, somebody else (M3)."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from preferences.domain.own_address import AddressCode, is_nonce, is_proof, proof
from preferences.integrations import http
from preferences.integrations.own_address import call_own_address
from tests.support.certificates import self_signed
from tests.support.receiver import Answer, receiving

KEYS = (b"o" * 32, b"n" * 32)


def ours(path: str) -> Answer:
    """What this installation answers, before the newest key has reached every process."""
    return 200, {}, proof(KEYS[0], path.rpartition("/")[2]).encode() + b"\n"


@pytest.mark.parametrize(
    ("answer", "code", "leads_to"),
    [
        (ours, AddressCode.OURS, ""),
        (lambda _: (200, {}, b"ok\n"), AddressCode.SOMEBODY_ELSE, ""),
        (lambda path: (200, {}, proof(b"x" * 32, path[-43:]).encode()), AddressCode.SOMEBODY_ELSE, ""),
        (lambda _: (404, {}, "\xe9".encode("latin-1")), AddressCode.SOMEBODY_ELSE, ""),
        (lambda _: (502, {}, b"Bad gateway"), AddressCode.FAULT, ""),
        (lambda _: (301, {"Location": "https://b.example/x"}, b""), AddressCode.REDIRECT, "https://b.example/x"),
    ],
)
def test_what_answers_is_told_apart(answer: Any, code: AddressCode, leads_to: str) -> None:
    with receiving() as server:
        server.page = answer
        found = call_own_address(server.url.removesuffix("/hook"), KEYS)
    assert (found.code, found.leads_to, found.is_private) == (code, leads_to, True)


def test_what_does_not_answer_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as closed:
        url = closed.url.removesuffix("/hook")
    assert call_own_address(url, KEYS).code is AddressCode.REFUSED
    assert call_own_address("https://" + "a" * 64 + ".example", KEYS).code is AddressCode.NO_NAME

    def nothing(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    assert call_own_address("https://preferences.example", KEYS).code is AddressCode.NO_NAME


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = call_own_address(f"http://127.0.0.1:{silent.getsockname()[1]}", KEYS)
    assert found.code is AddressCode.TIMED_OUT


@pytest.mark.parametrize(
    ("address", "days", "is_trusted", "code"),
    [
        ("127.0.0.1", 40, True, AddressCode.OURS),
        ("127.0.0.1", 40, False, AddressCode.CERTIFICATE_UNTRUSTED),
        ("127.0.0.1", -1, True, AddressCode.CERTIFICATE_EXPIRED),
        ("127.0.0.9", 40, True, AddressCode.CERTIFICATE_NAME),
    ],
)
def test_the_certificate_is_looked_at(
    tmp_path: Path, address: str, days: int, is_trusted: bool, code: AddressCode
) -> None:
    files = self_signed(tmp_path, address=address, days=days)
    with receiving(files) as server:
        server.page = ours
        trusted = str(files[0]) if is_trusted else ""
        found = call_own_address(server.url.removesuffix("/hook"), KEYS, ca_file=trusted)
    assert found.code is code
    if code is AddressCode.OURS:
        assert found.certificate_ends_at is not None
        assert found.certificate_ends_at - datetime.now(UTC) > timedelta(days=39)


def test_a_proof_is_for_one_nonce_and_one_key() -> None:
    one, other = "a" * 43, "b" * 43
    assert is_proof(KEYS, one, proof(KEYS[1], one))
    assert not is_proof(KEYS, other, proof(KEYS[1], one))
    assert not is_proof((), one, proof(KEYS[1], one))
    assert [is_nonce(text) for text in (one, "", "a" * 44, "å" * 43, "a" * 42 + "/")] == [True] + [False] * 4
