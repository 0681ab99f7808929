"""The evidence pack of one person with 5,000 entries among 100,000: seconds, statements, size, memory."""

from __future__ import annotations

import json
import resource
import tempfile
import time
from datetime import UTC, datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from preferences.cli.recipients import _speaks
from preferences.domain.acts import Act, Actor, Method
from preferences.domain.purpose import LawfulBasis
from preferences.models.ledger import EvidenceRow, LedgerEntryRow
from preferences.models.transaction import snapshot, transaction
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.consent import digest_evidence
from preferences.services.evidence_pack import write_evidence_pack
from preferences.services.ledger.sealing import SealKeys, seal_next
from tests.factories import make_recipient, purpose
from tests.support import databases
from tests.support.statements import statements

from .support import Row, Service, service

OWN = 5_000
EVERY = 20
DATABASE = "preferences_bench_evidence"
TIMES = 3


def run(own: int = OWN) -> list[Row]:
    """Both databases in turn."""
    found: list[Row] = []
    for name in databases.names():
        with service(name, DATABASE) as one:
            found += _measure(one, own)
    return found


def _measure(one: Service, own: int) -> list[Row]:
    with Session(one.app.extensions["sqlalchemy"].engine, expire_on_commit=False) as session:
        anna = make_recipient(session)
        _fill(session, anna, own)
    keys = SealKeys(one.app.extensions["preferences.settings"].seal_keys)
    while _seal(keys):
        pass
    took, asked, size, before = [], 0, 0, _megabytes()
    for _ in range(TIMES):
        with tempfile.TemporaryFile() as file, statements(one.app) as seen:
            start = time.perf_counter()
            with snapshot() as session:
                packed = write_evidence_pack(session, file, anna, speaks=_speaks(), now=datetime.now(UTC))
            took.append(time.perf_counter() - start)
            asked, size = len(seen), file.tell()
        assert (packed.entries, packed.sealed) == (own, own)
    note = f"{own} entries, {asked} statements, {size / 2**20:.1f} MB, {_megabytes() - before:.0f} MB more memory"
    return [Row(f"{one.name}: the pack of one person", min(took), "s", 5, more_is_better=False, note=note)]


def _seal(keys: SealKeys) -> bool:
    with transaction() as session:
        return seal_next(session, keys, now=datetime.now(UTC), limit=2000) is not None


def _fill(session: Session, anna: RecipientView, own: int) -> None:
    """Theirs have turn by turn nothing, the words shown, and evidence; those of the others have nothing."""
    about, now = purpose(session, "surveys"), datetime.now(UTC)
    content = {"source": "fair", "wording": "Jag vill få enkäter.", "salt": "0" * 32}
    digest = digest_evidence(json.loads(json.dumps(content)))
    rows = []
    for number in range(own * EVERY):
        mine, turn = number % EVERY == 0, number // EVERY % 3
        rows.append(
            {
                "id": number + 1,
                "recipient_id": anna.id if mine else number,
                "purpose_id": about.id,
                "training_id": 0,
                "act": Act.GIVEN,
                "basis": LawfulBasis.CONSENT,
                "method": Method.DOUBLE_OPT_IN,
                "actor": Actor.RECIPIENT,
                "notice_version_id": about.notice_version_id if mine and turn == 1 else None,
                "locale": "sv" if mine and turn == 1 else None,
                "occurred_at": now,
                "recorded_at": now,
                "evidence_digest": digest if mine and turn == 2 else None,
            }
        )
    for start in range(0, len(rows), 5000):
        session.execute(insert(LedgerEntryRow), rows[start : start + 5000])
    backed = select(LedgerEntryRow.id).where(LedgerEntryRow.evidence_digest.is_not(None))
    found = [{"entry_id": one, "recipient_id": anna.id, "content": content} for one in session.scalars(backed)]
    session.execute(insert(EvidenceRow), found)
    session.commit()


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
