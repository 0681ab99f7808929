"""Reads request bodies: JSON and NDJSON, UTF-8, bounded, without surprises.

Refused with 400: what is not JSON, duplicate names, NaN and infinities, nesting that never ends, text with NUL or half a
surrogate pair. Refused with 415: any other content type or a content encoding. Refused with 413: more than the call accepts.

NDJSON is another spelling of the same document: where the model has fields beside its rows, the first line is the object
without them; each further line is one row. Rows are numbered by their line, or from 1 in JSON.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, NoReturn, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from .problems import FieldError, Problem, field_errors, invalid_fields

M = TypeVar("M", bound=BaseModel)

JSON = "application/json"
NDJSON = "application/x-ndjson"
FORM = "multipart/form-data"
SMALL_BODY = 64 * 1024
BULK_BODY = 16 * 1024 * 1024
MOST_LINE_BYTES = 64 * 1024

_SUSPICIOUS = (b"\\u0000", b"\\ud", b"\\uD")


@dataclass(frozen=True, slots=True)
class RawBody:
    """Another way to send a call's one large field: as the whole body, byte for byte, under a content type of its own."""

    content_type: str
    field: str


def read_body(model: type[M], *, bulk: str | None = None, most_rows: int = 0, raw: RawBody | None = None) -> M:
    """The request's body as this model. `bulk` names the field that holds rows, which may also come as NDJSON."""
    kind = _content_type([JSON, *([NDJSON] if bulk else []), *([raw.content_type] if raw else [])])
    document: Any
    lines: list[int] | None
    if kind == NDJSON and bulk is not None:
        document, lines = _read_lines(model, bulk, most_rows)
    elif raw is not None and kind == raw.content_type:
        document, lines = {raw.field: read_raw()}, None
    else:
        document, lines = parse_json(read_raw()), None
    if bulk is not None and isinstance(document, dict) and isinstance(document.get(bulk), list):
        _refuse_too_many(len(document[bulk]), most_rows)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise invalid_fields(field_errors(error, lines, bulk)) from None


def read_form(model: type[M]) -> M:
    """The parts of a form with a file as this model; unknown and repeated parts are errors."""
    _content_type([FORM])
    values: dict[str, Any] = {}
    given: list[tuple[str, list[Any]]] = [*request.form.lists(), *request.files.lists()]
    for name, found in given:
        if name in values or len(found) > 1:
            raise _malformed(f"The part {name[:40]!r} is given more than once.")
        values[name] = found[0]
    if any(isinstance(value, str) and ("\x00" in value or "\ufffd" in value) for value in values.values()):
        raise _malformed("A part is not UTF-8 text.")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid_fields(field_errors(error)) from None


def read_raw() -> bytes:
    """The whole body. Raises RequestEntityTooLarge.

    Of a chunked body, which does not say its length, werkzeug reads up to the limit and says nothing of the rest: a list of
    recipients must never be cut short unseen.
    """
    raw = request.get_data(cache=True)
    if request.content_length is None and len(raw) >= (request.max_content_length or 0):
        raise RequestEntityTooLarge
    return raw


def read_parameters(model: type[M]) -> M:
    """The query string as this model; unknown and repeated parameters are errors."""
    values: dict[str, str] = {}
    for name, found in request.args.lists():
        if len(found) > 1:
            raise _malformed(f"The parameter {name[:40]!r} is given more than once.")
        values[name] = found[0]
    if any("\x00" in value or "\ufffd" in value for value in values.values()):
        raise _malformed("A parameter is not UTF-8 text.")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid_fields(field_errors(error)) from None


def wants_ndjson() -> bool:
    """Whether the caller asked for rows line by line."""
    return request.accept_mimetypes.best_match([JSON, NDJSON], default=JSON) == NDJSON


def parse_json(raw: bytes, row: int | None = None) -> Any:
    """One JSON value. Raises Problem 400; `row` is its line in NDJSON."""
    try:
        text = raw.decode("utf-8")
        value = _decode(text)
    except UnicodeDecodeError:
        _refuse("The body is not UTF-8.", row)
    except _Refused as refusal:
        _refuse(str(refusal), row)
    except RecursionError:
        _refuse("The JSON is nested too deeply.", row)
    except json.JSONDecodeError as error:
        _refuse(f"This is not JSON: {error.msg.lower()} at character {error.pos}.", row)
    except ValueError:
        _refuse("A number has too many digits.", row)
    if any(sign in raw for sign in _SUSPICIOUS) or b"\x00" in raw:
        _refuse_broken_text(value, row)
    return value


class _Refused(ValueError):
    """Well-formed JSON that we do not take."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refused("A name is given twice in one object.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is not JSON.")


def _number(text: str) -> float | int:
    """JSON has one kind of number: 1.0 is 1."""
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


_decode = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_number).decode
"""Made once: `json.loads` would make one for every line."""


def _refuse_broken_text(value: Any, row: int | None) -> None:
    """PostgreSQL cannot store NUL, and half a surrogate pair is no text at all."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and ("\x00" in one or not _encodes(one)):
            _refuse("A text holds NUL or half a surrogate pair.", row)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _content_type(accepted: list[str]) -> str:
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in accepted or encoding != "identity" or charset not in {"utf-8", "utf8"}:
        detail = f"Send {' or '.join(accepted)} in UTF-8, without a content encoding."
        raise Problem(415, "unsupported_media_type", detail, headers={"Accept": ", ".join(accepted)})
    return request.mimetype


def _read_lines(model: type[BaseModel], bulk: str, most_rows: int) -> tuple[dict[str, Any], list[int]]:
    has_head = set(model.model_fields) != {bulk}
    head: dict[str, Any] | None = None if has_head else {}
    rows: list[Any] = []
    lines: list[int] = []
    for number, raw in _lines():
        value = parse_json(raw, number)
        if head is None:
            if not isinstance(value, dict) or bulk in value:
                _refuse(f"The first line is an object with everything but `{bulk}`.", number)
            head = value
            continue
        rows.append(value)
        lines.append(number)
        _refuse_too_many(len(rows), most_rows)
    return {**(head or {}), bulk: rows}, lines


def _lines() -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers, empty ones left out, read as they arrive unless the body was read already."""
    was_read = request.environ.get("preferences.body_read", False)
    reader: IO[bytes] = io.BytesIO(read_raw()) if was_read else request.stream
    if isinstance(reader, io.RawIOBase):
        reader = io.BufferedReader(reader)
    number = 0
    while raw := reader.readline(MOST_LINE_BYTES + 1):
        number += 1
        if len(raw) > MOST_LINE_BYTES:
            raise RequestEntityTooLarge
        if raw.strip():
            yield number, raw


def _refuse_too_many(rows: int, most_rows: int) -> None:
    if rows > most_rows:
        raise Problem(413, "too_many_rows", f"This call takes at most {most_rows} rows. Split it.")


def _malformed(detail: str, errors: tuple[FieldError, ...] = ()) -> Problem:
    return Problem(400, "malformed", detail, errors=errors)


def _refuse(detail: str, row: int | None) -> NoReturn:
    if row is None:
        raise _malformed(f"{detail} Nothing was changed.")
    raise _malformed(f"Line {row}: {detail} Nothing was changed.", (FieldError(detail, "malformed", row=row),))
