"""A mail message as it must look on the wire: Flask-Mail's Message, with what it damages put right (stack.md).

Flask-Mail 0.10 encodes or folds long header values, so that Gmail ignores `List-Unsubscribe` (T8, T9), corrupts long subjects,
and sends HTML lines that servers refuse. Here headers that machines read are one unfolded line of at most 998 characters;
words are folded at 76 as RFC 2047 wants them; bodies are UTF-8 in quoted-printable, whose lines cannot grow too long.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from typing import Any

import idna
from flask_mail import Message

from preferences.domain.errors import InvalidValue

from .list_headers import MAX_LINE_CHARACTERS
from .mail_types import Envelope, Rendered

_WORDS = frozenset({"subject", "from", "to", "reply-to"})
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*", re.ASCII)
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+>", re.ASCII)
MAX_NAME_CHARACTERS = 100
MAX_SUBJECT_CHARACTERS = 250


class UnsafeHeader(InvalidValue):
    """A header that would break the message or inject another: never sent, never repaired by guessing."""

    code = "unsafe_header"
    title = "The message cannot be made"


class _WirePolicy(EmailPolicy):
    """Folds words at 76 characters; what machines read stays on one line, unencoded (T8, T9)."""

    def fold(self, name: str, value: Any) -> str:
        folded: str = super().fold(name, value) if name.lower() in _WORDS else _UNFOLDED.fold(name, value)
        return folded

    def fold_binary(self, name: str, value: Any) -> bytes:
        return super().fold_binary(name, value) if name.lower() in _WORDS else _UNFOLDED.fold_binary(name, value)


_UNFOLDED = SMTP.clone(max_line_length=MAX_LINE_CHARACTERS)
WIRE = _WirePolicy(linesep="\r\n", max_line_length=76, raise_on_defect=True)
WIRE_UTF8 = WIRE.clone(utf8=True)


class MailMessage(Message):
    """One message to one person. Raises UnsafeHeader when a name, address, subject or header could not be written safely."""

    def __init__(self, *, envelope: Envelope, content: Rendered, headers: Mapping[str, str]) -> None:
        self.envelope = envelope
        self.to = address_header(envelope.to_name, envelope.to_address)
        self.from_ = address_header(envelope.from_name, envelope.from_address)
        self.answers_to = address_header("", envelope.reply_to) if envelope.reply_to else None
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
        return not self.to.addr_spec.isascii()

    def has_bad_headers(self) -> bool:
        """Checked when the message was made."""
        return False

    def _message(self) -> EmailMessage:  # type: ignore[override]
        made = EmailMessage(policy=WIRE_UTF8 if self.needs_utf8 else WIRE)
        made["From"] = self.from_
        made["To"] = self.to
        if self.answers_to is not None:
            made["Reply-To"] = self.answers_to
        made["Subject"] = self.subject
        made["Date"] = format_datetime(self.envelope.date)
        made["Message-ID"] = self.msgId
        for name, value in (self.extra_headers or {}).items():
            made[name] = value
        made.set_content(self.body or "", charset="utf-8", cte="quoted-printable")
        made.add_alternative(self.html or "", subtype="html", charset="utf-8", cte="quoted-printable")
        return made


def address_header(name: str | None, address: str) -> HeaderAddress:
    """Name and address for a header; the domain in its ASCII form (IDNA). Raises UnsafeHeader."""
    local, _, domain = address.rpartition("@")
    if not local or not domain or any(_is_unsafe(character) or character in " ,;<>\"'()" for character in address):
        raise UnsafeHeader("The address cannot stand in a header.")
    try:
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
        return HeaderAddress(display_name=clean_name(name or ""), username=local, domain=ascii_domain)
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
    return dict(headers)


def _is_unsafe(character: str) -> bool:
    """Control, format (direction overrides, zero width), surrogate, unassigned, line and paragraph separators."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
