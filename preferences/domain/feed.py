"""Where a reader stands in the change feed, and the opaque text it keeps: the cursor."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from typing import NamedTuple

from .errors import InvalidValue

_FORM = struct.Struct(">BQQ")
_VERSION = 1
_LARGEST = 2**63 - 1
_TEXT = re.compile(r"[A-Za-z0-9_-]{26}", re.ASCII)
CURSOR_PATTERN = "^[A-Za-z0-9_-]{26}$"


class FeedPosition(NamedTuple):
    """A place in the feed: the order of the transaction that wrote the change, then the change's id. Places compare."""

    order: int
    id: int


START = FeedPosition(0, 0)


class InvalidCursor(InvalidValue):
    """A cursor that the feed did not give out."""

    code = "invalid_cursor"
    title = "Not a cursor of this feed"


def format_cursor(position: FeedPosition) -> str:
    """The cursor of a place: 26 characters that fit into a URL as they are."""
    packed = _FORM.pack(_VERSION, position.order, position.id)
    return base64.urlsafe_b64encode(packed + _check(packed)).rstrip(b"=").decode()


def parse_cursor(text: str, *, pointer: str) -> FeedPosition:
    """The place that a cursor names. Raises InvalidCursor for anything else, cut and mistyped ones too."""
    if _TEXT.fullmatch(text):
        raw = base64.urlsafe_b64decode(text + "==")
        packed, check = raw[: _FORM.size], raw[_FORM.size :]
        version, order, number = _FORM.unpack(packed)
        position = FeedPosition(order, number)
        well_made = version == _VERSION and max(position) <= _LARGEST and format_cursor(position) == text
        if check == _check(packed) and well_made:
            return position
    raise InvalidCursor("Send a cursor exactly as the feed gave it, or none to begin at the start.", pointer=pointer)


def refuse_beyond(position: FeedPosition, newest: FeedPosition, *, pointer: str) -> None:
    """Raises InvalidCursor for a place that the feed has not reached."""
    if position > newest:
        raise InvalidCursor(
            "The feed has not come that far. Was the database restored from a backup? Begin again from an older cursor.",
            pointer=pointer,
        )


def _check(packed: bytes) -> bytes:
    """Finds slips of the hand. Nothing is guarded by it: who makes up a cursor skips changes of their own."""
    return binascii.crc_hqx(packed, 0).to_bytes(2, "big")
