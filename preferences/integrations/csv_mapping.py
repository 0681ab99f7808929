"""Which column is which field: given as JSON, or guessed from the headers and shown before anything is imported.

Columns that say who somebody is are guessed in Swedish and English. Columns of evidence are taken only under their own names:
nobody's consent is ever guessed.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from preferences.domain.errors import InvalidValue
from preferences.domain.profile import PROFILE_FIELDS

from .csv_files import CsvFormat, Flaw, NotCsv, Record, read_records
from .csv_sniff import sniff

MAX_COLUMNS = 500
PERSON_FIELDS = ("email", "external_id", "locale", "name", *PROFILE_FIELDS)
EVIDENCE_FIELDS = (
    *("purpose", "act", "occurred_at", "source", "wording", "basis"),
    *("sale_reference", "similar_product", "opt_out_offered"),
)
FIELDS = frozenset(PERSON_FIELDS + EVIDENCE_FIELDS)

_SAID: dict[str, str] = {
    "email": "email emailaddress mail epost epostadress mejl mejladress mailadress emailadress",
    "name": "name fullname namn fullständigtnamn",
    "external_id": "externalid id customerid customernumber kundnummer kundnr kundid",
    "locale": "locale language språk",
    "contact_person": "contactperson contact kontaktperson kontakt",
    "company_name": "companyname company organisation företag företagsnamn bolag",
    "company_form": "companyform bolagsform företagsform",
    "address": "address postaladdress streetaddress adress postadress gatuadress",
    "telephone": "telephone phone mobile telefon telefonnummer mobil tel",
    "business_unit": "businessunit affärsenhet avdelning enhet",
    "vat_number": "vatnumber vat vatnummer momsnummer momsregnr momsregistreringsnummer",
    "licence_number": "licencenumber licensenumber licence licensnummer",
    "established_on": "establishedon dateofestablishment etableringsdatum grundat",
    "username": "username användarnamn",
    "domain_holder": "domainholder domäninnehavare",
    **{name: name.replace("_", "") for name in EVIDENCE_FIELDS},
}
"""How files head the columns of a field, without case, spaces and hyphens."""
_GUESSES = {header: name for name, headers in _SAID.items() for header in headers.split()}
_KEYS = frozenset({"columns", "constants", "values", "time_zone", "date_format"})


class InvalidMapping(InvalidValue):
    """The mapping does not fit the file; names the column or field."""

    code = "invalid_mapping"
    title = "The mapping does not fit the file"


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything needed to read one file the same way again."""

    encoding: str
    delimiter: str
    has_sep_line: bool
    headers: tuple[str, ...]
    columns: Mapping[str, int]
    """Field to column, counted from 0."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Fields with one value for every row."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """For a field: what its cells say, and what that means (`{"act": {"ja": "given"}}`)."""
    time_zone: str = "UTC"
    """Zone of times that name none."""
    date_format: str | None = None
    """`strptime` format of times that are not ISO 8601."""

    @property
    def form(self) -> CsvFormat:
        """How the file is written."""
        return CsvFormat(self.encoding, self.delimiter, self.has_sep_line)

    @property
    def unused(self) -> list[str]:
        """Headers of columns that are not read."""
        return [
            name for number, name in enumerate(self.headers) if number not in self.columns.values() and name.strip()
        ]

    def as_json(self) -> dict[str, Any]:
        """As it is kept with the import."""
        return {**asdict(self), "headers": list(self.headers)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Reading:
        """As it was kept."""
        return cls(**{**kept, "headers": tuple(kept["headers"])})


def choose_reading(stream: BinaryIO, mapping: str | None, *, time_zone: str) -> Reading:
    """How to read this file: found out, and mapped by the JSON given or by guessing. Goes back to the start.

    Raises NotCsv, or InvalidMapping naming what does not fit.
    """
    return map_columns(look_into(stream, time_zone=time_zone), mapping)


def look_into(stream: BinaryIO, *, time_zone: str) -> Reading:
    """How the file is written, and what its columns seem to be; nothing need fit yet. Goes back to the start. Raises NotCsv."""
    form = sniff(stream)
    headers = _headers(read_records(stream, form))
    stream.seek(0)
    return Reading(
        encoding=form.encoding,
        delimiter=form.delimiter,
        has_sep_line=form.has_sep_line,
        headers=headers,
        columns=guess_columns(headers),
        time_zone=time_zone,
    )


def map_columns(found: Reading, mapping: str | None) -> Reading:
    """The same file, mapped by the JSON given, or as it was guessed. Raises InvalidMapping naming what does not fit."""
    given = _parse(mapping) if mapping is not None else {}
    reading = replace(
        found,
        columns=_columns(found.headers, given["columns"]) if "columns" in given else found.columns,
        constants={_field(name): value.strip() for name, value in given.get("constants", {}).items()},
        values={_field(name): _folded(meanings) for name, meanings in given.get("values", {}).items()},
        time_zone=given.get("time_zone", found.time_zone),
        date_format=given.get("date_format"),
    )
    _check(reading)
    return reading


def guess_columns(headers: Sequence[str]) -> dict[str, int]:
    """Field to column for headers we know; the first of several alike counts, and is shown like the rest."""
    found: dict[str, int] = {}
    for number, header in enumerate(headers):
        name = _GUESSES.get(normal_header(header).replace(" ", ""))
        if name is not None:
            found.setdefault(name, number)
    return found


def normal_header(header: str) -> str:
    """A header without case, spacing, hyphens and underscores."""
    folded = unicodedata.normalize("NFC", header).replace("\ufeff", "").casefold()
    return " ".join(re.sub(r"[\W_]+", " ", folded).split())


def _headers(records: Iterator[Record]) -> tuple[str, ...]:
    first = next(records, None)
    if first is None or first.problem:
        raise NotCsv("The file is empty." if first is None else f"The header line cannot be read. {first.problem}")
    headers = tuple(cell.replace("\x00", "").strip() for cell in first.cells)
    if len(headers) > MAX_COLUMNS:
        raise NotCsv(f"The file has {len(headers)} columns; at most {MAX_COLUMNS} can be read.", flaw=Flaw.COLUMNS)
    if any("@" in cell for cell in headers):
        raise NotCsv(
            "The first line holds an address where headers should be: add a line that names the columns.",
            flaw=Flaw.NO_HEADERS,
        )
    return headers


def _parse(mapping: str) -> dict[str, Any]:
    try:
        given = json.loads(mapping)
        json.dumps(given, ensure_ascii=False).encode()  # half a surrogate pair cannot be stored
    except RecursionError as error:
        raise InvalidMapping("The mapping is nested too deeply.") from error
    except UnicodeEncodeError as error:
        raise InvalidMapping("The mapping holds half a surrogate pair.") from error
    except ValueError as error:
        raise InvalidMapping(f"The mapping is not JSON: {error}.") from error
    if "\\u0000" in mapping:
        raise InvalidMapping("The mapping holds NUL, which cannot be stored.")
    if not isinstance(given, dict) or (unknown := set(given) - _KEYS):
        what = f": {sorted(unknown)[0]!r} is not among them" if isinstance(given, dict) else ""
        raise InvalidMapping(f"A mapping is an object with {', '.join(sorted(_KEYS))}{what}.")
    for key in ("columns", "constants"):
        _check_texts(given.get(key, {}), key)
    if not isinstance(given.get("values", {}), dict):
        raise InvalidMapping("values is an object from field to an object.", pointer="/values")
    for name, meanings in given.get("values", {}).items():
        _check_texts(meanings, f"values/{name}")
    for key in ("time_zone", "date_format"):
        if not isinstance(given.get(key, ""), str):
            raise InvalidMapping(f"{key} is a text.", pointer=f"/{key}")
    return given


def _check_texts(found: Any, where: str) -> None:
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise InvalidMapping(f"{where} is an object from text to text.", pointer=f"/{where}")


def _columns(headers: Sequence[str], given: Mapping[str, str]) -> dict[str, int]:
    """Field to column from header (or `#3`, counted from 1) to field."""
    found: dict[str, int] = {}
    for header, name in given.items():
        field_name = _field(name)
        if field_name in found:
            raise InvalidMapping(f"Two columns are mapped to {field_name}.", pointer="/columns")
        found[field_name] = _column(headers, header)
    return found


def _column(headers: Sequence[str], header: str) -> int:
    if re.fullmatch(r"#\d{1,3}", header, re.ASCII) and 0 < int(header[1:]) <= len(headers):
        return int(header[1:]) - 1
    matching = [number for number, name in enumerate(headers) if normal_header(name) == normal_header(header)]
    if not matching:
        raise InvalidMapping(f"The file has no column {header[:60]!r}.", pointer="/columns")
    if len(matching) > 1:
        numbers = " or ".join(f"#{number + 1}" for number in matching)
        raise InvalidMapping(f"Several columns are headed {header[:60]!r}: say {numbers}.", pointer="/columns")
    return matching[0]


def _field(name: str) -> str:
    if name not in FIELDS:
        raise InvalidMapping(f"There is no field {name[:60]!r}; there are {', '.join(sorted(FIELDS))}.")
    return name


def _folded(meanings: Mapping[str, str]) -> dict[str, str]:
    return {said.strip().casefold(): meant for said, meant in meanings.items()}


def _check(reading: Reading) -> None:
    if "email" not in reading.columns:
        shown = ", ".join(header or "(nameless)" for header in reading.headers[:12])
        raise InvalidMapping(f"No column is mapped to email. The file has: {shown}.")
    for name in reading.constants:
        if name in reading.columns:
            raise InvalidMapping(f"{name} is both a column and a constant.", pointer=f"/constants/{name}")
        if name in ("email", "external_id"):
            raise InvalidMapping(f"{name} cannot be the same for every row.", pointer=f"/constants/{name}")
    try:
        ZoneInfo(reading.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidMapping(f"There is no time zone {reading.time_zone[:60]!r}.", pointer="/time_zone") from error
    if reading.date_format is not None:
        try:
            datetime.strptime("", reading.date_format)  # noqa: DTZ007 - only asks whether the format can be read
        except ValueError as error:
            if "does not match format" not in str(error):
                raise InvalidMapping(f"date_format cannot be read: {error}.", pointer="/date_format") from error
