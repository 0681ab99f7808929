"""One zip with all that proves what a person was shown and chose, and whom we told: entries, receipts, proofs, how to check.

Written as it is read, a page of the ledger at a time: what it needs in memory does not depend on how much there is. The caller
has already decided that whoever gets it may have it, and records that (L14).
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy.orm import Session

from preferences.domain.receipt import Receipt
from preferences.domain.receipt_dpv import as_dpv
from preferences.domain.seal import as_file, moment_text
from preferences.queries.choices.history import HistoryEntry, history
from preferences.queries.ledger.seal import newest_head
from preferences.queries.mailers.told import ChangeTold, changes_told
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.receipts import ReceiptLanguage, receipt_of
from preferences.services.ledger.proofs import Proofs

ROOT = Path(__file__).resolve().parents[2]
ALONGSIDE = (
    ROOT / "templates" / "evidence" / "README.txt",
    ROOT / "templates" / "evidence" / "LÄSMIG.txt",
    ROOT / "static" / "verify_receipt.py",
)
"""What goes along as it is."""
_PAGE = 100
_on_one_line = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class Packed:
    """What went into a pack."""

    entries: int
    sealed: int
    """How many of them are proved; the others wait for the next seal."""


def write_evidence_pack(
    session: Session, out: IO[bytes], recipient: RecipientView, *, speaks: ReceiptLanguage, now: datetime
) -> Packed:
    """Write the zip. The session has to be a `snapshot()`, so that all parts are of one moment."""
    entries = sealed = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, tempfile.TemporaryFile() as lines:
        pack, proofs = _Pack(archive, now), Proofs(session)
        for path in ALONGSIDE:
            pack.add(path.name, path.read_bytes())
        for page in _pages(session, recipient, speaks):
            proved = proofs.of(recipient.id, [entry.id for entry in page])
            for entry in page:
                receipt = receipt_of(session, recipient, entry, speaks=speaks, now=now)
                sealed += _add_entry(pack, receipt, proved[entry.id])
                lines.write(_line(_in_fields(entry)))
            entries += len(page)
        newest = newest_head(session)
        if newest is not None:
            pack.once(f"heads/{newest.signed.head.number}.json", newest.signed.as_json())
        lines.seek(0)
        with pack.open("entries.ndjson") as member:
            shutil.copyfileobj(lines, member)
        with pack.open("told.ndjson") as member:
            for change in _changes(session, recipient):
                member.write(_line(_told(change)))
    return Packed(entries, sealed)


class _Pack:
    """The zip as it is written. A member is written whole before the next begins."""

    def __init__(self, archive: zipfile.ZipFile, now: datetime) -> None:
        self._archive = archive
        self._now = now
        self._there: set[str] = set()

    def add(self, name: str, content: bytes) -> None:
        """One member."""
        self._archive.writestr(self._info(name), content)

    def once(self, name: str, content: Mapping[str, Any]) -> None:
        """A member that several entries share: only the first time."""
        if name not in self._there:
            self._there.add(name)
            self.add(name, as_file(content))

    def open(self, name: str) -> IO[bytes]:
        """A member to write into."""
        return self._archive.open(self._info(name), "w")

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._now.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        return info


def _pages(session: Session, recipient: RecipientView, speaks: ReceiptLanguage) -> Iterator[list[HistoryEntry]]:
    locale, default, before = speaks.locale, speaks.default_locale, None
    while page := history(session, recipient.id, locale=locale, default_locale=default, before=before, limit=_PAGE):
        yield page
        before = page[-1].id


def _changes(session: Session, recipient: RecipientView) -> Iterator[ChangeTold]:
    before = None
    while page := changes_told(session, recipient.id, before=before, limit=_PAGE):
        yield from page
        before = page[-1].id


def _add_entry(pack: _Pack, receipt: Receipt | None, proof: Mapping[str, Any]) -> int:
    """Add what belongs to one entry. Returns 1 where it is sealed."""
    number, shown, sealed = proof["entry"]["entry"], proof["notice"], proof["sealed"]
    if receipt is not None:
        pack.add(f"receipts/{number}.jsonld", as_file(as_dpv(replace(receipt, proof=proof if sealed else None))))
    pack.add(f"proofs/{number}.proof.json", as_file(proof))
    if shown is not None:
        pack.once(f"notices/{shown['purpose']}-{shown['version']}-{shown['locale']}.json", shown)
    if sealed is None:
        return 0
    pack.once(f"heads/{sealed['published']['head']['number']}.json", sealed["published"])
    return 1


def _line(content: Mapping[str, Any]) -> bytes:
    return _on_one_line(content).encode() + b"\n"


def _in_fields(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "entry": entry.id,
        "purpose": entry.purpose_key,
        "title": entry.title,
        "training": None if entry.training is None else entry.training.title,
        "act": entry.act,
        "basis": entry.basis,
        "method": entry.method,
        "actor": entry.actor,
        "actor_name": entry.actor_name,
        "occurred_at": moment_text(entry.occurred_at),
        "recorded_at": moment_text(entry.recorded_at),
        "paused_until": _moment(entry.paused_until),
        "notice_version": entry.notice_number,
        "locale": entry.locale,
        "wording": None if entry.wording is None else entry.wording.what,
        "evidence": dict(entry.stated),
    }


def _told(change: ChangeTold) -> dict[str, Any]:
    return {
        "change": change.id,
        "type": change.type,
        "entry": change.entry_id,
        "recorded_at": moment_text(change.recorded_at),
        "webhooks": [
            {"mailer": one.mailer, "outcome": one.outcome, "attempts": one.attempts, "done_at": _moment(one.done_at)}
            for one in change.webhooks
        ],
        "feed": [{"mailer": one.mailer, "confirmed_at": _moment(one.confirmed_at)} for one in change.feed],
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment_text(moment)
