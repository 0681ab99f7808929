"""A person's evidence is one file, complete, and checked without us."""

from __future__ import annotations

import gc
import json
import stat
import zipfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.cli.recipients import _speaks
from preferences.domain.acts import Act
from preferences.domain.recipient_id import format_recipient_id
from preferences.models.transaction import snapshot
from preferences.queries.choices.history import HistoryEntry
from preferences.services.evidence_pack import write_evidence_pack
from preferences.services.recipients.erasure import erase_recipient
from tests.factories import act, make_recipient
from tests.functional.ledger.test_seal_proofs import verifier
from tests.support.receipts import consented, every_kind
from tests.support.seals import seal, seal_keys, write_entries


def _run(app: Flask, who: str, out: Path, *more: str) -> Any:
    return app.test_cli_runner().invoke(args=["recipients", "evidence", who, "--out", str(out), *more])


def test_the_pack_holds_every_act_and_proves_it(
    app: Flask, session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    anna, bo = make_recipient(session), make_recipient(session, "bo@example.se")
    foreign = consented(session, bo)
    entries = every_kind(session, anna)
    seal(session, limit=4)
    entries.append(act(session, anna, "surveys", Act.WITHDRAWN))
    out = tmp_path / "anna.zip"
    ran = _run(app, format_recipient_id(anna.id), out, "--json")
    assert (ran.exit_code, json.loads(ran.stdout)["entries"], json.loads(ran.stdout)["sealed"]) == (0, 12, 11)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with zipfile.ZipFile(out) as pack:
        names = pack.namelist()
        assert len(names) == len(set(names))
        lines = [json.loads(line) for line in pack.read("entries.ndjson").splitlines()]
        shown = json.loads(pack.read("notices/surveys-1-sv.json"))
        pack.extractall(tmp_path / "unpacked")
    assert [one["entry"] for one in lines] == entries[::-1]
    for folder, ending in (("proofs", ".proof.json"), ("receipts", ".jsonld")):
        assert {f"{folder}/{one}{ending}" for one in entries} == {one for one in names if one.startswith(folder)}
    assert {"README.txt", "LÄSMIG.txt", "verify_receipt.py", "heads/3.json"} <= set(names)
    assert shown["what"]
    assert f"proofs/{foreign}.proof.json" not in names
    for path in (out, tmp_path / "unpacked"):
        assert verifier.main([str(path), "--key", seal_keys().newest.hex()]) == 0
        said = capsys.readouterr().out
        assert said.count("in order") == 11
        assert said.count("not sealed yet") == 1


def test_a_pack_that_was_bent_is_found(app: Flask, session: Session, tmp_path: Path) -> None:
    anna = make_recipient(session)
    entry = consented(session, anna)
    seal(session)
    out, bent = tmp_path / "anna.zip", tmp_path / "bent.zip"
    assert _run(app, "anna@example.se", out).exit_code == 0
    with zipfile.ZipFile(out) as pack, zipfile.ZipFile(bent, "w") as other:
        content = pack.read(f"proofs/{entry}.proof.json").replace(b'"act": "given"', b'"act": "refused"')
        other.writestr(f"proofs/{entry}.proof.json", content)
    assert verifier.main([str(bent)]) == 1


def test_an_erased_person_can_still_be_answered_for(app: Flask, session: Session, tmp_path: Path) -> None:
    anna = make_recipient(session, name="Anna Ek")
    act(session, anna, "marketing", evidence={"source": "met Anna Ek"})
    seal(session)
    erase_recipient(session, anna.id, source="test", now=datetime.now(UTC))
    session.commit()
    out = tmp_path / "anna.zip"
    assert _run(app, format_recipient_id(anna.id), out).exit_code == 0
    with zipfile.ZipFile(out) as pack:
        assert not any(b"Anna Ek" in pack.read(name) or b"anna@" in pack.read(name) for name in pack.namelist())
    assert verifier.main([str(out)]) == 0


def test_refusals_are_one_line_and_leave_no_file(app: Flask, session: Session, tmp_path: Path) -> None:
    anna = make_recipient(session)
    there = tmp_path / "there.zip"
    there.write_bytes(b"mine")
    for who, out in (
        ("nobody@example.se", tmp_path / "new.zip"),
        (format_recipient_id(anna.id), there),
        (format_recipient_id(anna.id), tmp_path / "no" / "folder.zip"),
    ):
        ran = _run(app, who, out)
        assert (ran.exit_code, ran.stderr.count("\n")) == (1, 1)
    assert there.read_bytes() == b"mine"
    assert [one.name for one in tmp_path.iterdir()] == ["there.zip"]


class _Watched(BytesIO):
    """A file that now and then counts how many entries of a history are held in memory."""

    writes = 0
    held: ClassVar[list[int]] = []

    def write(self, content: Any, /) -> int:
        self.writes += 1
        if self.writes % 60 == 0:
            self.held.append(sum(type(one) is HistoryEntry for one in gc.get_objects()))
        return super().write(content)


def test_a_long_history_is_written_as_it_is_read(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    if session.get_bind().dialect.name != "sqlite":
        pytest.skip("what Python holds does not depend on the database")
    monkeypatch.setattr("preferences.services.evidence_pack._PAGE", 10)
    anna = make_recipient(session)
    write_entries(session, 60, recipient_id=anna.id)
    seal(session)
    out = _Watched()
    with snapshot() as seen:
        packed = write_evidence_pack(seen, out, anna, speaks=_speaks(), now=datetime.now(UTC))
    assert packed.entries == 60
    assert len(out.held) > 3
    assert max(out.held) <= 25
