"""Words beyond ASCII in a header, as RFC 2047 wants them: whole characters, 75 a word, folded between words.

The standard library's folding loses spaces between such words and takes exponential time on some names; names and subjects come
from other systems, so they are written here.
"""

from __future__ import annotations

import base64
import re

MAX_WORD_CHARACTERS = 75
"""RFC 2047 §2, the whole `=?utf-8?q?…?=`."""
FOLD = "\r\n "

_ROOM = MAX_WORD_CHARACTERS - len("=?utf-8?q??=")
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def encode_text(text: str) -> str:
    """A subject: as it is where it is plain ASCII, else in encoded words."""
    return text if _is_plain(text) else _encode(text)


def encode_phrase(text: str) -> str:
    """A display name: bare, quoted, or in encoded words; empty for an empty one."""
    if not _is_plain(text):
        return _encode(text)
    if not text or _PLAIN_PHRASE.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_plain(text: str) -> bool:
    """Printable ASCII that no reader takes for an encoded word."""
    return text.isascii() and "=?" not in text


def _encode(text: str) -> str:
    """All of it, spaces included, in the shorter of the two encodings: readers drop the white space between words (§6.2)."""
    in_q, in_b = _pack(text, "q"), _pack(text, "b")
    return FOLD.join(in_q if sum(map(len, in_q)) <= sum(map(len, in_b)) else in_b)


def _pack(text: str, encoding: str) -> list[str]:
    words, room = [], ""
    for character in text:
        if len(_payload(room + character, encoding)) > _ROOM:
            words.append(room)
            room = ""
        room += character
    return [f"=?utf-8?{encoding}?{_payload(word, encoding)}?=" for word in [*words, room]]


def _payload(text: str, encoding: str) -> str:
    raw = text.encode()
    if encoding == "b":
        return base64.b64encode(raw).decode()
    return "".join(chr(byte) if byte in _SAFE else "_" if byte == 32 else f"={byte:02X}" for byte in raw)
