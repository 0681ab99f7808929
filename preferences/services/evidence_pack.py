"""One zip with all that proves what a person was shown and chose: entries, notices, receipts, proofs, heads, how to check.

Written as it is read, a page of the ledger at a time: what it needs in memory does not depend on how much there is. The caller
has already decided that whoever gets it may have it, and records that (L14).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy.orm import Session

from preferences.domain.receipt import ReceiptController, ReceiptWords
from preferences.domain.receipt_dpv import as_dpv
from preferences.domain.seal import moment_text
from preferences.queries.choices.history import HistoryEntry, history
from preferences.queries.ledger.seal import StoredTree, newest_head
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.receipts import make_receipt
from preferences.services.ledger.proofs import proof_of

ROOT = Path(__file__).resolve().parents[2]
ALONGSIDE = (
    ROOT / "templates" / "evidence" / "README.txt",
    ROOT / "templates" / "evidence" / "LÄSMIG.txt",
    ROOT / "static" / "verify_receipt.py",
)
"""What goes along as it is."""
_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PackWords:
    """How receipts in the pack speak: who is responsible, in which language, and the words for codes (the edge has them)."""

    controller: ReceiptController
    locale: str
    default_locale: str
    words: Callable[[HistoryEntry], ReceiptWords]
    training_in_words: Callable[[HistoryEntry], str]


@dataclass(frozen=True, slots=True)
class Packed:
    """What went into a pack."""

    entries: int
    sealed: int
    """How many of them are proved; the others wait for the next seal."""


def write_evidence_pack(
    session: Session, out: IO[bytes], recipient: RecipientView, *, speaks: PackWords, now: datetime
) -> Packed:
    """Write the zip. The session has to be a `snapshot()`, so that all parts are of one moment."""
    entries = sealed = 0
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        add = _adder(pack, now)
        for path in ALONGSIDE:
            add(path.name, path.read_bytes())
        tree, there = StoredTree(session), set[str]()
        for entry in _entries(session, recipient, speaks):
            entries += 1
            sealed += _add_entry(session, add, recipient, entry, speaks, tree, there, now)
        newest = newest_head(session)
        if newest is not None:
            _once(add, there, f"heads/{newest.signed.head.number}.json", newest.signed.as_json())
        # A member of a zip is written whole before the next begins, so the lines are read from the ledger once more.
        with pack.open(_info("entries.ndjson", now), "w") as lines:
            for entry in _entries(session, recipient, speaks):
                lines.write(json.dumps(_in_fields(entry), ensure_ascii=False).encode() + b"\n")
    return Packed(entries, sealed)


def _entries(session: Session, recipient: RecipientView, speaks: PackWords) -> Iterator[HistoryEntry]:
    before = None
    while True:
        page = history(
            session,
            recipient.id,
            locale=speaks.locale,
            default_locale=speaks.default_locale,
            before=before,
            limit=_PAGE,
        )
        yield from page
        if len(page) < _PAGE:
            return
        before = page[-1].id


def _add_entry(
    session: Session,
    add: Callable[[str, bytes], None],
    recipient: RecipientView,
    entry: HistoryEntry,
    speaks: PackWords,
    tree: StoredTree,
    there: set[str],
    now: datetime,
) -> int:
    """Add what belongs to one entry. Returns 1 where it is sealed."""
    proof = proof_of(session, recipient.id, entry.id, tree=tree)
    receipt = make_receipt(
        session,
        recipient,
        entry.id,
        controller=speaks.controller,
        words=speaks.words,
        training_in_words=speaks.training_in_words,
        locale=speaks.locale,
        default_locale=speaks.default_locale,
        now=now,
    )
    assert proof is not None  # noqa: S101 - the entry is the person's, and this is one moment
    is_sealed = proof["sealed"] is not None
    if receipt is not None:
        add(f"receipts/{entry.id}.jsonld", _json(as_dpv(replace(receipt, proof=proof if is_sealed else None))))
    add(f"proofs/{entry.id}.proof.json", _json(proof))
    shown = proof["notice"]
    if shown is not None:
        _once(add, there, f"notices/{shown['purpose']}-{shown['version']}-{shown['locale']}.json", shown)
    if is_sealed:
        published = proof["sealed"]["published"]
        _once(add, there, f"heads/{published['head']['number']}.json", published)
    return int(is_sealed)


def _once(add: Callable[[str, bytes], None], there: set[str], name: str, content: Mapping[str, Any]) -> None:
    if name not in there:
        there.add(name)
        add(name, _json(content))


def _adder(pack: zipfile.ZipFile, now: datetime) -> Callable[[str, bytes], None]:
    return lambda name, content: pack.writestr(_info(name, now), content)


def _info(name: str, now: datetime) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, now.timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n"


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
        "paused_until": None if entry.paused_until is None else moment_text(entry.paused_until),
        "notice_version": entry.notice_number,
        "locale": entry.locale,
        "wording": None if entry.wording is None else entry.wording.what,
        "evidence": dict(entry.stated),
    }
