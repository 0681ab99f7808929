"""For whom passkeys are made, by the address of the service."""

from __future__ import annotations

import pytest

from preferences.domain.passkeys import relying_party


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://preferences.example", ("preferences.example", "https://preferences.example")),
        ("https://Preferences.Example:443/path", ("preferences.example", "https://preferences.example")),
        ("https://preferences.example:8443", ("preferences.example", "https://preferences.example:8443")),
        ("https://val.åkeri.example", ("val.xn--keri-poa.example", "https://val.xn--keri-poa.example")),
        ("http://localhost:8080", ("localhost", "http://localhost:8080")),
        ("http://127.0.0.1:8080", None),
        ("https://[::1]", None),
        ("http://preferences.example", None),
        ("", None),
    ],
)
def test_relying_party_is_the_host_of_a_secure_address(base_url: str, expected: tuple[str, str] | None) -> None:
    found = relying_party(base_url, "Exempelbolaget")
    assert (found and (found.id, found.origin)) == expected
