"""A pack is read by pages: few statements, and what it holds is what each entry's own receipt and proof say."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preferences.cli.recipients import _speaks
from preferences.domain.acts import Act
from preferences.domain.receipt_dpv import as_dpv
from preferences.domain.seal import as_file, moment_text
from preferences.domain.webhooks import DeliveryOutcome
from preferences.models.endpoint import DeliveryRow
from preferences.models.mailer import MailerRow
from preferences.models.transaction import snapshot
from preferences.queries.mailers.changes import newest_position
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.receipts import make_receipt
from preferences.services.evidence_pack import write_evidence_pack
from preferences.services.ledger.proofs import proof_of
from preferences.services.outbox.acknowledge import acknowledge_changes
from tests.factories import act, make_recipient
from tests.support.receipts import consented, every_kind
from tests.support.seals import seal, write_entries
from tests.support.statements import statements
from tests.support.webhooks import make_endpoint

PAGE = 100


def _packed(anna: RecipientView, now: datetime) -> zipfile.ZipFile:
    out = BytesIO()
    with snapshot() as seen:
        write_evidence_pack(seen, out, anna, speaks=_speaks(), now=now)
    return zipfile.ZipFile(out)


def test_each_file_is_what_the_entry_alone_gives(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("preferences.services.evidence_pack._PAGE", 4)
    anna, bo, now = make_recipient(session), make_recipient(session, "bo@example.se"), datetime.now(UTC)
    entries = every_kind(session, anna)
    write_entries(session, 270)
    entries += [consented(session, anna, locale="en"), act(session, anna, "marketing", evidence={"source": "mässa ☃"})]
    foreign = consented(session, bo)
    seal(session, limit=100)
    entries.append(act(session, anna, "surveys"))
    session.rollback()
    with _packed(anna, now) as pack, snapshot() as seen:
        for entry in entries:
            proof = proof_of(seen, anna.id, entry)
            assert proof is not None
            assert pack.read(f"proofs/{entry}.proof.json") == as_file(proof)
            receipt = make_receipt(seen, anna, entry, speaks=_speaks(), now=now)
            assert receipt is not None
            told = json.loads(pack.read(f"receipts/{entry}.jsonld"))
            carried = told["dpv:hasRecordOfActivity"].pop("schema:additionalProperty", None)
            assert told == as_dpv(receipt)
            assert (carried["schema:value"]["@value"] if carried else None) == (proof if proof["sealed"] else None)
        assert not any(str(foreign) in name for name in pack.namelist())
        assert proof_of(seen, anna.id, foreign) is None


def test_statements_grow_with_pages_and_not_with_entries(app: Flask, session: Session) -> None:
    anna, now = make_recipient(session), datetime.now(UTC)
    asked = []
    for _ in range(2):
        for _ in range(3):
            write_entries(session, PAGE // 2, recipient_id=anna.id)
            write_entries(session, 300)
            seal(session)
        session.rollback()
        with statements(app) as seen:
            _packed(anna, now).close()
        asked.append(len(seen))
    one_page, whole = 9, 3
    assert asked[0] <= whole + 2 * one_page
    assert asked[1] <= whole + 4 * one_page


def test_the_pack_says_which_mailer_was_told_of_what_and_when(app: Flask, session: Session) -> None:
    anna, now = make_recipient(session), datetime.now(UTC)
    make_endpoint(session, "http://127.0.0.1:9/hook", mailer="newsletter")
    make_endpoint(session, "http://127.0.0.1:9/shop", mailer="shop")
    make_endpoint(session, "http://127.0.0.1:9/old", mailer="old")
    entry = act(session, anna, "marketing", Act.WITHDRAWN)
    for name in ("shop", "old"):
        one = mailer_by_key(session, name)
        assert one is not None
        acknowledge_changes(session, one.id, newest_position(session), now=now)
    session.commit()
    first = session.scalars(select(DeliveryRow.id).order_by(DeliveryRow.endpoint_id)).first()
    done = {"outcome": DeliveryOutcome.DELIVERED, "done_at": now, "attempts": 2}
    session.execute(update(DeliveryRow).where(DeliveryRow.id == first).values(done))
    session.execute(update(MailerRow).where(MailerRow.key.in_(["old", "newsletter"])).values(archived_at=now))
    session.commit()
    later = act(session, anna, "surveys")
    session.rollback()
    with _packed(anna, now) as pack:
        newer, told = [json.loads(line) for line in pack.read("told.ndjson").splitlines()]
    moment, trying = moment_text(now), {"outcome": None, "attempts": 0, "done_at": None}
    assert (told["type"], told["entry"], newer["entry"]) == ("choice.changed", entry, later)
    assert told["webhooks"] == [
        {"mailer": "Newsletter", "outcome": "delivered", "attempts": 2, "done_at": moment},
        {"mailer": "Old", **trying},
        {"mailer": "Shop", **trying},
    ]
    assert told["feed"] == [{"mailer": "Old", "confirmed_at": moment}, {"mailer": "Shop", "confirmed_at": moment}]
    assert newer["feed"] == [{"mailer": "Shop", "confirmed_at": None}], "out of use, and it never had this one"


def test_a_person_of_whom_nothing_was_told_has_an_empty_list(app: Flask, session: Session) -> None:
    anna = make_recipient(session)
    with _packed(anna, datetime.now(UTC)) as pack:
        assert pack.read("told.ndjson") == b""
