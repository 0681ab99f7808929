"""Encrypted values open in their own place with their own key or not at all; blind indexes are stable and keyed (L14)."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.domain.address import parse_address
from preferences.models import crypto
from preferences.models.crypto import EncryptedJson, EncryptedText, Keyring, UnreadableValue, use_keyring

OLD, NEW, OTHER, INDEX = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32, b"\x04" * 32
RING = Keyring([OLD, NEW], INDEX)
WHERE = b"recipients.address"


@given(st.binary(max_size=2000))
def test_value_round_trips_and_hides_what_it_holds(plain: bytes) -> None:
    stored = RING.encrypt(plain, WHERE)
    assert RING.decrypt(stored, WHERE) == plain
    assert len(plain) < 8 or plain not in stored


def test_same_value_never_looks_the_same_twice() -> None:
    assert len({RING.encrypt(b"anna@example.se", WHERE) for _ in range(100)}) == 100


def test_every_flipped_bit_is_noticed() -> None:
    stored = RING.encrypt(b"anna@example.se", WHERE)
    for place in range(len(stored)):
        for bit in range(8):
            changed = bytearray(stored)
            changed[place] ^= 1 << bit
            with pytest.raises(UnreadableValue):
                RING.decrypt(bytes(changed), WHERE)


def test_every_truncation_is_noticed() -> None:
    stored = RING.encrypt(b"anna@example.se", WHERE)
    for length in range(len(stored)):
        with pytest.raises(UnreadableValue):
            RING.decrypt(stored[:length], WHERE)
    with pytest.raises(UnreadableValue):
        RING.decrypt(stored + b"\x00", WHERE)


@given(st.binary(max_size=80))
def test_any_bytes_are_unreadable_never_another_error(stored: bytes) -> None:
    with pytest.raises(UnreadableValue):
        RING.decrypt(stored, WHERE)


def test_value_copied_into_another_column_does_not_open() -> None:
    with pytest.raises(UnreadableValue, match=r"recipients\.name"):
        RING.decrypt(RING.encrypt(b"anna@example.se", WHERE), b"recipients.name")


def test_newest_key_encrypts_and_older_ones_still_open() -> None:
    old = Keyring([OLD], INDEX).encrypt(b"anna", WHERE)
    assert RING.decrypt(old, WHERE) == b"anna"
    assert not old.startswith(RING.newest_head)
    new = RING.encrypt(b"anna", WHERE)
    assert new.startswith(RING.newest_head)
    assert Keyring([NEW], INDEX).decrypt(new, WHERE) == b"anna"
    with pytest.raises(UnreadableValue):
        Keyring([OTHER], INDEX).decrypt(new, WHERE)


def test_error_of_an_unreadable_value_names_the_column_and_holds_no_data() -> None:
    stored = RING.encrypt(b"anna@example.se", WHERE)
    with pytest.raises(UnreadableValue) as refused:
        Keyring([OTHER], INDEX).decrypt(stored, WHERE)
    assert str(refused.value) == "no key for a value in recipients.address"


def test_blind_index_is_the_same_for_every_spelling_and_data_key() -> None:
    spellings = ["anna@exämple.se", " ANNA@EXÄMPLE.SE ", "anna@xn--exmple-cua.se"]
    indexes = {RING.address_index(parse_address(one).normal) for one in spellings}
    indexes |= {Keyring([OTHER], INDEX).address_index(parse_address(one).normal) for one in spellings}
    assert len(indexes) == 1


def test_blind_index_needs_its_key_and_tells_kinds_apart() -> None:
    normal = parse_address("anna@example.se").normal
    assert Keyring([OLD], OTHER).address_index(normal) != RING.address_index(normal)
    kinds = {RING.address_index(normal), RING.domain_index(normal), RING.external_index(normal)}
    assert len(kinds) == 3
    assert {len(one) for one in kinds} == {16}


def test_blind_index_never_changes_between_releases() -> None:
    """Suppressions of erased people hang on it (T22): a changed value here would revive them."""
    assert RING.address_index(parse_address("anna@example.se").normal).hex() == "b8323d859cdd050f5f617b331322ae64"


@pytest.mark.parametrize(("data", "index"), [([], INDEX), ([b"short"], INDEX), ([OLD], b"short"), ([OLD, b""], INDEX)])
def test_keys_of_the_wrong_length_are_refused(data: list[bytes], index: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring(data, index)


@pytest.fixture
def ring() -> Iterator[None]:
    """The keys of this process, put back afterwards."""
    before = crypto._keyring
    use_keyring(RING)
    yield
    crypto._keyring = before


@pytest.mark.usefixtures("ring")
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_text_column_keeps_every_text(text: str) -> None:
    column = EncryptedText("recipients.name")
    stored = column.process_bind_param(text, None)  # type: ignore[arg-type]
    assert column.process_result_value(stored, None) == text  # type: ignore[arg-type]


@pytest.mark.usefixtures("ring")
def test_absent_value_stays_absent() -> None:
    for column in (EncryptedText("recipients.name"), EncryptedJson("recipients.profile")):
        assert column.process_bind_param(None, None) is None  # type: ignore[arg-type]
        assert column.process_result_value(None, None) is None  # type: ignore[arg-type]


def test_column_without_keys_fails_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto, "_keyring", None)
    with pytest.raises(RuntimeError, match="create_app"):
        EncryptedText("recipients.name").process_bind_param("x", None)  # type: ignore[arg-type]


def test_values_encrypted_in_a_row_open_like_any_other_and_never_share_a_nonce() -> None:
    encrypt = RING.encrypter(100)
    stored = [encrypt(b"the same", b"t.c") for _ in range(100)]
    assert {RING.decrypt(one, b"t.c") for one in stored} == {b"the same"}
    assert len({one[5:17] for one in stored}) == 100


@given(st.binary(max_size=300))
def test_the_index_is_hmac_sha_256(text: bytes) -> None:
    key = b"k" * 32
    assert crypto._Mac(key).digest(text) == hmac.digest(key, text, "sha256")
