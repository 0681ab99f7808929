"""The lane that goes on with imports from the API or from a page: the dry run of what was received, then what is begun.

One at a time. Whatever stops it, the next claim goes on behind the last chunk that was committed (ADR 0007).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError

from preferences.domain.errors import PreferencesError
from preferences.integrations.csv_rows import read_rows
from preferences.models.crypto import UnreadableValue
from preferences.models.import_batch import ImportStage
from preferences.models.transaction import reading, transaction
from preferences.queries.imports.imports import ImportView, waiting_imports
from preferences.services.imports.apply import open_import
from preferences.services.imports.claims import claim_import, release_import, renew_claim
from preferences.services.imports.imports import CLAIM, ImportTools, discard_import, dry_run, held_import

log = structlog.get_logger()


class _Stopped(Exception):
    """The worker is asked to stop in the middle of a dry run, which then begins again."""


class ImportLane:
    """Imports; see loop.Lane."""

    name = "imports"
    idle_seconds = 2.0
    is_periodic = False

    def __init__(self, stop: threading.Event, clock: Callable[[], datetime]) -> None:
        self.stop = stop
        self.clock = clock
        self._tools = ImportTools(
            transaction=transaction, reading=reading, read_rows=read_rows, now=clock, sleep=self._pause
        )

    def run_batch(self) -> int:
        """Claim one import and bring it to the end of its stage. Returns 1, or 0 when none waits."""
        with reading() as session:
            if not waiting_imports(session, now=self.clock()):
                return 0
        with transaction() as session:
            view = claim_import(session, now=self.clock())
        if view is None:
            return 0
        try:
            self._work(view)
        except _Stopped:
            self._release(view)
        except DBAPIError:
            raise
        except (PreferencesError, UnreadableValue) as error:
            self._give_up(view, error)
        else:
            self._release(view)
        return 1

    def _work(self, view: ImportView) -> None:
        if view.stage is ImportStage.RECEIVED:
            dry_run(self._tools, view.id, progress=_Renewing(self, view))
            log.info("import_tried_out", import_id=view.id)
            return
        run = open_import(self._tools, view.id)
        try:
            while run.apply_next_chunk():
                if self.stop.is_set():
                    return
        finally:
            run.close()
        log.info("import_applied", import_id=view.id, rows=run.position)

    def _give_up(self, view: ImportView, error: Exception) -> None:
        """What cannot be read today cannot be read tomorrow; another process that moved the import on keeps it."""
        kind = type(error).__name__
        with transaction() as session:
            still = held_import(session, view.id)
            is_ours = view.stage is ImportStage.RECEIVED and (still.stage, still.reading) == (view.stage, view.reading)
            if is_ours:
                discard_import(session, view.id, now=self.clock())
        log.warning("import_given_up", import_id=view.id, kind=kind, discarded=is_ours)

    def _release(self, view: ImportView) -> None:
        with transaction() as session:
            release_import(session, view.id)

    def _pause(self, seconds: float) -> None:
        self.stop.wait(seconds)


class _Renewing:
    """Told of every chunk of a dry run: keeps the claim, and ends the run when the worker is asked to stop."""

    def __init__(self, lane: ImportLane, view: ImportView) -> None:
        self._lane = lane
        self._view = view
        self._renew_at = lane.clock() + CLAIM / 4

    def __call__(self, _rows: int) -> None:
        if self._lane.stop.is_set():
            raise _Stopped
        now = self._lane.clock()
        if now >= self._renew_at:
            self._renew_at = now + CLAIM / 4
            with transaction() as session:
                renew_claim(session, self._view.id, now=now)
