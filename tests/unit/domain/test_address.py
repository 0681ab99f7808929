"""One normal form for matching, the original for sending (T23); a masked form that gives nobody away (T11)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from preferences.domain.address import HIDDEN, MAX_ADDRESS_BYTES, mask_address, parse_address, parse_domain
from preferences.domain.errors import InvalidAddress

LETTERS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=20)
LOCALS = st.lists(st.text("abcXYZ019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=12), min_size=1, max_size=4).map(
    ".".join
)
DOMAINS = st.builds("{}.{}".format, LETTERS, st.sampled_from(["se", "COM", "co.uk", "Example.ORG"]))
PLAIN = st.builds("{}@{}".format, LOCALS, DOMAINS)
UNUSUAL = st.builds(
    "{}@{}".format,
    st.text(min_size=1, max_size=10),
    st.one_of(DOMAINS, st.builds("{}.se".format, st.text(min_size=1, max_size=10))),
)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("  anna@example.se\n", "anna@example.se"),
        ("Anna@Example.SE", "anna@example.se"),
        ("anna+news@example.se", "anna+news@example.se"),
        ("a.n.n.a@gmail.com", "a.n.n.a@gmail.com"),
        ("o'brien@example.ie", "o'brien@example.ie"),
        ("å@exämple.se", "å@xn--exmple-cua.se"),
        ("A\u030a@example.se", "å@example.se"),
        ("Å@EXÄMPLE.SE", "å@xn--exmple-cua.se"),
        ("a@XN--E1AFMKFD.RU", "a@xn--e1afmkfd.ru"),
        ("a@straße.de", "a@xn--strae-oqa.de"),
        ("a@ｅｘａｍｐｌｅ.se", "a@example.se"),
        ("a@a\u3002se", "a@a.se"),
        ("😀@example.se", "😀@example.se"),
        ("İ@example.se", "i\u0307@example.se"),
    ],
)
def test_one_mailbox_has_one_normal_form(written: str, normal: str) -> None:
    assert parse_address(written).normal == normal


@pytest.mark.parametrize(
    "written",
    ["anna+news@example.se", "an.na@example.se", "anna@mail.example.se", "anna@example.com", "anna-news@example.se"],
)
def test_addresses_that_may_be_other_people_stay_apart(written: str) -> None:
    assert parse_address(written).normal != parse_address("anna@example.se").normal


def test_original_is_kept_for_sending() -> None:
    found = parse_address("  Anna.Ek+Nyheter@EXÄMPLE.se ")
    assert found.original == "Anna.Ek+Nyheter@EXÄMPLE.se"
    assert found.domain == "xn--exmple-cua.se"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "empty"),
        (" \t\n", "empty"),
        ("an\x00a@example.se", "control_character"),
        ("anna@example.se\x00", "control_character"),
        ("anna@example.se\nBcc: everyone@example.se", "control_character"),
        ("anna@exa\r\nmple.se", "control_character"),
        ("anna\u2028@example.se", "control_character"),
        ("\ud800@example.se", "control_character"),
        ("ann\u202ea@example.se", "syntax"),
        ("ann\u200ba@example.se", "syntax"),
        ("\ufeffanna@example.se", "syntax"),
        ("anna\u00a0ek@example.se", "syntax"),
        ('"anna ek"@example.se', "syntax"),
        ('"anna"@example.se', "syntax"),
        ("Anna <anna@example.se>", "syntax"),
        ("anna@example.se, bo@example.se", "syntax"),
        ("anna;bo@example.se", "syntax"),
        ("anna(x)@example.se", "syntax"),
        ("anna\\@example.se", "syntax"),
        ("anna@[127.0.0.1]", "syntax"),
        ("anna@[IPv6:::1]", "syntax"),
        ("anna@127.0.0.1", "syntax"),
        ("anna@example.se.", "syntax"),
        ("anna@localhost", "syntax"),
        ("anna@", "syntax"),
        ("@example.se", "syntax"),
        ("anna", "syntax"),
        ("anna@@example.se", "syntax"),
        (".anna@example.se", "syntax"),
        ("anna..ek@example.se", "syntax"),
        ("anna@-example.se", "syntax"),
        ("anna@exa_mple.se", "syntax"),
        ("anna@xn--zzzzzz--.se", "syntax"),
        ("anna@XN--ZZZ--99.se", "syntax"),
        ("=cmd|' /C calc'!A0@example.se", "syntax"),
        ("a" * 65 + "@example.se", "too_long"),
        ("ñ" * 33 + "@example.se", "too_long"),
        ("a" * 64 + "@" + ".".join(["b" * 63] * 3) + ".se", "too_long"),
        ("a" * 10_000_000, "too_long"),
    ],
)
def test_what_cannot_be_mailed_is_refused_with_a_reason(written: str, reason: str) -> None:
    with pytest.raises(InvalidAddress) as refused:
        parse_address(written)
    assert refused.value.reason == reason
    assert written.strip() == "" or written not in refused.value.detail, "an error never repeats the address"


def test_address_of_254_bytes_is_the_longest() -> None:
    longest = "a" * 64 + "@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 58 + ".se"
    assert len(longest) == MAX_ADDRESS_BYTES
    assert parse_address(longest).normal == longest
    with pytest.raises(InvalidAddress):
        parse_address(longest.replace(".se", ".com"))


@given(PLAIN)
def test_plain_addresses_differ_from_their_normal_form_in_case_only(written: str) -> None:
    assert parse_address(written).normal == written.lower()


@given(st.one_of(PLAIN, UNUSUAL))
@example("a@XN--ZZZ--99.se")
@example("ΑΣ@example.se")
@example("ǅ\u0323@example.se")
def test_normal_form_is_stable(written: str) -> None:
    try:
        found = parse_address(written)
    except InvalidAddress:
        return
    again = parse_address(found.normal)
    assert again.normal == found.normal
    assert unicodedata.is_normalized("NFC", found.normal)
    assert len(found.normal.encode()) <= MAX_ADDRESS_BYTES
    assert found.normal.count("@") >= 1
    assert found.domain.isascii()
    assert not any(unicodedata.category(one) == "Cc" for one in found.original + found.normal)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused_by_name(written: str) -> None:
    reason = None
    try:
        parse_address(written)
    except InvalidAddress as error:
        reason = error.reason
    assert reason in {None, "empty", "too_long", "control_character", "syntax"}


@given(st.one_of(PLAIN, UNUSUAL))
def test_masked_address_shows_one_character_of_each_part_at_most(written: str) -> None:
    try:
        found = parse_address(written)
    except InvalidAddress:
        return
    masked = mask_address(found.original)
    local, _, domain = found.original.rpartition("@")
    shown_local, _, shown_domain = masked.rpartition("@")
    assert shown_local in {HIDDEN, local[0] + HIDDEN}
    assert shown_local != local[:1] + HIDDEN or len(local) > 1
    assert shown_domain.partition(HIDDEN)[0] in {"", domain[:1]}
    assert len(masked.replace(HIDDEN, "")) <= 2 + len("@.") + len(domain.rpartition(".")[2])


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("anna@example.se", "a•••@e•••.se"),
        ("a@b.se", "•••@•••.se"),
        ("anna@mail.example.co.uk", "a•••@m•••.uk"),
        ("", "•••"),
        ("nonsense", "•••"),
        ("@example.se", "•••"),
    ],
)
def test_mask(address: str, masked: str) -> None:
    assert mask_address(address) == masked


def test_length_of_the_mask_says_nothing_about_the_length_of_the_address() -> None:
    assert len(mask_address("bo@example.se")) == len(mask_address("bartholomew.longname@extraordinary.se"))


def test_address_never_stands_in_its_repr() -> None:
    assert "anna" not in repr(parse_address("anna@example.se"))


@pytest.mark.parametrize("written", ["example.se", "@Example.SE", " EXAMPLE.se ", "ｅｘａｍｐｌｅ.se"])
def test_bare_domain_has_the_normal_form_of_addresses(written: str) -> None:
    assert parse_domain(written) == "example.se"


@pytest.mark.parametrize("written", ["", "@", "localhost", "exa mple.se", "x@y@example.se"])
def test_what_is_no_domain_is_refused(written: str) -> None:
    with pytest.raises(InvalidAddress):
        parse_domain(written)
