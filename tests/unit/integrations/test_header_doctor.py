"""The header doctor judges bytes: every trap has its own."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

import pytest

from preferences.integrations.header_doctor import examine
from preferences.integrations.header_doctor_codes import Code, Finding, Severity
from preferences.integrations.header_doctor_words import SENTENCES, SEVERITIES
from tests.support.raw_mail import HTTPS, LIST_ID, MAILTO, POST, UNSUBSCRIBE, alternative, raw_mail, signature

CHECKED_BUT_FOR_THE_KEY = {Code.DKIM_SIGNATURE_NOT_CHECKED}


def codes(raw: bytes) -> set[Code]:
    return {finding.code for finding in examine(raw).findings} - CHECKED_BUT_FOR_THE_KEY


def unsubscribe(value: bytes) -> bytes:
    return raw_mail(b"List-Unsubscribe: " + value, POST, LIST_ID)


def test_a_good_message_has_nothing_wrong_with_it() -> None:
    diagnosis = examine(raw_mail())
    assert diagnosis.findings == (Finding(Code.DKIM_SIGNATURE_NOT_CHECKED),)
    assert diagnosis.is_sound
    assert diagnosis.one_click_url == HTTPS.decode()


def test_line_ends_of_a_saved_file_make_no_difference() -> None:
    saved = raw_mail().replace(b"\r\n", b"\n")
    assert codes(saved) == set()
    assert codes(b"From MAILER-DAEMON Mon Nov 24 09:30:00 2025\n" + saved) == set()


LONG = b"<" + HTTPS + b"x" * 100 + b">, <" + MAILTO + b">"
LISTS = {
    "none": (raw_mail(POST, LIST_ID), {Code.UNSUBSCRIBE_MISSING}),
    "two": (
        raw_mail(UNSUBSCRIBE, POST, LIST_ID, b"list-unsubscribe: <https://esp.example/x>"),
        {Code.UNSUBSCRIBE_REPEATED},
    ),
    "a comma inside": (unsubscribe(b"<" + HTTPS + b",b>, <" + MAILTO + b">"), {Code.COMMA_IN_URI}),
    "a space inside": (unsubscribe(b"<" + HTTPS + b" b>, <" + MAILTO + b">"), {Code.SPACE_IN_URI}),
    "no brackets": (unsubscribe(HTTPS), {Code.NO_ANGLE_BRACKETS}),
    "words outside": (unsubscribe(b"<" + HTTPS + b"> or <" + MAILTO + b">"), {Code.TEXT_OUTSIDE_BRACKETS}),
    "no comma between": (unsubscribe(b"<" + HTTPS + b"> <" + MAILTO + b">"), {Code.TEXT_OUTSIDE_BRACKETS}),
    "a comment": (unsubscribe(b"(here) <" + HTTPS + b">, <" + MAILTO + b">"), set()),
    "http": (unsubscribe(b"<" + HTTPS.replace(b"s:", b":") + b">, <" + MAILTO + b">"), {Code.HTTP_NOT_HTTPS}),
    "mailto alone": (unsubscribe(b"<" + MAILTO + b">"), {Code.HTTPS_MISSING}),
    "mailto first": (unsubscribe(b"<" + MAILTO + b">, <" + HTTPS + b">"), {Code.HTTPS_NOT_FIRST}),
    "two https": (unsubscribe(b"<" + HTTPS + b">, <" + HTTPS + b"b>, <" + MAILTO + b">"), {Code.HTTPS_SEVERAL}),
    "https alone": (unsubscribe(b"<" + HTTPS + b">"), {Code.MAILTO_MISSING}),
    "no host": (unsubscribe(b"<https:///u/x>, <" + MAILTO + b">"), {Code.HTTPS_MALFORMED}),
    "a bad port": (unsubscribe(b"<https://a.example:99999/u>, <" + MAILTO + b">"), {Code.HTTPS_MALFORMED}),
    "a fragment": (unsubscribe(b"<" + HTTPS + b"#x>, <" + MAILTO + b">"), {Code.HTTPS_MALFORMED}),
    "a mailto without domain": (unsubscribe(b"<" + HTTPS + b">, <mailto:nobody>"), {Code.MAILTO_MALFORMED}),
    "a long local part": (
        unsubscribe(b"<" + HTTPS + b">, <mailto:" + b"a" * 64 + b"@a.example>"),
        {Code.MAILTO_LOCAL_PART_TOO_LONG},
    ),
    "a local part as long as may be": (unsubscribe(b"<" + HTTPS + b">, <mailto:" + b"a" * 63 + b"@a.example>"), set()),
    "a subject": (unsubscribe(b"<" + HTTPS + b">, <" + MAILTO + b"?subject=stop>"), {Code.MAILTO_NEEDS_SUBJECT}),
    "T8, encoded": (
        unsubscribe(b"=?utf-8?q?=3Chttps=3A//preferences=2Eexample/u/?=\r\n =?utf-8?q?aaa=3E?="),
        {Code.UNSUBSCRIBE_ENCODED},
    ),
    "T9, folded in the address": (
        unsubscribe(b"<" + HTTPS[:40] + b"\r\n " + HTTPS[40:] + b">, <" + MAILTO + b">"),
        {Code.UNSUBSCRIBE_FOLDED_IN_URI},
    ),
    "folded between": (unsubscribe(b"<" + HTTPS + b">,\r\n\t<" + MAILTO + b">"), {Code.UNSUBSCRIBE_FOLDED}),
    "folded after the name": (unsubscribe(b"\r\n <" + HTTPS + b">, <" + MAILTO + b">"), {Code.UNSUBSCRIBE_FOLDED}),
    "not ASCII": (
        unsubscribe(b"<" + HTTPS + "å".encode() + b">, <" + MAILTO + b">"),
        {Code.UNSUBSCRIBE_NOT_ASCII},
    ),
    "998 characters": (unsubscribe(LONG.replace(b"x" * 100, b"x" * (980 - len(LONG) + 100))), set()),
    "more than 998": (
        unsubscribe(LONG.replace(b"x" * 100, b"x" * (981 - len(LONG) + 100))),
        {Code.UNSUBSCRIBE_LINE_TOO_LONG},
    ),
    "no post": (raw_mail(UNSUBSCRIBE, LIST_ID), {Code.POST_MISSING}),
    "two posts": (raw_mail(UNSUBSCRIBE, POST, POST, LIST_ID), {Code.POST_REPEATED}),
    "post in another case": (raw_mail(UNSUBSCRIBE, POST.lower(), LIST_ID), {Code.POST_NOT_EXACT}),
    "post with a space": (raw_mail(UNSUBSCRIBE, POST.replace(b"=", b" = "), LIST_ID), {Code.POST_NOT_EXACT}),
    "post encoded": (
        raw_mail(UNSUBSCRIBE, b"List-Unsubscribe-Post: =?us-ascii?Q?List-Unsubscribe=3DOne-Click?=", LIST_ID),
        {Code.POST_ENCODED},
    ),
    "no list id": (raw_mail(UNSUBSCRIBE, POST), {Code.LIST_ID_MISSING}),
    "two list ids": (raw_mail(UNSUBSCRIBE, POST, LIST_ID, LIST_ID), {Code.LIST_ID_REPEATED}),
    "a list id without brackets": (raw_mail(UNSUBSCRIBE, POST, b"List-Id: news.example"), {Code.LIST_ID_MALFORMED}),
    "a list id without a dot": (raw_mail(UNSUBSCRIBE, POST, b"List-Id: <news>"), {Code.LIST_ID_MALFORMED}),
    "a list id with a phrase": (raw_mail(UNSUBSCRIBE, POST, b"List-Id: =?utf-8?q?=C3=85?= <news.a.example>"), set()),
}


@pytest.mark.parametrize(("raw", "expected"), LISTS.values(), ids=LISTS)
def test_every_trap_in_the_list_headers_is_told(raw: bytes, expected: set[Code]) -> None:
    assert codes(raw) == expected


def test_t8_what_python_writes_by_itself_is_recognised() -> None:
    message = EmailMessage(policy=SMTP)
    message["List-Unsubscribe"] = f"<{HTTPS.decode()}>"
    assert Code.UNSUBSCRIBE_ENCODED in codes(message.as_bytes())
    wide = EmailMessage(policy=SMTP.clone(max_line_length=998))
    wide["List-Unsubscribe"] = f"<{HTTPS.decode()}>"
    assert not {Code.UNSUBSCRIBE_ENCODED, Code.UNSUBSCRIBE_FOLDED} & codes(wide.as_bytes())


BODY = alternative()
PARTLY = b"from:to:list-unsubscribe"
SIGNED = {
    "not at all": ((), {Code.DKIM_MISSING}),
    "without the post": ((signature(BODY, PARTLY),), {Code.DKIM_OMITS_POST}),
    "without both": ((signature(BODY, b"from"),), {Code.DKIM_OMITS_POST, Code.DKIM_OMITS_UNSUBSCRIBE}),
    "one of two covers": ((signature(BODY), signature(BODY, PARTLY)), {Code.DKIM_ONE_OMITS}),
    "names in capitals": ((signature(BODY, b"FROM : List-Unsubscribe:\r\n LIST-UNSUBSCRIBE-POST"),), set()),
    "another body": ((signature(b"other"),), {Code.DKIM_BODY_DIFFERS}),
    "the beginning": ((signature(BODY, more=b" l=10;"),), {Code.DKIM_LENGTH_LIMITED}),
    "by somebody else": ((signature(BODY, domain=b"esp.example"),), {Code.DKIM_NOT_ALIGNED}),
    "by a part of the domain": ((signature(BODY, domain=b"mail.example.com"),), set()),
    "nonsense": ((b"DKIM-Signature: nonsense",), {Code.DKIM_MALFORMED}),
    "a hash that is none": ((signature(BODY).replace(b" bh=", b" bh=!"),), {Code.DKIM_MALFORMED}),
}


@pytest.mark.parametrize(("signed", "expected"), SIGNED.values(), ids=SIGNED)
def test_what_the_signature_covers_is_told(signed: tuple[bytes, ...], expected: set[Code]) -> None:
    assert codes(raw_mail(signed=signed)) == expected


def test_a_signature_is_named_by_its_domain_and_never_called_genuine() -> None:
    found = examine(raw_mail(signed=(signature(BODY, PARTLY),))).findings
    assert Finding(Code.DKIM_OMITS_POST, "example.com") in found
    assert Finding(Code.DKIM_SIGNATURE_NOT_CHECKED) in found


def test_a_message_that_was_not_sent_yet_is_not_blamed_for_its_missing_signature() -> None:
    unsent = raw_mail(signed=()).replace(b"Received: ", b"X-Other: ")
    assert codes(unsent) == {Code.DKIM_NOT_YET}
    assert examine(unsent).is_sound


def test_a_relaxed_body_hash_forgives_white_space() -> None:
    # RFC 6376 §3.4.5: the body " C \r\nD \t E\r\n\r\n\r\n" becomes " C\r\nD E\r\n".
    spaced = b"--b\r\n\r\nHej  " + HTTPS + b" \r\n\r\n\r\n"
    tight = b"--b\r\n\r\nHej " + HTTPS + b"\r\n"
    relaxed = signature(tight).replace(b"simple/simple", b"relaxed/relaxed")
    assert Code.DKIM_BODY_DIFFERS not in codes(raw_mail(body=spaced, signed=(relaxed,)))
    assert Code.DKIM_BODY_DIFFERS in codes(raw_mail(body=spaced, signed=(signature(tight),)))


@pytest.mark.parametrize(
    ("text", "html", "expected"),
    [
        (b"Hej.", None, {Code.TEXT_LINK_MISSING}),
        (None, b"<p>Hej.</p>", {Code.HTML_LINK_MISSING}),
        (b"Hej.", b"<p>Hej.</p>", {Code.LINK_MISSING}),
        (b"Hantera dina utskick:\r\nhttps://other.example/p", None, set()),
        (b"Hej: https://other.example/p", None, {Code.TEXT_LINK_MISSING}),
        (None, b'<a href="https://other.example/p">Unsubscribe</a>', set()),
        (None, b'<a href="https://other.example/p">Shop</a>', {Code.HTML_LINK_MISSING}),
        (None, b'<a href="' + HTTPS + b'"></a>', {Code.HTML_LINK_MISSING}),
        (None, b'<div style="DISPLAY: none"><a href="' + HTTPS + b'">x</a></div>', {Code.HTML_LINK_MISSING}),
        (None, b'<!-- <a href="' + HTTPS + b'">x</a> -->', {Code.HTML_LINK_MISSING}),
        (None, b'<a hidden href="' + HTTPS + b'">x</a>', {Code.HTML_LINK_MISSING}),
    ],
)
def test_the_link_must_be_seen_in_both_bodies(text: bytes | None, html: bytes | None, expected: set[Code]) -> None:
    given_ = {name: value for name, value in (("text", text), ("html", html)) if value is not None}
    body = alternative(**given_)
    assert codes(raw_mail(body=body, signed=(signature(body),))) == expected


def test_encoded_bodies_are_read() -> None:
    quoted = b"--b\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\nhttps://stop.exam=\r\nple.com/u/x=20avsluta\r\n--b--"
    assert Code.TEXT_LINK_MISSING not in codes(raw_mail(body=quoted))
    coded = (
        b"--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"PGEgaHJlZj0iaHR0cHM6Ly9zdG9wLmV4YW1wbGUuY29t\r\nL3UveCI+eDwvYT4=\r\n--b--\r\n"
    )
    assert codes(raw_mail(body=coded)) == {Code.TEXT_MISSING}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"Precedence: bulk", set()),
        (b"Precedence: junk", {Code.PRECEDENCE_ODD}),
        (b"Auto-Submitted: auto-replied", {Code.AUTO_SUBMITTED_ODD}),
        (b"X-Nothing: said", {Code.AUTO_SUBMITTED_MISSING}),
    ],
)
def test_what_keeps_holiday_replies_away_is_looked_at(header: bytes, expected: set[Code]) -> None:
    assert codes(raw_mail(more=(header,)).replace(b"Auto-Submitted: auto-generated\r\n", b"")) == expected


def test_every_code_has_its_sentence_and_every_severity_its_name() -> None:
    assert set(SENTENCES) == set(Code)
    assert set(SEVERITIES) == set(Severity)
