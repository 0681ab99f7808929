"""List-Unsubscribe, List-Unsubscribe-Post and List-Id as they stand on the wire (RFC 2369, 2919, 8058; M1, M5, M10, T8, T9)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from .header_doctor_codes import Code, Finding
from .list_headers import LIST_ID, LIST_UNSUBSCRIBE, LIST_UNSUBSCRIBE_POST, MAX_LOCAL_PART_CHARACTERS, ONE_CLICK
from .raw_message import Field, RawMessage

MOST_LINE_BYTES = 998
_ENCODED_WORD = re.compile(r"=\?[^?\s]{1,60}\?[bBqQ]\?", re.ASCII)
_BRACKETS = re.compile(rb"<([^<>]{0,4000})>")
_COMMENT = re.compile(r"\([^()]{0,500}\)")
_HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.){1,20}[a-z0-9-]{2,63}", re.ASCII | re.IGNORECASE)
_MAILBOX = re.compile(r"([^@\s]{1,500})@([A-Za-z0-9.-]{1,253})", re.ASCII)
_LIST_ID = re.compile(r"[!#-'*+\-/-9=?A-Z^-~]{1,200}(?:\.[!#-'*+\-/-9=?A-Z^-~]{1,200}){1,50}", re.ASCII)


def list_findings(message: RawMessage) -> Iterator[Finding]:
    """What is wrong with the three list headers."""
    yield from _one(message, LIST_UNSUBSCRIBE, Code.UNSUBSCRIBE_MISSING, Code.UNSUBSCRIBE_REPEATED)
    for field in message.named(LIST_UNSUBSCRIBE.lower())[:1]:
        yield from _unsubscribe(field)
    yield from _one(message, LIST_UNSUBSCRIBE_POST, Code.POST_MISSING, Code.POST_REPEATED)
    for field in message.named(LIST_UNSUBSCRIBE_POST.lower())[:1]:
        if _ENCODED_WORD.search(field.value):
            yield Finding(Code.POST_ENCODED)
        elif field.value != ONE_CLICK:
            yield Finding(Code.POST_NOT_EXACT)
    yield from _one(message, LIST_ID, Code.LIST_ID_MISSING, Code.LIST_ID_REPEATED)
    for field in message.named(LIST_ID.lower())[:1]:
        inside = _BRACKETS.findall(field.raw)
        if len(inside) != 1 or not _LIST_ID.fullmatch(inside[0].decode("latin-1").strip()):
            yield Finding(Code.LIST_ID_MALFORMED)


def one_click_url(message: RawMessage) -> str | None:
    """The first https URI of List-Unsubscribe, or the first http one: where a mail program posts to, if anywhere."""
    uris = [uri for field in message.named(LIST_UNSUBSCRIBE.lower())[:1] for uri in _uris(field)]
    for scheme in ("https://", "http://"):
        for uri in uris:
            if uri.lower().startswith(scheme):
                return uri
    return None


def _one(message: RawMessage, name: str, missing: Code, repeated: Code) -> Iterator[Finding]:
    count = len(message.named(name.lower()))
    if count != 1:
        yield Finding(repeated if count else missing)


def _uris(field: Field) -> list[str]:
    """What stands in angle brackets, without the white space that folding or carelessness put there."""
    return [re.sub(r"\s+", "", inside.decode("latin-1")) for inside in _BRACKETS.findall(field.raw)[:20]]


def _unsubscribe(field: Field) -> Iterator[Finding]:
    value = field.value
    if _ENCODED_WORD.search(value):
        yield Finding(Code.UNSUBSCRIBE_ENCODED)
        return
    if not all("\x20" <= character < "\x7f" or character == "\t" for character in value):
        yield Finding(Code.UNSUBSCRIBE_NOT_ASCII)
    lines = [line.removesuffix(b"\r") for line in field.raw.split(b"\n")]
    if max(len(LIST_UNSUBSCRIBE) + 1 + len(lines[0]), *map(len, lines)) > MOST_LINE_BYTES:
        yield Finding(Code.UNSUBSCRIBE_LINE_TOO_LONG)
    uris = _uris(field)
    if not uris:
        yield Finding(Code.NO_ANGLE_BRACKETS)
        return
    yield from _brackets(field, is_folded=len(lines) > 1)
    yield from _https([uri for uri in uris if uri], uris[0])
    mailtos = [uri for uri in uris if uri.lower().startswith("mailto:")]
    if not mailtos:
        yield Finding(Code.MAILTO_MISSING)
    for uri in mailtos[:1]:
        yield from _mailto(uri)


def _brackets(field: Field, *, is_folded: bool) -> Iterator[Finding]:
    insides = _BRACKETS.findall(field.raw)
    if any(b"\n" in inside for inside in insides):
        yield Finding(Code.UNSUBSCRIBE_FOLDED_IN_URI)
    elif any(b" " in inside or b"\t" in inside for inside in insides):
        yield Finding(Code.SPACE_IN_URI)
    elif is_folded:
        yield Finding(Code.UNSUBSCRIBE_FOLDED)
    if any(b"," in inside for inside in insides):
        yield Finding(Code.COMMA_IN_URI)
    outside = _COMMENT.sub("", _BRACKETS.sub(b"", field.raw).decode("latin-1"))
    if re.sub(r"[\s,]+", "", outside) or outside.count(",") != len(insides) - 1:
        yield Finding(Code.TEXT_OUTSIDE_BRACKETS)


def _https(uris: list[str], first: str) -> Iterator[Finding]:
    https = [uri for uri in uris if uri.lower().startswith("https:")]
    http = [uri for uri in uris if uri.lower().startswith("http:")]
    if http:
        yield Finding(Code.HTTP_NOT_HTTPS)
    elif not https:
        yield Finding(Code.HTTPS_MISSING)
    if len(https) > 1:
        yield Finding(Code.HTTPS_SEVERAL)
    if https and first not in https:
        yield Finding(Code.HTTPS_NOT_FIRST)
    if any(not _is_usable(uri) for uri in https):
        yield Finding(Code.HTTPS_MALFORMED)


def _is_usable(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        host, port, user = parts.hostname or "", parts.port, parts.username
    except ValueError:
        return False
    named = _HOST.fullmatch(host) is not None and port != 0
    return named and user is None and not parts.fragment and len(parts.path + parts.query) > 1


def _mailto(uri: str) -> Iterator[Finding]:
    address, _, fields = uri[len("mailto:") :].partition("?")
    match = _MAILBOX.fullmatch(unquote(address, errors="replace"))
    if match is None:
        yield Finding(Code.MAILTO_MALFORMED)
        return
    if len(match[1]) > MAX_LOCAL_PART_CHARACTERS:
        yield Finding(Code.MAILTO_LOCAL_PART_TOO_LONG)
    if "subject=" in fields.lower():
        yield Finding(Code.MAILTO_NEEDS_SUBJECT)
