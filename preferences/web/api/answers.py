"""What calls answer: one JSON document, or rows that also come as NDJSON and may be streamed as they are found.

NDJSON answers mirror NDJSON requests: what stands beside the rows comes first, on a line of its own (where there is any),
then one row a line, and in a streamed answer a last line `{"count": n, …}`: without it the stream was cut short.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from flask import Response

from .bodies import JSON, NDJSON

ROWS_A_CHUNK = 500

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """A complete answer. `rows` names the member that holds rows, where there is one."""

    body: Document
    status: int = 200
    rows: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Stream:
    """Rows found while they are sent; memory stays flat. `head` is known before the first of them, `tail` after the last.

    A row that is text is JSON already (without line ends): for answers of a hundred thousand rows.
    """

    rows: Iterable[Document | str]
    name: str
    head: Document = field(default_factory=dict)
    tail: Callable[[], Document] = dict


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def write_json(value: Any) -> str:
    """Compact JSON, text as it is. The encoder is made once: rows are written one by one."""
    return _encode(value)


def answer_response(answer: Answer, *, ndjson: bool) -> Response:
    """The response of a complete answer."""
    if not ndjson or answer.rows is None:
        return Response(write_json(answer.body), answer.status, answer.headers, content_type=JSON)
    head = {name: value for name, value in answer.body.items() if name != answer.rows}
    lines = _lines(_chunks(answer.body[answer.rows]), head, tail=None)
    return Response(b"".join(lines), answer.status, answer.headers, content_type=NDJSON)


def stream_response(stream: Stream, *, ndjson: bool) -> Response:
    """The response of a streamed answer. The first rows are found now, so that what fails at once is told as a problem."""
    chunks = _chunks(stream.rows)
    chunks = chain([next(chunks, [])], chunks)
    if ndjson:
        return Response(_lines(chunks, stream.head, tail=stream.tail), content_type=NDJSON)
    return Response(_document(chunks, stream), content_type=JSON)


def _lines(chunks: Iterable[list[str]], head: Document, *, tail: Callable[[], Document] | None) -> Iterator[bytes]:
    if head:
        yield f"{write_json(head)}\n".encode()
    count = 0
    for chunk in chunks:
        count += len(chunk)
        yield "".join(f"{row}\n" for row in chunk).encode()
    if tail is not None:
        yield f"{write_json({'count': count, **tail()})}\n".encode()


def _document(chunks: Iterable[list[str]], stream: Stream) -> Iterator[bytes]:
    head = write_json(stream.head)[1:-1]
    yield f"{{{head}{',' if head else ''}{write_json(stream.name)}:[".encode()
    count = 0
    for chunk in chunks:
        yield (("," if count and chunk else "") + ",".join(chunk)).encode()
        count += len(chunk)
    yield f"],{write_json({'count': count, **stream.tail()})[1:]}".encode()


def _chunks(rows: Iterable[Document | str]) -> Iterator[list[str]]:
    source = (row if isinstance(row, str) else write_json(row) for row in rows)
    while chunk := list(islice(source, ROWS_A_CHUNK)):
        yield chunk
