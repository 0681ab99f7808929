"""What a POST to an unsubscribe link says: the one-click pair, the page's own form, or something else (M2, M6).

Other people's mail systems write these bytes, so both encodings are read in every spelling that means the same, and nothing
else makes the link act. The body is bounded; a larger one is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from typing import NoReturn
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser

MOST_BYTES = 16 * 1024
MOST_FIELDS = 8
ONE_CLICK_PAIR = ("List-Unsubscribe", "One-Click")
_ONE_CLICK_BODY = b"List-Unsubscribe=One-Click"
_URLENCODED, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_NOTICE = re.compile(r"(?P<version>[1-9][0-9]{0,8}):(?P<locale>[A-Za-z_]{2,16})", re.ASCII)


class Stop(StrEnum):
    """Which button of the page's form was pressed."""

    PURPOSE = "purpose"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Notice:
    """The wording that the page says it showed; to be checked before it is written down as evidence."""

    version_id: int
    locale: str


@dataclass(frozen=True, slots=True)
class OneClick:
    """RFC 8058: the pair, the whole pair and nothing but the pair."""


@dataclass(frozen=True, slots=True)
class OwnForm:
    """A person pressed a button on our page."""

    stop: Stop
    notice: Notice | None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Anything else. `reason` is a code for the log, never what was sent."""

    reason: str


def read_post(request: Request) -> OneClick | OwnForm | Ignored:
    """Read the body and tell what it asks for. Never raises for what was sent."""
    request.max_content_length = MOST_BYTES
    try:
        body = request.get_data(cache=False)
    except HTTPException:
        return Ignored("too_large_or_cut_off")
    if not body:
        return Ignored("no_body")
    try:
        pairs = _pairs(request, body)
    except (ValueError, HTTPException):
        return Ignored("malformed")
    if pairs is None:
        return Ignored("other_content_type")
    if pairs == [ONE_CLICK_PAIR]:
        return OneClick()
    return _own_form(pairs)


def _pairs(request: Request, body: bytes) -> list[tuple[str, str]] | None:
    """The fields in the order sent; None for a content type that is not a form. Raises ValueError or HTTPException."""
    if request.mimetype == _URLENCODED:
        body = body.rstrip(b"\r\n")
        if body == _ONE_CLICK_BODY:
            return [ONE_CLICK_PAIR]
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    if request.mimetype != _MULTIPART:
        return None
    options = dict(request.mimetype_params)
    options["boundary"] = _boundary(options.get("boundary", ""), body)
    parser = FormDataParser(
        stream_factory=_refuse_file, max_form_memory_size=MOST_BYTES, max_form_parts=MOST_FIELDS, silent=False
    )
    _, form, _ = parser.parse(BytesIO(body), _MULTIPART, len(body), options)
    return list(form.items(multi=True))


def _refuse_file(*_: object, **__: object) -> NoReturn:
    raise ValueError("a file is no field")


def _boundary(declared: str, body: bytes) -> str:
    """The boundary in use. RFC 8058 §8.3 prints its example with two dashes too many (erratum 5117): read it too."""
    if declared.startswith("--") and body.lstrip().startswith(declared.encode() + b"\r\n"):
        return declared[2:]
    return declared


def _own_form(pairs: list[tuple[str, str]]) -> OwnForm | Ignored:
    fields = dict(pairs)
    if len(fields) != len(pairs) or fields.pop("confirm", "") != "1":
        return Ignored("other_body")
    try:
        stop = Stop(fields.pop("stop", Stop.PURPOSE))
    except ValueError:
        return Ignored("other_body")
    notices = {one: _notice(fields.pop(f"shown_{one}", "")) for one in Stop}
    return Ignored("other_body") if fields else OwnForm(stop, notices[stop])


def _notice(text: str) -> Notice | None:
    found = _NOTICE.fullmatch(text)
    return Notice(int(found["version"]), found["locale"]) if found else None
