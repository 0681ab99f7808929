"""A message as bytes, taken apart without losing anything: header fields with their folds, and the parts of a MIME body.

`email` unfolds, decodes and repairs while it parses; whoever judges a message needs what really stands on the wire (T8, T9).
Everything here is bounded and takes time in proportion to the input, whatever the input is.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

MOST_BYTES = 10 * 1024 * 1024
MOST_HEAD_BYTES = 256 * 1024
MOST_FIELDS = 500
MOST_DEPTH = 8
MOST_PARTS = 100
MOST_TEXT_BYTES = 1024 * 1024
"""How much of a text part is decoded."""

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_NAME = re.compile(rb"([!-9;-~]{1,100})[ \t]*:")
_TEXT_CHARSET = re.compile(r"(us-ascii|ascii|utf-?8|iso-8859-\d{1,2}|latin-?1|windows-125\d|cp125\d)", re.ASCII)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
MOST_PARAMETER_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Field:
    """A header field. `raw` is everything after the colon, folds and all, without the last line end."""

    name: str
    """In lower case."""
    raw: bytes

    @property
    def value(self) -> str:
        """Unfolded (RFC 5322 §2.2.3: line ends go, white space stays), without white space around it; bytes as Latin-1."""
        return self.raw.replace(b"\r\n", b"").replace(b"\n", b"").decode("latin-1").strip(" \t\r")


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message or a part of one. `is_whole` is false where the head was broken off or too long to be read to its end."""

    fields: tuple[Field, ...]
    body: bytes
    is_whole: bool

    def named(self, name: str) -> list[Field]:
        """Every field of this name (in lower case), from the top."""
        return [field for field in self.fields if field.name == name]

    def first(self, name: str) -> str:
        """The value of the topmost field of this name; empty where there is none."""
        return next((field.value for field in self.fields if field.name == name), "")


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text body as a reader sees it. `subtype` is `plain` or `html`."""

    subtype: str
    text: str


class TooDeep(Exception):
    """Nested, or made of more parts, than anything honest."""


def read_message(raw: bytes) -> RawMessage:
    """Split head from body and the head into fields. A leading `From ` line of a mailbox file is skipped."""
    if raw.startswith(b"From ") and b"\n" in raw[:1000]:
        raw = raw[raw.index(b"\n") + 1 :]
    if raw.startswith((b"\r\n", b"\n")):
        return RawMessage((), raw, is_whole=True)
    end = _END_OF_HEAD.search(raw, 0, MOST_HEAD_BYTES)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw[:MOST_HEAD_BYTES], b"")
    fields, is_whole = _fields(head)
    return RawMessage(fields, body, is_whole=is_whole and (end is not None or len(raw) <= MOST_HEAD_BYTES))


def _fields(head: bytes) -> tuple[tuple[Field, ...], bool]:
    found: list[tuple[str, list[bytes]]] = []
    for line in _LINE.findall(head):
        name = _NAME.match(line)
        if line[:1] in b" \t" and found:
            found[-1][1].append(line)
        elif name is None or len(found) == MOST_FIELDS:
            return _joined(found), False
        else:
            found.append((name[1].decode("ascii").lower(), [line[name.end() :]]))
    return _joined(found), True


def _joined(found: list[tuple[str, list[bytes]]]) -> tuple[Field, ...]:
    return tuple(Field(name, b"".join(lines).removesuffix(b"\n").removesuffix(b"\r")) for name, lines in found)


def text_parts(message: RawMessage) -> list[TextPart]:
    """The text bodies that are no attachments, in order. Raises TooDeep."""
    counted = iter(range(MOST_PARTS))
    return list(_text_parts(message, 0, counted))


def _text_parts(part: RawMessage, depth: int, counted: Iterator[int]) -> Iterator[TextPart]:
    if depth > MOST_DEPTH or next(counted, None) is None:
        raise TooDeep
    try:
        kind, disposition, boundary, charset = _described(part)
    except (ValueError, LookupError):
        return
    if disposition == "attachment":
        return
    if kind.startswith("multipart/"):
        for one in _split(part.body, boundary) if boundary else ():
            yield from _text_parts(read_message(one), depth + 1, counted)
    elif kind in {"text/plain", "text/html"}:
        yield TextPart(kind.removeprefix("text/"), _text(part, charset))


def _described(part: RawMessage) -> tuple[str, str, str, str]:
    """Type, disposition, boundary and charset, as the standard library reads them. Raises ValueError, LookupError."""
    described = Message()
    for name in ("content-type", "content-disposition"):
        value = part.first(name)
        if value:
            described[name] = value[:MOST_PARAMETER_CHARACTERS].replace("\r", "").replace("\n", "")
    boundary, charset = described.get_boundary(), described.get_content_charset()
    return (
        described.get_content_type(),
        described.get_content_disposition() or "",
        str(boundary or ""),
        str(charset or "utf-8"),
    )


def _split(body: bytes, boundary: str) -> list[bytes]:
    """The parts between the delimiters, without preamble and epilogue (RFC 2046 §5.1.1). A missing end is forgiven."""
    mark = re.escape(boundary.encode("latin-1", "replace"))
    pieces = re.split(rb"(?:\A|\r?\n)--" + mark + rb"(--)?[ \t]{0,100}(?=\r?\n|\Z)", body, maxsplit=MOST_PARTS + 1)
    parts: list[bytes] = []
    for is_end, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if is_end:
            break
        parts.append(piece.removeprefix(b"\r").removeprefix(b"\n"))
    return parts


def _text(part: RawMessage, charset: str) -> str:
    encoding, raw = part.first("content-transfer-encoding").lower(), part.body[: 2 * MOST_TEXT_BYTES]
    if encoding == "base64":
        kept = _NOT_BASE64.sub(b"", raw)
        raw = binascii.a2b_base64(kept[: len(kept) // 4 * 4])
    elif encoding == "quoted-printable":
        raw = binascii.a2b_qp(raw)
    known = _TEXT_CHARSET.fullmatch(charset.lower())
    try:
        return raw[:MOST_TEXT_BYTES].decode(charset if known else "latin-1", "replace")
    except LookupError:
        return raw[:MOST_TEXT_BYTES].decode("latin-1")
