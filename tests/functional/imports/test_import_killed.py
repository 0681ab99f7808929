"""A real process applies an import and is killed, again and again: every row ends up applied once, and only once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.models.import_batch import ImportBatchRow, ImportStage
from preferences.models.ledger import EvidenceRow, LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.recipient import RecipientRow
from preferences.models.transaction import reading
from preferences.queries.imports.imports import newest_imports
from preferences.services.imports.imports import CHUNK_ROWS
from preferences.services.ledger.verify import verify_ledger
from tests.conftest import settings_environment

ROWS = 4 * CHUNK_ROWS + 17
KILLS = 2


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_import_killed_at_any_point_goes_on_and_records_no_row_twice(
    app: Flask, session: Session, root: Path, tmp_path: Path
) -> None:
    lines = [f"person{number}@example.se,marketing,given,2024-05-01,web" for number in range(ROWS)]
    (tmp_path / "a.csv").write_text("\n".join(["email,purpose,act,occurred_at,source", *lines]))
    assert app.test_cli_runner().invoke(args=["import", "dry-run", str(tmp_path / "a.csv")]).exit_code == 0
    import_id, _ = _standing(session)
    command = [sys.executable, "-m", "flask", "--app", "app", "import", "apply", str(import_id)]
    environment = {
        **os.environ,
        **settings_environment(app.config["SQLALCHEMY_DATABASE_URI"]),
        "PREFERENCES_INSTANCE_PATH": app.instance_path,
    }
    killed_at = []
    for _ in range(KILLS):
        killed_at.append(_kill_after_some_progress(command, environment, root, session))
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert all(position % CHUNK_ROWS == 0 for position in killed_at), "a chunk is wholly applied or wholly not"
    assert _standing(session)[1] == ROWS
    for row in (RecipientRow, LedgerEntryRow, EvidenceRow, ChangeEventRow):
        assert session.scalar(select(func.count()).select_from(row)) == ROWS
    assert session.scalar(select(func.count(LedgerEntryRow.recipient_id.distinct()))) == ROWS
    assert verify_ledger(session).is_sound
    batch = session.scalars(select(ImportBatchRow)).one()
    assert (batch.stage, batch.applied) == (ImportStage.APPLIED, {"new": ROWS})


def _kill_after_some_progress(command: list[str], environment: dict[str, str], root: Path, session: Session) -> int:
    """Start it, let it apply at least one chunk, kill it in the middle of the next. Returns the position it left."""
    before = _standing(session)[1]
    process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while _standing(session)[1] <= before:
        assert process.poll() is None or _standing(session)[1] > before
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(random.uniform(0, 0.15))
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    return _standing(session)[1]


def _standing(session: Session) -> tuple[int, int]:
    """The newest import and its position, read without holding anything."""
    session.rollback()
    with reading() as reader:
        [newest] = newest_imports(reader, limit=1)
    return newest.id, newest.position
