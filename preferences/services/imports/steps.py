"""The steps of an import that somebody decides on a page: what its columns are, and that it is applied. Each once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.acts import Actor
from preferences.domain.errors import Conflict, NotFound
from preferences.models.import_batch import ImportBatchRow, ImportStage, PartKind

from .imports import forget_parts


def choose_columns(session: Session, import_id: int, reading: Mapping[str, Any], *, before: Mapping[str, Any]) -> None:
    """Say how the file is read, which is read as `before`; a worker does the dry run, again where there was one.

    Raises NotFound; Conflict where somebody was faster.
    """
    row = _locked(session, import_id)
    if dict(row.reading) != dict(before):
        raise Conflict(f"Somebody else has chosen the columns of import {import_id} meanwhile.")
    waits = row.stage is ImportStage.RECEIVING and row.digest is not None
    if row.actor is not Actor.STAFF or not (waits or row.stage is ImportStage.PLANNED):
        raise Conflict(f"Import {import_id} is {row.stage}: its columns cannot be chosen.")
    row.stage, row.reading = ImportStage.RECEIVED, dict(reading)
    row.planned, row.rows, row.planned_at, row.claimed_until = {}, None, None, None
    forget_parts(session, import_id, PartKind.DRY_RUN)
    session.flush()


def start_import(session: Session, import_id: int, *, planned_at: datetime, now: datetime) -> None:
    """Have a worker apply what the dry run of this moment said, once. Raises NotFound, or Conflict when it is another now."""
    row = _locked(session, import_id)
    if row.actor is Actor.SYSTEM or row.stage is not ImportStage.PLANNED or row.planned_at != planned_at:
        raise Conflict(f"Import {import_id} is {row.stage}, or its dry run is a newer one.")
    row.stage, row.started_at = ImportStage.APPLYING, now
    session.flush()


def _locked(session: Session, import_id: int) -> ImportBatchRow:
    row = session.scalar(select(ImportBatchRow).where(ImportBatchRow.id == import_id).with_for_update())
    if row is None:
        raise NotFound(f"There is no import {import_id}.")
    return row
