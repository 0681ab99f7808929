"""Messages on the wire: read back from the raw bytes, as a mailbox provider does."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preferences.integrations.list_headers import list_headers
from preferences.integrations.mail import MailMessage, UnsafeHeader, clean_name
from preferences.integrations.mail_types import Envelope, Rendered

NOW = datetime(2025, 11, 24, 9, 30, tzinfo=UTC)
LONG_URL = "https://preferences.example/u/" + "a1-_" * 40
HEADERS = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
LISTED = list_headers(
    unsubscribe_url=LONG_URL, mailto="unsubscribe+" + "a2" * 25 + "@mail.example", list_id="a.example"
)


def make(
    *,
    to: str = "anna@example.se",
    name: str | None = "Anna Ek",
    from_name: str = "Exempelbolaget AB",
    subject: str = "Hej",
    text: str = "Hej.\n",
    html: str = "<p>Hej.</p>",
    headers: dict[str, str] | None = None,
    message_id: str = "<1@example.com>",
) -> MailMessage:
    envelope = Envelope(
        to_address=to,
        to_name=name,
        from_address="no-reply@example.com",
        from_name=from_name,
        reply_to="privacy@example.com",
        message_id=message_id,
        date=NOW,
    )
    return MailMessage(envelope=envelope, content=Rendered(subject, text, html), headers=headers or {})


def read(message: MailMessage) -> EmailMessage:
    return message_from_bytes(message.as_bytes(), policy=policy.default)


def body(message: MailMessage, subtype: str) -> str:
    """A body as a mail client shows it, with plain line ends."""
    part = read(message).get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def raw_header(message: MailMessage, name: str) -> list[bytes]:
    """The lines of a header exactly as sent, its name left out, folds kept apart."""
    block = message.as_bytes().partition(b"\r\n\r\n")[0]
    found = re.findall(rb"(?im)^" + name.encode() + rb": ([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", block)
    assert len(found) == 1, found
    lines: list[bytes] = found[0].split(b"\r\n")
    return lines


def test_the_reader_of_raw_headers_sees_folds() -> None:
    assert len(raw_header(make(subject="Hej på dig, " * 20), "Subject")) > 1


def test_t8_a_long_list_unsubscribe_is_not_encoded() -> None:
    made = make(headers=LISTED)
    assert raw_header(made, "List-Unsubscribe") == [LISTED["List-Unsubscribe"].encode()]
    assert len(LISTED["List-Unsubscribe"]) > 200


def test_t9_no_header_that_a_machine_reads_is_folded() -> None:
    made = make(headers=LISTED, message_id="<" + "a" * 150 + "@example.com>")
    for name in (*LISTED, "Message-ID", "Date"):
        assert len(raw_header(made, name)) == 1


def test_the_date_the_ids_and_the_reply_address_stand_in_the_message() -> None:
    found = read(make(headers={"Auto-Submitted": "auto-generated"}))
    assert found["Date"].datetime == NOW
    assert found["Message-ID"] == "<1@example.com>"
    assert found["Reply-To"] == "privacy@example.com"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["MIME-Version"] == "1.0"


def test_the_text_comes_before_the_html() -> None:
    found = read(make(text="Hej å\n", html="<p>Hej å</p>"))
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content() for part in found.iter_parts()] == ["Hej å\r\n", "<p>Hej å</p>\r\n"]
    assert {part["Content-Transfer-Encoding"] for part in found.iter_parts()} == {"quoted-printable"}


@pytest.mark.parametrize("content", ["x" * 5000, "å" * 5000, "<p>" + "räka " * 2000 + "</p>", "\U0001f600" * 900])
def test_no_line_is_ever_too_long(content: str) -> None:
    made = make(text=content, html=content, headers=LISTED)
    lines = made.as_bytes().split(b"\r\n")
    assert max(len(line) for line in lines) <= 998
    assert all(len(line) <= 76 for line in made.as_bytes().partition(b"\r\n\r\n")[2].split(b"\r\n"))
    assert made.as_bytes().replace(b"\r\n", b"").count(b"\n") == 0
    assert body(made, "plain") == body(made, "html") == content + "\n"


def test_lines_with_a_dot_or_from_arrive_as_they_were() -> None:
    text = ".\n..\nFrom Anna\n.hidden\n"
    assert body(make(text=text), "plain") == text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Åsa Öberg", "Åsa Öberg"),
        ('Anna "Ek", chef', 'Anna "Ek", chef'),
        ("Anna <evil@example.com>", "Anna <evil@example.com>"),
        ("Anna\r\nBcc: all@example.com", "Anna Bcc: all@example.com"),
        ("Anna\u202e\u200b", "Anna"),
        ("  ", ""),
        (None, ""),
        ("山田 太郎", "山田 太郎"),
    ],
)
def test_a_name_stays_a_name(name: str | None, shown: str) -> None:
    found = read(make(name=name))
    assert [(one.display_name, one.addr_spec) for one in found["To"].addresses] == [(shown, "anna@example.se")]
    assert found["Bcc"] is None


def test_a_company_name_with_a_comma_is_one_sender() -> None:
    found = read(make(from_name="Räksmörgås & Co, AB"))
    assert [one.display_name for one in found["From"].addresses] == ["Räksmörgås & Co, AB"]


def test_a_domain_beyond_ascii_is_written_in_its_ascii_form() -> None:
    made = make(to="anna@räksmörgås.example")
    assert made.to.addr_spec == "anna@xn--rksmrgs-5wao1o.example"
    assert made.mail_options == []


def test_a_local_part_beyond_ascii_asks_for_smtputf8() -> None:
    made = make(to="åsa@example.se")
    assert made.mail_options == ["SMTPUTF8"]
    assert "åsa@example.se".encode() in made.as_bytes()


@pytest.mark.parametrize(
    "subject", ["", "   ", "Hej\nBcc: all@example.com", "Hej\r\n\r\nbody", "Hej\x00", "x" * 251, "Hej\u2028x"]
)
def test_a_subject_that_could_inject_is_refused(subject: str) -> None:
    with pytest.raises(UnsafeHeader):
        make(subject=subject)


@pytest.mark.parametrize(
    "to",
    [
        "",
        "anna",
        "@example.se",
        "anna@",
        "anna@example.se\nBcc: x@example.se",
        "a b@example.se",
        "a@b.se, c@d.se",
        "<a@b.se>",
    ],
)
def test_an_address_that_could_inject_is_refused(to: str) -> None:
    with pytest.raises(UnsafeHeader):
        make(to=to)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "a\r\nBcc: all@example.com"},
        {"X-A": "å"},
        {"X A": "a"},
        {"": "a"},
        {"X-A": ""},
        {"X-A": "a" * 999},
        {"to": "b@example.se"},
    ],
)
def test_a_header_that_could_inject_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(UnsafeHeader):
        make(headers=headers)


def test_a_malformed_message_id_is_refused() -> None:
    with pytest.raises(UnsafeHeader):
        make(message_id="<a b@example.com>")


def test_neither_address_nor_body_shows_in_a_repr() -> None:
    envelope = make().envelope
    assert "anna" not in repr(envelope)
    assert "hemlig" not in repr(Rendered("s", "hemlig", "hemlig"))


@given(subject=st.text(min_size=1, max_size=250), name=st.text(max_size=120))
def test_subject_and_name_read_back_as_they_were_written(subject: str, name: str) -> None:
    """Through Python's older reader: the newer one keeps the space between encoded words, against RFC 2047 §6.2."""
    try:
        made = make(subject=subject, name=name)
    except UnsafeHeader:
        return
    assert as_shown(b"".join(raw_header(made, "Subject")).decode()) == " ".join(subject.split())
    shown, address = parseaddr(b"".join(raw_header(made, "To")).decode())
    assert (as_shown(shown), address) == (clean_name(name), "anna@example.se")
    found = message_from_bytes(made.as_bytes(), policy=policy.compat32)
    assert sorted(found.keys()) == sorted(HEADERS)
    for line in made.as_bytes().partition(b"\r\n\r\n")[0].split(b"\r\n"):
        assert all(len(word) <= 75 for word in re.findall(rb"=\?utf-8\?.*?\?=", line)), "RFC 2047 §2"


def as_shown(value: str) -> str:
    """What a mail client shows for a header with encoded words in it."""
    return str(make_header(decode_header(value)))


@given(text=st.text(max_size=2000), html=st.text(max_size=2000))
def test_bodies_read_back_as_they_were_written(text: str, html: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text + html):
        return
    made = make(text=text, html=html)

    def lines(value: str) -> list[str]:
        return re.split("\r\n|\r|\n", value.rstrip("\r\n"))

    assert lines(body(made, "plain")) == lines(text)
    assert lines(body(made, "html")) == lines(html)
