"""A mail message as it must look on the wire: Flask-Mail's Message, with what it damages put right (stack.md).

Flask-Mail 0.10 encodes or folds long header values, so that Gmail ignores `List-Unsubscribe` (T8, T9), corrupts long subjects,
and sends HTML lines that servers refuse. Here headers that machines read are one unfolded line of at most 998 characters,
names and subjects are encoded as RFC 2047 wants them, and bodies are UTF-8 in quoted-printable, whose lines stay short.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import idna
from flask_mail import Message

from preferences.domain.errors import InvalidValue

from .encoded_words import FOLD, encode_phrase, encode_text
from .list_headers import MAX_LINE_CHARACTERS
from .mail_types import Envelope, Rendered

_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*", re.ASCII)
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+>", re.ASCII)
_OURS = frozenset({"from", "to", "reply-to", "subject", "date", "message-id", "mime-version", "content-type"})
MAX_NAME_CHARACTERS = 100
MAX_SUBJECT_CHARACTERS = 250

BODIES = SMTP.clone(max_line_length=76)
"""Quoted-printable lines of at most 76 characters (RFC 2045 §6.7)."""


class UnsafeHeader(InvalidValue):
    """A header that would break the message or inject another: never sent, never repaired by guessing."""

    code = "unsafe_header"
    title = "The message cannot be made"


class MailMessage(Message):
    """One message to one person. Raises UnsafeHeader when a name, address, subject or header could not be written safely."""

    def __init__(self, *, envelope: Envelope, content: Rendered, headers: Mapping[str, str]) -> None:
        self.envelope = envelope
        self.to = address_header(envelope.to_address)
        self.from_ = address_header(envelope.from_address)
        self.answers_to = address_header(envelope.reply_to) if envelope.reply_to else None
        super().__init__(
            subject=checked_subject(content.subject),
            recipients=[self.to.addr_spec],
            body=content.text,
            html=content.html,
            sender=self.from_.addr_spec,
            date=envelope.date.timestamp(),
            charset="utf-8",
            extra_headers=_checked(headers),
            mail_options=["SMTPUTF8"] if self.needs_utf8 else [],
        )
        if not _MESSAGE_ID.fullmatch(envelope.message_id):
            raise UnsafeHeader("A Message-ID is <id@domain>.")
        self.msgId = envelope.message_id

    @property
    def needs_utf8(self) -> bool:
        """Whether the server must speak SMTPUTF8 (RFC 6531): only for a local part beyond ASCII."""
        addresses = (self.to, self.from_, self.answers_to or self.to)
        return not all(address.addr_spec.isascii() for address in addresses)

    def has_bad_headers(self) -> bool:
        """Checked when the message was made."""
        return False

    def as_bytes(self) -> bytes:
        """The whole message with CRLF line ends. Headers are written here, line by line; `email` writes the bodies."""
        to, from_ = (_mailbox(self.envelope.to_name, self.to), _mailbox(self.envelope.from_name, self.from_))
        headers = {
            "From": from_,
            "To": to,
            **({"Reply-To": self.answers_to.addr_spec} if self.answers_to else {}),
            "Subject": encode_text(self.subject),
            "Date": format_datetime(self.envelope.date),
            "Message-ID": self.msgId,
            **(self.extra_headers or {}),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return head.encode("utf-8" if self.needs_utf8 else "ascii") + self._message().as_bytes()

    def as_string(self) -> str:
        """The same as text."""
        return self.as_bytes().decode()

    def _message(self) -> EmailMessage:  # type: ignore[override]
        """The two bodies with the headers that describe them."""
        made = EmailMessage(policy=BODIES)
        made.set_content(self.body or "", charset="utf-8", cte="quoted-printable")
        made.add_alternative(self.html or "", subtype="html", charset="utf-8", cte="quoted-printable")
        return made


def _mailbox(name: str | None, address: HeaderAddress) -> str:
    phrase = encode_phrase(clean_name(name or ""))
    if not phrase:
        return address.addr_spec
    gap = FOLD if len(phrase) + len(address.addr_spec) > 70 else " "
    return f"{phrase}{gap}<{address.addr_spec}>"


def address_header(address: str) -> HeaderAddress:
    """An address for a header; the domain in its ASCII form (IDNA). Raises UnsafeHeader."""
    local, _, domain = address.rpartition("@")
    if not local or not domain or any(_is_unsafe(character) or character in " ,;<>\"'()" for character in address):
        raise UnsafeHeader("The address cannot stand in a header.")
    try:
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
        return HeaderAddress(username=local, domain=ascii_domain)
    except (ValueError, IndexError) as error:
        raise UnsafeHeader("The address cannot stand in a header.") from error


def clean_name(name: str) -> str:
    """A display name without control and direction characters, on one line, bounded: names come from other systems."""
    visible = "".join(character for character in name if not _is_unsafe(character) or character.isspace())
    return " ".join(visible.split())[:MAX_NAME_CHARACTERS].strip()


def checked_subject(subject: str) -> str:
    """The subject with its white space collapsed. Raises UnsafeHeader when empty, too long, or with control characters."""
    text = subject.strip()
    if any(_is_unsafe(character) for character in text):
        raise UnsafeHeader("The subject holds a line break or a control character.")
    text = " ".join(text.split())
    if not 0 < len(text) <= MAX_SUBJECT_CHARACTERS:
        raise UnsafeHeader(f"A subject has 1 to {MAX_SUBJECT_CHARACTERS} characters.")
    return text


def _checked(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        printable = value.isascii() and value.isprintable() and value == value.strip() and bool(value)
        if not _HEADER_NAME.fullmatch(name) or not printable or len(name) + 2 + len(value) > MAX_LINE_CHARACTERS:
            raise UnsafeHeader(f"The header {name[:40]!r} is not one line of printable ASCII.")
        if name.lower() in _OURS:
            raise UnsafeHeader(f"The header {name!r} is written by the message itself.")
    return dict(headers)


def _is_unsafe(character: str) -> bool:
    """Control, format (direction overrides, zero width), surrogate, unassigned, line and paragraph separators."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
