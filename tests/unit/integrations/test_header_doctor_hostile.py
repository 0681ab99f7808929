"""Nothing makes the header doctor raise, and nothing makes it wait."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.integrations.header_doctor import examine
from preferences.integrations.header_doctor_codes import Code
from tests.support.raw_mail import HTTPS, LIST_ID, POST, UNSUBSCRIBE, alternative, raw_mail, signature


def codes(raw: bytes) -> set[Code]:
    return {finding.code for finding in examine(raw).findings}


def unsubscribe(value: bytes) -> bytes:
    return raw_mail(b"List-Unsubscribe: " + value, POST, LIST_ID)


PIECES = [
    *(b"\r\n", b"\n", b"--b", b" ", b"<", b">", b",", b"Content-Type: ", b"multipart/mixed; boundary=b", b"*0*=''"),
    *(b"text/html; charset=", b"undefined", b"utf-7", b"<a href=", b"<!--", b"=?utf-8?q?", HTTPS, UNSUBSCRIBE),
]


@given(st.binary(max_size=2000))
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    examine(raw)
    examine(UNSUBSCRIBE + b"\r\nDKIM-Signature: " + raw)
    examine(b"List-Unsubscribe: <" + raw + b">\r\nContent-Type: " + raw)


@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_no_mixture_of_what_it_looks_for_makes_it_raise(pieces: list[bytes]) -> None:
    examine(b"".join(pieces))


HOSTILE = {
    "nothing": b"",
    "no headers": b"\r\n\r\nHej",
    "no end": b"A: " + b"x" * 3_000_000,
    "ten thousand headers": b"X: y\r\n" * 10_000 + b"\r\n",
    "endless folds": b"X: y" + b"\r\n y" * 100_000,
    "a header that is none": UNSUBSCRIBE + b"\r\nno colon\r\n" + POST + b"\r\n\r\n",
    "comments": raw_mail(body=alternative(html=b"<!--" * 200_000)),
    "open tags": raw_mail(body=alternative(html=b"<b>" * 200_000 + b"</i>" * 200_000)),
    "open links": raw_mail(body=alternative(html=b"<a href='x " * 50_000)),
    "attributes": raw_mail(body=alternative(html=(b"<a " + b"href " * 800 + b">x") * 200)),
    "brackets": unsubscribe(b"<" * 100_000),
    "parts": raw_mail(body=b"\r\n--b\r\n" * 300_000),
    "white space": raw_mail(body=b" \t" * 2_000_000 + b"x"),
    "empty lines": raw_mail(body=b"\r\n" * 1_000_000),
    "a boundary of brackets": b'Content-Type: multipart/mixed; boundary="'
    + b"(((" * 300
    + b'"\r\n\r\n'
    + b"--(" * 99_999,
    "ten signatures of ten megabytes": raw_mail(body=b"a b\r\n" * 1_900_000, signed=(signature(b""),) * 10),
    "one line of addresses": raw_mail(body=alternative(text=b"https://a.example " * 50_000)),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_nothing_makes_it_wait(raw: bytes) -> None:
    began = time.process_time()
    for received in (raw, raw.replace(b"simple/simple", b"relaxed/relaxed")):
        examine(received)
    assert time.process_time() - began < 4


def test_a_broken_head_is_told_and_read_no_further() -> None:
    found = codes(HOSTILE["a header that is none"])
    assert {Code.HEADERS_BROKEN, Code.POST_MISSING} <= found
    assert Code.UNSUBSCRIBE_MISSING not in found
    assert codes(b"") == codes(HOSTILE["no headers"]) == {Code.HEADERS_MISSING}


def test_nested_parts_are_followed_so_far_and_no_further() -> None:
    def nested(depth: int) -> bytes:
        raw = b"Content-Type: text/plain\r\n\r\n" + HTTPS
        for number in range(depth):
            mark = b"m%d" % number
            head = b"Content-Type: multipart/mixed; boundary=" + mark + b"\r\n\r\n--" + mark
            raw = head + b"\r\n" + raw + b"\r\n--" + mark + b"--"
        return UNSUBSCRIBE + b"\r\n" + raw

    assert Code.LINK_MISSING not in codes(nested(8))
    assert Code.MIME_TOO_DEEP in codes(nested(9))
    assert Code.MIME_TOO_DEEP in codes(nested(3000))


def test_of_an_oversized_message_only_the_headers_are_read() -> None:
    found = codes(raw_mail(body=b"x" * 11_000_000, signed=(b"DKIM-Signature: nonsense",)))
    assert found == {Code.MESSAGE_TOO_LARGE}
