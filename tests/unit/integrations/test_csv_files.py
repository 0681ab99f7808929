"""CSV files as the world writes them, and files that only pretend to be CSV."""

from __future__ import annotations

import csv
import gzip
import io
import tracemalloc
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preferences.integrations.csv_files import CsvFormat, NotCsv, neutralise, read_records, write_csv
from preferences.integrations.csv_sniff import sniff

ROWS = [["email", "name"], ["anna@example.se", 'Åsa; "A" | , \t'], ["bo@räksmörgås.se", "Bo\nthe second 🙂"]]


def written(rows: list[list[str]], encoding: str, delimiter: str, line_end: str = "\r\n") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode(encoding)


def read(data: bytes) -> list[list[str]]:
    stream = io.BytesIO(data)
    return [list(record.cells) for record in read_records(stream, sniff(stream))]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_delimiters_encodings_and_line_ends_are_found_out(delimiter: str, encoding: str, line_end: str) -> None:
    assert read(written(ROWS, encoding, delimiter, line_end)) == ROWS


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_what_excel_writes_on_windows_is_read_even_where_it_shows_late(encoding: str) -> None:
    rows = [["email", "name"], *[[f"a{number}@example.se", "A"] for number in range(30_000)], ["å@example.se", "Åsa"]]
    assert read(written(rows, encoding, ";")) == rows


def test_windows_quotes_are_read_as_windows_quotes() -> None:
    assert read("email;name\r\na@b.se;\u201dAnna\u201d \u20ac\r\n".encode("cp1252"))[1][1] == "\u201dAnna\u201d €"


def test_mixed_line_ends_and_empty_lines_are_read() -> None:
    assert read(b"email,name\r\na@b.se,A\n\n\rb@b.se,B\r\r\n") == [["email", "name"], ["a@b.se", "A"], ["b@b.se", "B"]]


def test_the_sep_line_of_excel_names_the_delimiter() -> None:
    assert read(b"sep=|\r\nemail|name\r\na@b.se|A\r\n") == [["email", "name"], ["a@b.se", "A"]]


def test_a_single_column_is_a_csv_file() -> None:
    assert read(b"email\na@b.se\n") == [["email"], ["a@b.se"]]


def _zip() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.csv", "email\na@b.se\n")
    return archive.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (_zip(), "zip archive or an Excel workbook"),
        (gzip.compress(b"email\na@b.se\n"), "gzip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (bytes(range(256)) * 40, "binary"),
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\xff\xfe\r\x00\n\x00", "empty"),
        (b" \r\n\t\r\n", "empty"),
        (bytes(5000), "empty"),
        ("email\na@b.se".encode("utf-32"), "UTF-32"),
    ],
)
def test_what_is_no_csv_is_refused_and_named(data: bytes, says: str) -> None:
    with pytest.raises(NotCsv, match=says):
        sniff(io.BytesIO(data))


def test_rows_carry_the_line_they_begin_on() -> None:
    stream = io.BytesIO(b'email,name\na@b.se,"A\nB\nC"\n\nb@b.se,B\n')
    lines = [(record.line, record.last_line) for record in read_records(stream, sniff(stream))]
    assert lines == [(1, 1), (2, 4), (6, 6)]


def test_a_line_of_ten_megabytes_is_one_problem_and_costs_no_memory() -> None:
    stream = io.BytesIO(b"email,name\n" + b"a@b.se," + b"x" * 10_000_000 + b"\nb@b.se,B\n")
    tracemalloc.start()
    records = list(read_records(stream, CsvFormat("utf-8-sig", ",")))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(record.line, bool(record.problem)) for record in records] == [(1, False), (2, True), (3, False)]
    assert peak < 8_000_000


def test_a_quotation_mark_without_partner_is_a_problem_of_its_lines() -> None:
    rest = b"".join(b"b%d@b.se,B\n" % number for number in range(20_000))
    records = list(read_records(io.BytesIO(b'email,name\na@b.se,"A\n' + rest), CsvFormat("utf-8-sig", ",")))
    problem = records[1]
    assert problem.line == 2
    assert problem.last_line > 2
    assert "quotation mark" in (problem.problem or "")
    assert records[2].line == problem.last_line + 1, "reading goes on behind it"


def test_nul_bytes_stay_in_their_cell() -> None:
    assert read(b"email,name\na@b.se,A\x00B\nb@b.se,B\n")[1] == ["a@b.se", "A\x00B"]


def test_the_stream_stays_open_for_its_owner() -> None:
    stream = io.BytesIO(b"email\na@b.se\n")
    list(read_records(stream, sniff(stream)))
    assert not stream.closed


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_formula_is_written_as_text(start: str) -> None:
    [line] = b"".join(write_csv([[f'{start}HYPERLINK("http://x")', 7, None]])).decode("utf-8-sig").splitlines()[-1:]
    assert f"'{start}" in b"".join(write_csv([[f"{start}1"]])).decode()
    assert line.endswith(",7,")


@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=4), max_size=8))
@settings(deadline=None)
def test_what_is_written_reads_back_as_the_same_text(rows: list[list[str]]) -> None:
    data = b"".join(write_csv(rows)).decode("utf-8-sig", "replace")
    back = list(csv.reader(io.StringIO(data, newline="")))
    safe = [[neutralise(cell).encode("utf-8", "replace").decode() for cell in row] for row in rows]
    assert back == safe
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in back for cell in row)


@given(st.binary(max_size=3000))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused_and_never_crash(data: bytes) -> None:
    stream = io.BytesIO(data)
    try:
        form = sniff(stream)
    except NotCsv:
        return
    for record in read_records(stream, form):
        assert record.last_line >= record.line
