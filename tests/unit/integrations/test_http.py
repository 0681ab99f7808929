"""Calls to other people's servers stay outside: whatever form an inner address takes, nothing is sent there (SSRF)."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

import pytest

from preferences.domain.webhooks import AttemptCode
from preferences.integrations.http import Line, Reach, retry_after
from tests.support.receiver import receiving

INSIDE = [
    "https://127.0.0.1",
    "https://127.1",
    "https://2130706433",
    "https://0x7f000001",
    "https://0x7f.0.0.1",
    "https://017700000001",
    "https://[::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[::ffff:7f00:1]",
    "https://[64:ff9b::7f00:1]",
    "https://[fe80::1]",
    "https://[fd00::1]",
    "https://0.0.0.0",
    "https://10.0.0.1",
    "https://172.16.0.1",
    "https://192.168.0.1",
    "https://100.64.0.1",
    "https://169.254.169.254/latest/meta-data/",
    "https://localhost",
    "http://example.com",
]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names lead to, instead of the real DNS; a list is given out one by one."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host in known:
            found = known[host]
            return real(found.pop(0) if len(found) > 1 else found[0], *args, **kwargs)
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize("base", INSIDE)
def test_no_form_of_an_inner_address_is_called(base: str) -> None:
    with receiving() as receiver:
        url = base if "/latest" in base or base.startswith("http:") else f"{base}:{receiver.port}/hook"
        assert Line(Reach.PUBLIC, user_agent="test").post(url, b"{}", {}).code is AttemptCode.PRIVATE_ADDRESS
        assert receiver.connections == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:10.0.0.1"])
def test_a_public_name_that_leads_inside_is_not_called(names: dict[str, list[str]], address: str) -> None:
    names["hooks.example"] = [address]
    line = Line(Reach.PUBLIC, user_agent="test")
    assert line.post("https://hooks.example/", b"{}", {}).code is AttemptCode.PRIVATE_ADDRESS


def test_a_name_that_leads_elsewhere_the_next_time_is_looked_up_again(names: dict[str, list[str]]) -> None:
    names["hooks.example"] = ["10.0.0.1", "192.168.0.1"]
    line = Line(Reach.PUBLIC, user_agent="test")
    for _ in range(2):
        assert line.post("https://hooks.example/", b"{}", {}).code is AttemptCode.PRIVATE_ADDRESS


def test_a_name_that_leads_nowhere_is_unreachable() -> None:
    line = Line(Reach.PUBLIC, user_agent="test")
    assert line.post("https://nothing.invalid/", b"{}", {}).code is AttemptCode.UNREACHABLE


def test_connections_are_kept_and_cookies_are_not() -> None:
    with receiving() as receiver:
        line = Line(Reach.ANYWHERE, user_agent="test")
        receiver.answer = (200, {"Set-Cookie": "a=b"}, b"ok")
        for _ in range(3):
            assert line.post(receiver.url, b"{}", {"webhook-id": "x"}).excerpt == "ok"
        assert receiver.connections == 1
        assert {one.headers.get("cookie") for one in receiver.messages} == {None}
        assert {one.headers["host"] for one in receiver.messages} == {f"127.0.0.1:{receiver.port}"}
        line.close()


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with receiving() as receiver:
        assert Line(Reach.ANYWHERE, user_agent="test").post(receiver.url, b"{}", {}).is_delivered


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("", None),
        ("0", timedelta()),
        ("120", timedelta(seconds=120)),
        ("9" * 50, timedelta(seconds=10**7)),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("１２", None),
        ("x" * 500, None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_read_or_ignored(text: str | None, expected: timedelta | None) -> None:
    assert retry_after(text) == expected
