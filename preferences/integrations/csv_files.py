"""CSV as the world writes it: found out, read within bounds, and written so that no spreadsheet runs it. No database.

Reads any of four delimiters and six encodings, quoted line breaks, mixed line ends. Nothing in a file can make reading take
more memory than its bounds: a line beyond them is a problem of that line, with its number, and reading goes on with the next.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from preferences.domain.errors import InvalidValue

MAX_LINE_CHARACTERS = 1_000_000
"""One physical line. The longest row we could store has some 30,000."""

_SEP_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Flaw(StrEnum):
    """What is wrong with a file, for pages that say it in their own words."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    BINARY = "binary"
    ENCODING = "encoding"
    HEADERS = "headers"
    COLUMNS = "columns"
    NO_HEADERS = "no_headers"


class NotCsv(InvalidValue):
    """The file is no CSV file, or nothing can be imported from it; says what it looks like and what to do."""

    code = "not_csv"
    title = "Not a CSV file"

    def __init__(self, detail: str, *, flaw: Flaw = Flaw.HEADERS) -> None:
        super().__init__(detail)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How a file is written."""

    encoding: str
    delimiter: str
    has_sep_line: bool = False
    """Whether it begins with Excel's `sep=;`."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row: the lines it stands on, and its cells, or why it cannot be read."""

    line: int
    last_line: int
    cells: Sequence[str]
    problem: str | None = None


class _LineTooLong(Exception):
    pass


class _Lines:
    """Physical lines, counted and bounded. Raising does not end it: the next call goes on with the next line."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.count = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_LINE_CHARACTERS)
        if not line:
            raise StopIteration
        self.count += 1
        if len(line) == MAX_LINE_CHARACTERS and line[-1] not in "\r\n":
            while (rest := self._text.readline(MAX_LINE_CHARACTERS)) and rest[-1] not in "\r\n":
                pass
            raise _LineTooLong
        return line


def read_records(stream: BinaryIO, form: CsvFormat) -> Iterator[Record]:
    """Every row with its header row first. Empty lines are passed over; the stream stays open."""
    text = io.TextIOWrapper(stream, encoding=form.encoding, errors="replace", newline="")
    try:
        lines = _Lines(text)
        if form.has_sep_line:
            next(lines, None)
        rows = csv.reader(lines, delimiter=form.delimiter)
        while True:
            first = lines.count + 1
            try:
                cells = next(rows, None)
            except _LineTooLong:
                yield Record(first, lines.count, (), f"The line has more than {MAX_LINE_CHARACTERS:,} characters.")
                continue
            except csv.Error:
                why = "A cell is longer than any that could be stored; a quotation mark may be missing its partner."
                yield Record(first, lines.count, (), why)
                continue
            if cells is None:
                return
            if cells:
                yield Record(first, lines.count, cells)
    finally:
        text.detach()


def neutralise(cell: str) -> str:
    """A cell that a spreadsheet shows instead of running (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def write_csv(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Rows as CSV, piece by piece: UTF-8 with a byte-order mark (Excel needs it), commas, formulas neutralised."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    for row in rows:
        writer.writerow(["" if cell is None else neutralise(str(cell)) for cell in row])
        if buffer.tell() > 65536:
            yield buffer.getvalue().encode("utf-8", "replace")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode("utf-8", "replace")


def sep_line(text: str) -> str | None:
    """The delimiter that Excel's first line `sep=;` names, where there is one."""
    match = _SEP_LINE.fullmatch(text.split("\n", 1)[0])
    return match[1] if match else None
