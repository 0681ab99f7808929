"""Finds out how a file is written: its encoding from all of its bytes, its delimiter from its first rows."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from typing import BinaryIO

from .csv_files import CsvFormat, Flaw, NotCsv, sep_line

MAX_FILE_BYTES = 2 * 1024**3
SAMPLE_BYTES = 256 * 1024
SAMPLE_ROWS = 50
DELIMITERS = (",", ";", "\t", "|")
_BLOCK = 1024 * 1024

_BINARY = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook (.xlsx)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"(\xb5/\xfd", "a zstd archive"),
    (b"Rar!", "a RAR archive"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"{\\rtf", "a rich-text document"),
)
_UNDEFINED_IN_WINDOWS = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))
_TEXT_CONTROLS = frozenset("\t\r\n\x00\x0b\x0c\x1a\ufeff")


def sniff(stream: BinaryIO) -> CsvFormat:
    """How the file is written; goes back to its start. Raises NotCsv for what is empty, too big, or no text at all."""
    if stream.seek(0, io.SEEK_END) > MAX_FILE_BYTES:
        raise NotCsv(f"The file is larger than {MAX_FILE_BYTES // 1024**3} GB: split it.", flaw=Flaw.TOO_LARGE)
    stream.seek(0)
    head = stream.read(SAMPLE_BYTES)
    if not head.strip(b"\x00\t\r\n \xef\xbb\xbf\xff\xfe"):
        raise NotCsv("The file is empty.", flaw=Flaw.EMPTY)
    for magic, what in _BINARY:
        if head.startswith(magic):
            raise NotCsv(
                f"This is {what}, not a CSV file: open it and save or export it as CSV (UTF-8).", flaw=Flaw.BINARY
            )
    encoding = _encoding(stream, head)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    controls = sum(character < " " and character not in _TEXT_CONTROLS for character in text)
    if controls * 50 > len(text):
        raise NotCsv("This is a binary file, not a CSV file.", flaw=Flaw.BINARY)
    named = sep_line(text.lstrip("\ufeff"))
    stream.seek(0)
    return CsvFormat(encoding, named or _delimiter(text), has_sep_line=named is not None)


def _encoding(stream: BinaryIO, head: bytes) -> str:
    """UTF-16 by its mark or by its zeros; UTF-8 if every byte of the file is; else what Excel writes on Windows."""
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise NotCsv("The file is UTF-32, which nothing else reads either: save it as CSV (UTF-8).", flaw=Flaw.ENCODING)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros_at = Counter(position % 2 for position, byte in enumerate(head[:4096]) if byte == 0)
    half = len(head[:4096]) / 2
    if zeros_at[1] > half * 0.4 and zeros_at[0] < half * 0.1:
        return "utf-16-le"
    if zeros_at[0] > half * 0.4 and zeros_at[1] < half * 0.1:
        return "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = is_windows = True
    stream.seek(0)
    while block := stream.read(_BLOCK):
        is_utf8 = is_utf8 and _decodes(decoder, block)
        is_windows = is_windows and not any(byte in block for byte in _UNDEFINED_IN_WINDOWS)
    if is_utf8 and not decoder.getstate()[0]:
        return "utf-8-sig"
    return "cp1252" if is_windows else "latin-1"


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes) -> bool:
    try:
        decoder.decode(block)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(text: str) -> str:
    """The delimiter under which most of the first rows have the same number of cells, and more than one."""
    lines = text.splitlines(keepends=True)
    sample = (lines[:-1] if len(lines) > 1 else lines)[: SAMPLE_ROWS * 4]
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        widths: Counter[int] = Counter()
        try:
            for row in csv.reader([line[:10_000] for line in sample], delimiter=delimiter):
                if row:
                    widths[len(row)] += 1
                if widths.total() == SAMPLE_ROWS:
                    break
        except csv.Error:
            continue
        width, rows = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
        score = (rows / max(1, widths.total()), width)
        if width > 1 and score > best_score:
            best, best_score = delimiter, score
    return best
