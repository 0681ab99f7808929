"""Rows of a mapped file as incoming recipients. What cannot be read comes out as an invalid row, with line and reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, BinaryIO

from preferences.domain.acts import STOPS, Act
from preferences.domain.address import parse_address
from preferences.domain.errors import InvalidValue
from preferences.domain.intake import IncomingEvidence, IncomingRecipient, Outcome, RowResult
from preferences.domain.profile import PROFILE_FIELDS
from preferences.domain.purpose import LawfulBasis

from .csv_files import Record, read_records
from .csv_mapping import EVIDENCE_FIELDS, Reading
from .csv_times import DayEdge, time_reader

MOST_REMEMBERED = 10_000
_TRUE = frozenset({"true", "yes", "ja", "1", "x", "sant"})
_FALSE = frozenset({"", "false", "no", "nej", "0", "falskt"})

Get = Callable[[Sequence[str]], str]


def read_rows(stream: BinaryIO, kept: Mapping[str, Any]) -> Iterator[IncomingRecipient | RowResult]:
    """Every row after the header, in order. `kept` is `Reading.as_json()`. Rows whose cells are all empty are passed over."""
    reading = Reading.from_json(kept)
    builder = _RowBuilder(reading)
    width = len(reading.headers)
    records = read_records(stream, reading.form)
    next(records, None)
    for record in records:
        if record.problem is not None:
            yield _invalid(record, "unreadable", record.problem)
            continue
        cells = record.cells
        if len(cells) != width:
            if not any(cells):
                continue
            if len(cells) < width or any(cells[width:]):
                why = f"The row has {len(cells)} cells, the header {width}."
                yield _invalid(record, "ragged", why)
                continue
        elif not any(cells):
            continue
        try:
            yield builder.build(record.line, cells)
        except InvalidValue as error:
            yield _invalid(record, getattr(error, "reason", error.code), error.detail)


def _invalid(record: Record, reason: str, detail: str) -> RowResult:
    if record.last_line > record.line:
        detail += f" (Lines {record.line} to {record.last_line}.)"
    return RowResult(record.line, Outcome.INVALID, reason=reason, detail=detail)


class _RowBuilder:
    """Knows where each field of a row comes from."""

    def __init__(self, reading: Reading) -> None:
        self.email = self._getter(reading, "email")
        self.external_id = self._getter(reading, "external_id")
        self.locale = self._getter(reading, "locale")
        self.name = self._getter(reading, "name")
        present = {*reading.columns, *reading.constants}
        self.profile = [(name, self._getter(reading, name)) for name in PROFILE_FIELDS if name in present]
        self.evidence = {name: self._getter(reading, name) for name in EVIDENCE_FIELDS if name in present}
        self.evidence_columns = [reading.columns[name] for name in EVIDENCE_FIELDS if name in reading.columns]
        self.time = time_reader(reading.time_zone, reading.date_format)
        self.when = None if "occurred_at" in reading.values else reading.columns.get("occurred_at")
        self.shared_columns = [at for at in self.evidence_columns if at != self.when]
        self.remembered: dict[tuple[str, ...], IncomingEvidence] = {}

    def build(self, line: int, cells: Sequence[str]) -> IncomingRecipient:
        """The row. Raises InvalidValue."""
        address = parse_address(self.email(cells))
        profile = {name: value for name, get in self.profile if (value := get(cells))} if self.profile else {}
        locale = self.locale(cells)
        return IncomingRecipient(
            line=line,
            address=address,
            external_id=self.external_id(cells) or None,
            locale=_normal_locale(locale) if locale else None,
            name=self.name(cells) or None,
            profile=profile,
            evidence=self._remembered_evidence(cells) if self.evidence else None,
        )

    def _remembered_evidence(self, cells: Sequence[str]) -> IncomingEvidence | None:
        """The evidence of a row. Rows of one source differ in the time only, so the rest is read once."""
        shared = tuple([cells[at] for at in self.shared_columns])
        when = "" if self.when is None else cells[self.when].strip()
        known = self.remembered.get(shared) if when or self.when is None else None
        if known is not None:
            return known.at(self._occurred_at(when, known.act)) if when else known
        evidence = self._evidence(cells)
        if evidence is not None and len(self.remembered) < MOST_REMEMBERED:
            self.remembered[shared] = evidence
        return evidence

    def _evidence(self, cells: Sequence[str]) -> IncomingEvidence | None:
        """The evidence of a row; None where it brings none.

        A stop counts however little is said beside it. Anything else counts where one of the evidence columns says something,
        or where there are none and everything is constant; then it has to be complete.
        """
        said = {name: value for name, get in self.evidence.items() if (value := get(cells))}
        act = _act(said.get("act", ""))
        if act not in STOPS and self.evidence_columns and not any(cells[at].strip() for at in self.evidence_columns):
            return None
        if act is None:
            raise InvalidValue("act is missing: what did the person do?", pointer="/evidence/act")
        if "purpose" not in said:
            raise InvalidValue("purpose is missing: what is the act about?", pointer="/evidence/purpose")
        return IncomingEvidence(
            purpose=said["purpose"],
            act=act,
            occurred_at=self._occurred_at(said.get("occurred_at"), act),
            source=said.get("source", ""),
            wording=said.get("wording"),
            basis=_basis(said.get("basis")),
            sale_reference=said.get("sale_reference"),
            similar_product=_truth(said.get("similar_product", ""), "similar_product"),
            opt_out_offered=_truth(said.get("opt_out_offered", ""), "opt_out_offered"),
        )

    def _occurred_at(self, text: str | None, act: Act) -> datetime | None:
        if text is None:
            return None
        return self.time(text, DayEdge.END if act in STOPS else DayEdge.BEGINNING)

    @staticmethod
    def _getter(reading: Reading, name: str) -> Get:
        constant = reading.constants.get(name, "")
        meanings = reading.values.get(name, {})
        at = reading.columns.get(name)
        if at is None:
            return lambda cells: constant
        if not meanings:
            return lambda cells: cells[at].strip()

        def get(cells: Sequence[str]) -> str:
            cell = cells[at].strip()
            return meanings.get(cell.casefold(), cell)

        return get


def _act(text: str) -> Act | None:
    if not text:
        return None
    try:
        return Act(text.lower())
    except ValueError:
        known = ", ".join(act.value for act in Act)
        raise InvalidValue(f"There is no act {text[:40]!r}; there are {known}.", pointer="/evidence/act") from None


def _basis(text: str | None) -> LawfulBasis | None:
    if text is None:
        return None
    try:
        return LawfulBasis(text.lower())
    except ValueError:
        known = ", ".join(basis.value for basis in LawfulBasis)
        raise InvalidValue(f"There is no basis {text[:40]!r}; there are {known}.", pointer="/evidence/basis") from None


def _truth(text: str, name: str) -> bool | str | None:
    """For `similar_product` and `opt_out_offered`: yes and no in words, else the words themselves are the evidence."""
    folded = text.casefold()
    if folded in _FALSE:
        return None
    return True if folded in _TRUE else text


@lru_cache(maxsize=256)
def _normal_locale(text: str) -> str:
    language, _, region = text.replace("-", "_").partition("_")
    return f"{language.lower()}_{region.upper()}" if region else language.lower()
