"""Tokens: signed whole, one salt a capability, keys that rotate, two forms that survive mail (T11–T16; contract.md)."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.domain.capability import (
    MAX_TOKEN_CHARACTERS,
    PREFERENCES_LAST,
    Capability,
    Claims,
    LinkSigner,
    RecipientId,
    _key_id,
    preferences_expired,
)
from preferences.domain.errors import BadToken

OLD, NEW, OTHER = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
SIGNER = LinkSigner([OLD, NEW])
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
MAIL_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
LAST_SECOND = datetime(2156, 1, 1, tzinfo=UTC)

CLAIMS = st.builds(
    Claims,
    capability=st.sampled_from(Capability),
    recipient_id=st.integers(1, 2**63 - 1).map(RecipientId),
    purpose_id=st.integers(0, 65535),
    epoch=st.integers(0, 65535),
    issued_at=st.integers(1_577_836_800, int(LAST_SECOND.timestamp())).map(
        lambda at: datetime.fromtimestamp(at, tz=UTC)
    ),
    reference=st.integers(0, 2**32 - 1),
)
SOME = Claims(
    capability=Capability.UNSUBSCRIBE,
    recipient_id=RecipientId(2**62 + 12345),
    purpose_id=7,
    epoch=3,
    issued_at=datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC),
    reference=99,
)


@given(CLAIMS)
def test_url_form_round_trips_within_contract(claims: Claims) -> None:
    token = SIGNER.mint(claims)
    assert SIGNER.open(token, claims.capability) == claims
    assert len(token) <= MAX_TOKEN_CHARACTERS
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", token), "no +, / or = (T15)"


@given(CLAIMS)
def test_mail_form_round_trips_within_a_local_part(claims: Claims) -> None:
    token = SIGNER.mint_mail(claims)
    assert SIGNER.open_mail(token, claims.capability) == claims
    assert set(token) <= set(MAIL_ALPHABET)
    assert len(f"unsubscribe+{token}") <= 63


@given(CLAIMS, st.data())
def test_mail_form_survives_every_change_of_case(claims: Claims, data: st.DataObject) -> None:
    token = SIGNER.mint_mail(claims)
    mixed = "".join(one.upper() if data.draw(st.booleans()) else one for one in token)
    for form in (token.upper(), token.lower(), mixed):
        assert SIGNER.open_mail(form, claims.capability) == claims


def test_every_single_changed_character_of_the_url_form_is_refused() -> None:
    token = SIGNER.mint(SOME)
    for place, kept in enumerate(token):
        for other in ALPHABET:
            if other != kept:
                with pytest.raises(BadToken):
                    SIGNER.open(token[:place] + other + token[place + 1 :], Capability.UNSUBSCRIBE)


def test_every_single_changed_character_of_the_mail_form_is_refused() -> None:
    token = SIGNER.mint_mail(SOME)
    for place, kept in enumerate(token):
        for other in MAIL_ALPHABET + "0189":
            if other != kept:
                with pytest.raises(BadToken):
                    SIGNER.open_mail(token[:place] + other + token[place + 1 :], Capability.UNSUBSCRIBE)


@pytest.mark.parametrize("opened", Capability)
@pytest.mark.parametrize("minted", Capability)
def test_token_opens_as_its_own_capability_only(minted: Capability, opened: Capability) -> None:
    claims = replace(SOME, capability=minted)
    for mint, open_it in ((SIGNER.mint, SIGNER.open), (SIGNER.mint_mail, SIGNER.open_mail)):
        if minted is opened:
            assert open_it(mint(claims), opened) == claims
        else:
            with pytest.raises(BadToken):
                open_it(mint(claims), opened)


def test_signatures_of_two_capabilities_share_nothing() -> None:
    macs = {SIGNER.mint(replace(SOME, capability=capability)).split(".")[1] for capability in Capability}
    assert len(macs) == len(Capability), "a salt per capability (T14)"


def test_url_and_mail_form_are_signed_apart() -> None:
    from base64 import b32decode, urlsafe_b64decode

    mail_mac = b32decode(SIGNER.mint_mail(SOME).upper() + "======")[21:]
    url_mac = urlsafe_b64decode(SIGNER.mint(SOME).split(".")[1] + "==")
    assert not url_mac.startswith(mail_mac)


def test_tokens_of_earlier_keys_still_open_and_the_newest_signs() -> None:
    old_token, old_mail = LinkSigner([OLD]).mint(SOME), LinkSigner([OLD]).mint_mail(SOME)
    assert SIGNER.open(old_token, Capability.UNSUBSCRIBE) == SOME
    assert SIGNER.open_mail(old_mail, Capability.UNSUBSCRIBE) == SOME
    assert SIGNER.mint(SOME) == LinkSigner([NEW]).mint(SOME) != old_token


def test_token_of_an_unknown_key_is_refused() -> None:
    with pytest.raises(BadToken):
        SIGNER.open(LinkSigner([OTHER]).mint(SOME), Capability.UNSUBSCRIBE)
    with pytest.raises(BadToken):
        SIGNER.open_mail(LinkSigner([OTHER]).mint_mail(SOME), Capability.UNSUBSCRIBE)


def test_two_keys_with_the_same_one_byte_id_both_open() -> None:
    first = secrets.token_bytes(32)
    second = next(key for n in count() if _key_id(key := n.to_bytes(32, "big")) == _key_id(first))
    both = LinkSigner([first, second])
    for key in (first, second):
        assert both.open(LinkSigner([key]).mint(SOME), Capability.UNSUBSCRIBE) == SOME
        assert both.open_mail(LinkSigner([key]).mint_mail(SOME), Capability.UNSUBSCRIBE) == SOME


@pytest.mark.parametrize("changed", ["recipient_id", "purpose_id", "epoch", "issued_at", "reference"])
def test_everything_used_lies_inside_the_signature(changed: str) -> None:
    new: Any = SOME.issued_at + timedelta(seconds=1) if changed == "issued_at" else 12
    other = SIGNER.mint(replace(SOME, **{changed: new}))
    mine = SIGNER.mint(SOME)
    with pytest.raises(BadToken):
        SIGNER.open(other.split(".")[0] + "." + mine.split(".")[1], Capability.UNSUBSCRIBE)


@given(st.one_of(st.text(max_size=100), st.text(ALPHABET, min_size=51, max_size=51)))
def test_foreign_text_is_never_a_token(text: str) -> None:
    for open_it in (SIGNER.open, SIGNER.open_mail):
        with pytest.raises(BadToken):
            open_it(text, Capability.UNSUBSCRIBE)


@pytest.mark.parametrize(
    "spoil", [str.strip, lambda t: t + "\n", lambda t: " " + t, lambda t: t + "=", lambda t: t[:-1]]
)
def test_only_the_spelling_that_was_minted_opens(spoil: object) -> None:
    token = SIGNER.mint(SOME)
    spoilt = spoil(token)  # type: ignore[operator]
    if spoilt != token:
        with pytest.raises(BadToken):
            SIGNER.open(spoilt, Capability.UNSUBSCRIBE)


def test_batch_minter_makes_the_same_tokens() -> None:
    mint = SIGNER.minter(SOME.capability, SOME.purpose_id, issued_at=SOME.issued_at, reference=SOME.reference)
    assert mint(SOME.recipient_id, SOME.epoch) == SIGNER.mint(SOME)


def test_refusal_says_nothing_about_the_reason() -> None:
    details = set()
    for token in ("", "x" * 51, SIGNER.mint(SOME)[:-1] + "A", LinkSigner([OTHER]).mint(SOME)):
        with pytest.raises(BadToken) as refused:
            SIGNER.open(token, Capability.PREFERENCES)
        details.add((refused.value.detail, refused.value.code))
    assert len(details) == 1, "no oracle (M7)"


def test_signatures_are_compared_in_constant_time() -> None:
    """The comparison is hmac.compare_digest, never `==` (T16)."""
    import inspect

    for function in (LinkSigner.open, LinkSigner.open_mail):
        source = inspect.getsource(function)
        assert "hmac.compare_digest" in source
        assert not re.search(r"mac\)?\s*==|==\s*mac", source)


def test_preferences_links_last_thirteen_months_and_unsubscribe_links_for_ever() -> None:
    at = SOME.issued_at
    assert not preferences_expired(SOME, at + PREFERENCES_LAST)
    assert preferences_expired(SOME, at + PREFERENCES_LAST + timedelta(seconds=1))
    assert timedelta(days=395) <= PREFERENCES_LAST
    assert SIGNER.open(SIGNER.mint(replace(SOME, issued_at=datetime(2020, 1, 1, tzinfo=UTC))), Capability.UNSUBSCRIBE)


def test_signer_without_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        LinkSigner([])
