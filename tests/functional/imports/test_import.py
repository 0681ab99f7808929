"""Imports: a dry run that tells the truth, then apply, in chunks, resumable, never twice."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.errors import Conflict, NotFound
from preferences.domain.intake import Outcome
from preferences.integrations.csv_mapping import choose_reading
from preferences.integrations.csv_rows import read_rows
from preferences.models.import_batch import ImportBatchRow, ImportPartRow, ImportStage, PartKind
from preferences.models.ledger import LedgerEntryRow
from preferences.models.recipient import RecipientRow
from preferences.models.transaction import reading, transaction
from preferences.queries.imports.imports import ImportView, import_by_id, report_rows, waiting_imports
from preferences.services.imports.apply import apply_import, open_import
from preferences.services.imports.chunks import Preparing
from preferences.services.imports.imports import (
    CHUNK_ROWS,
    KEPT_FOR,
    ImportTools,
    begin_import,
    discard_import,
    dry_run,
    forget_old_imports,
    receive_import,
)
from preferences.services.ledger.verify import verify_ledger
from tests.factories import act, make_recipient

TOOLS = ImportTools(transaction=transaction, reading=reading, read_rows=read_rows, now=lambda: datetime.now(UTC))


def receive(data: bytes, mapping: dict[str, Any] | None = None) -> ImportView:
    stream = io.BytesIO(data)
    chosen = choose_reading(stream, json.dumps(mapping) if mapping else None, time_zone="UTC")
    return receive_import(
        TOOLS, stream, filename="c:\\lists\\a.csv", reading=chosen.as_json(), actor=Actor.STAFF, actor_id=3
    )


def planned(data: bytes, mapping: dict[str, Any] | None = None) -> ImportView:
    return dry_run(TOOLS, receive(data, mapping).id)


def consents(count: int, first: int = 0) -> bytes:
    lines = [
        f"person{number}@example.se,P{number},marketing,given,2024-05-01,web" for number in range(first, first + count)
    ]
    return "\n".join(["email,name,purpose,act,occurred_at,source", *lines]).encode()


def entries(session: Session) -> int:
    session.rollback()
    found = session.scalar(select(func.count()).select_from(LedgerEntryRow)) or 0
    session.rollback()
    return found


def test_a_dry_run_writes_nothing_and_apply_does_exactly_what_it_said(session: Session) -> None:
    anna = make_recipient(session, "anna@example.se")
    act(session, anna, "marketing", Act.WITHDRAWN, method=Method.ONE_CLICK)
    make_recipient(session, "bo@example.se", name="Bo")
    session.rollback()
    data = (
        b"email,name,purpose,act,occurred_at,source\n"
        b"ANNA@example.se,Anna,marketing,given,2026-11-01,web\n"
        b"bo@example.se,Bo,,,,\n"
        b"cia@example.se,Cia,marketing,given,2024-05-01,web\n"
        b"bo@example.se,,marketing,withdrawn,,\n"
        b"cia@example.se,Cia,,,,\n"
        b"nobody,x,,,,\n"
    )
    view = planned(data)
    assert view.counts == {"new": 1, "changed": 1, "unchanged": 1, "held": 1, "invalid": 2}
    assert view.would_revive == 1
    assert (view.stage, view.rows, view.position, view.filename) == (ImportStage.PLANNED, 6, 0, "a.csv")
    assert entries(session) == 1
    done = apply_import(TOOLS, view.id)
    assert done.counts == view.counts
    assert (done.stage, done.position) == (ImportStage.APPLIED, 6)
    foreseen = list(report_rows(session, view.id, PartKind.DRY_RUN))
    assert foreseen == list(report_rows(session, view.id, PartKind.APPLIED))
    assert [(row.line, row.outcome) for row in foreseen][:2] == [(2, Outcome.HELD), (3, Outcome.UNCHANGED)]
    assert "Withdrawn by the recipient (one_click) on" in (foreseen[0].detail or "")
    assert verify_ledger(session).is_sound
    found = session.scalars(select(LedgerEntryRow).order_by(LedgerEntryRow.id)).all()[-1]
    assert (found.method, found.actor, found.actor_id) == (Method.IMPORT, Actor.STAFF, 3)
    sources = set(session.scalars(select(RecipientRow.source)))
    assert f"import:{view.id}" in sources


def test_the_same_file_again_changes_nothing(session: Session) -> None:
    data = consents(30)
    apply_import(TOOLS, planned(data).id)
    again = planned(data)
    assert again.counts["unchanged"] == 30
    assert apply_import(TOOLS, again.id).counts == again.counts
    assert entries(session) == 30


def test_the_file_lies_encrypted_and_is_removed_when_done(session: Session) -> None:
    view = planned(consents(3))
    part = session.scalars(select(ImportPartRow.content).where(ImportPartRow.kind == PartKind.FILE)).one()
    assert b"person1" not in part
    session.rollback()
    apply_import(TOOLS, view.id)
    left = session.scalars(select(ImportPartRow).where(ImportPartRow.kind == PartKind.FILE)).all()
    assert left == []


def test_duplicates_are_known_across_chunks_and_after_a_stop_and_go(session: Session) -> None:
    data = consents(CHUNK_ROWS + 5) + b"\nPerson0@example.se,,marketing,given,2026-01-01,x"
    data += b"\nPERSON1@example.se,,marketing,withdrawn,2026-01-01,x\nperson2@example.se,,events,objected,,"
    view = planned(data)
    wanted = {"new": CHUNK_ROWS + 5, "changed": 2, "unchanged": 0, "held": 0, "invalid": 1}
    assert view.counts == wanted
    assert open_import(TOOLS, view.id).apply_next_chunk() == CHUNK_ROWS
    assert apply_import(TOOLS, view.id).counts == wanted
    assert entries(session) == CHUNK_ROWS + 7
    assert verify_ledger(session).is_sound


def test_a_chunk_that_fails_leaves_nothing_and_can_be_tried_again(session: Session) -> None:
    view = planned(consents(10))
    run = open_import(TOOLS, view.id)
    session.execute(update(ImportBatchRow).values(stage=ImportStage.DISCARDED))
    session.commit()
    with pytest.raises(Conflict):
        run.apply_next_chunk()
    assert entries(session) == 0
    session.execute(update(ImportBatchRow).values(stage=ImportStage.PLANNED))
    session.commit()
    assert run.apply_next_chunk() == 10
    assert entries(session) == 10
    session.rollback()
    with reading() as other:
        assert import_by_id(other, view.id).counts["new"] == 10


def test_two_processes_cannot_apply_the_same_chunk(session: Session) -> None:
    view = planned(consents(CHUNK_ROWS + 1))
    one, other = open_import(TOOLS, view.id), open_import(TOOLS, view.id)
    one.apply_next_chunk()
    with pytest.raises(Conflict, match="another process"):
        other.apply_next_chunk()
    assert entries(session) == CHUNK_ROWS


def test_another_file_cannot_be_applied_under_a_dry_run(session: Session) -> None:
    view, other = planned(consents(3)), receive(consents(3, first=50))
    contents = dict(
        session.execute(
            select(ImportPartRow.import_id, ImportPartRow.content).where(ImportPartRow.kind == PartKind.FILE)
        ).all()
    )
    session.execute(
        update(ImportPartRow)
        .where(ImportPartRow.import_id == view.id, ImportPartRow.kind == PartKind.FILE)
        .values(content=contents[other.id])
    )
    session.commit()
    with pytest.raises(Exception, match="was changed"):
        apply_import(TOOLS, view.id)
    assert entries(session) == 0


def test_a_file_that_lost_a_part_is_noticed(session: Session) -> None:
    view = receive(consents(5))
    session.execute(text("DELETE FROM import_parts WHERE number = 1"))
    session.commit()
    with pytest.raises(Conflict, match="not the one received"):
        dry_run(TOOLS, view.id)


def test_an_import_is_applied_only_after_its_dry_run_and_only_once(session: Session) -> None:
    view = receive(consents(2))
    session.rollback()
    with pytest.raises(Conflict, match="dry run first"):
        apply_import(TOOLS, view.id)
    dry_run(TOOLS, view.id)
    dry_run(TOOLS, view.id)
    apply_import(TOOLS, view.id)
    for again in (apply_import, dry_run):
        with pytest.raises(Conflict):
            again(TOOLS, view.id)
    with pytest.raises(NotFound):
        apply_import(TOOLS, view.id + 1)


def test_an_old_file_is_removed_and_its_import_discarded(session: Session, now: datetime) -> None:
    view, finished = planned(consents(2)), planned(consents(2))
    apply_import(TOOLS, finished.id)
    assert forget_old_imports(session, now=now + KEPT_FOR - timedelta(hours=1)) == 0
    assert forget_old_imports(session, now=now + KEPT_FOR + timedelta(hours=1)) == 1
    session.commit()
    assert import_by_id(session, view.id).stage is ImportStage.DISCARDED
    assert session.scalars(select(ImportPartRow).where(ImportPartRow.kind == PartKind.FILE)).all() == []
    with pytest.raises(Conflict):
        discard_import(session, view.id, now=now)


def test_a_begun_import_waits_for_a_worker(session: Session, now: datetime) -> None:
    view = planned(consents(2))
    begin_import(session, view.id, now=now)
    begin_import(session, view.id, now=now)
    session.commit()
    assert waiting_imports(session, now=now) == [view.id]
    session.rollback()
    apply_import(TOOLS, view.id)
    assert waiting_imports(session, now=now) == []
    with pytest.raises(Conflict):
        begin_import(session, view.id, now=now)


def test_a_dry_run_at_any_moment_agrees_with_what_apply_then_does(session: Session) -> None:
    """Every kind of row, twice, so that duplicates, stops and conflicts of the file meet those of the database."""
    make_recipient(session, "r1@example.se", external_id="1")
    act(session, make_recipient(session, "r2@example.se"), "surveys", Act.REFUSED)
    session.rollback()
    kinds = [
        "r{n}@example.se,,,,,,{n}",
        "r{n}@example.se,marketing,given,2024-05-01,web,,",
        "r{n}@example.se,product_news,given,2024-05-01,web,,",
        "r{n}@example.se,marketing,withdrawn,2024-06-01,,,",
        "R{n}@example.se,marketing,given,2024-07-01,web,,",
        "r{n}@example.se,everything,objected,,,,",
        "r{n}@example.se,surveys,given,2024-05-01,web,,",
        "r{n}x@example.se,,,,,,{n}",
    ]
    lines = [kind.format(n=number) for number in (1, 2, 3) for kind in (*kinds, *reversed(kinds))]
    view = planned("\n".join(["email,purpose,act,occurred_at,source,wording,id", *lines]).encode())
    apply_import(TOOLS, view.id)
    foreseen = list(report_rows(session, view.id, PartKind.DRY_RUN))
    assert foreseen == list(report_rows(session, view.id, PartKind.APPLIED))
    assert verify_ledger(session).is_sound


def test_a_second_process_prepares_the_same_chunks_and_passes_on_what_goes_wrong(session: Session) -> None:
    view, broken = planned(consents(CHUNK_ROWS + 3)), planned(consents(3, first=5000))
    done = apply_import(TOOLS, view.id, preparing=Preparing.BESIDE)
    assert (done.stage, done.counts["new"]) == (ImportStage.APPLIED, CHUNK_ROWS + 3)
    assert verify_ledger(session).is_sound
    session.rollback()
    session.execute(text("UPDATE import_parts SET number = 2 WHERE kind = 'file'"))
    session.commit()
    with pytest.raises(Conflict, match="not the one received"):
        apply_import(TOOLS, broken.id, preparing=Preparing.BESIDE)


def test_an_import_gives_way_only_while_others_write_to_the_one_writer(app: Flask, session: Session) -> None:
    slept: list[float] = []
    run = open_import(replace(TOOLS, sleep=slept.append), planned(consents(3 * CHUNK_ROWS)).id)
    run.apply_next_chunk()
    slept.clear()
    run.apply_next_chunk()
    make_recipient(session, "somebody.else@example.se")
    run.apply_next_chunk()
    run.apply_next_chunk()
    assert len(slept) == (1 if app.extensions["sqlalchemy"].engine.dialect.name == "sqlite" else 0)
