"""Codes of authenticator apps: the vectors of RFC 6238 and RFC 4226, the window, and one use."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from preferences.domain.totp import code_at, matching_step, new_secret, otpauth_uri, step_of

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert code_at(SECRET, step_of(moment)) == code
    assert matching_step(SECRET, code, now=moment, after=None) == step_of(moment)


def test_codes_are_those_of_rfc_4226() -> None:
    codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
    assert [code_at(SECRET, step) for step in range(10)] == codes


def test_window_is_one_step_to_either_side_and_moves_on_with_use() -> None:
    now = datetime.fromtimestamp(1_000_000, UTC)
    current = step_of(now)
    found = [
        matching_step(SECRET, code_at(SECRET, current + drift), now=now, after=None) is not None
        for drift in range(-2, 3)
    ]
    assert found == [False, True, True, True, False]
    assert matching_step(SECRET, code_at(SECRET, current), now=now, after=current) is None
    assert matching_step(SECRET, code_at(SECRET, current - 1), now=now, after=current) is None
    assert matching_step(SECRET, code_at(SECRET, current + 1), now=now, after=current) == current + 1


@pytest.mark.parametrize("typed", ["", " ", "28708", "2870822", "abcdef", "２８７ ０８２", "287 082 ", "287-082"])
def test_typed_code_is_read_as_people_write_it(typed: str) -> None:
    now = datetime.fromtimestamp(59, UTC)
    is_right = matching_step(SECRET, typed, now=now, after=None) is not None
    assert is_right is (typed in {"２８７ ０８２", "287 082 ", "287-082"})


def test_secret_is_160_random_bits_and_the_address_of_the_app_holds_it() -> None:
    secret = new_secret()
    assert len(base64.b32decode(secret)) == 20
    assert secret != new_secret()
    uri = otpauth_uri(secret, account="åsa@example.se", issuer="Bolaget & Co: AB")
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parse_qs(parts.query)["secret"] == [secret]
    assert parse_qs(parts.query)["issuer"] == ["Bolaget & Co: AB"]
