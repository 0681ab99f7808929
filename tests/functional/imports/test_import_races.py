"""An import that is discarded while something else goes on with it: it ends discarded, and the worker lives on."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.errors import Conflict
from preferences.models.import_batch import ImportStage
from preferences.models.transaction import transaction
from preferences.services.imports import imports as service
from preferences.services.imports.imports import begin_import, discard_import, dry_run, held_import
from preferences.web.admin.transfers.imports import tools
from preferences.worker import import_lane
from tests.support.admin_imports import guessed, planned, run, uploaded, view_of
from tests.support.at_once import wait_for_lock
from tests.support.staff import signed_in

NOW = datetime.now(UTC)


def discard(place: str) -> None:
    with transaction() as writing:
        discard_import(writing, view_of(place).id, now=NOW)


def test_a_worker_outlives_an_import_that_is_discarded_under_its_hands(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    stina = signed_in(app, session)
    place = uploaded(stina)
    assert stina.post(f"{place}/columns", guessed(stina, place)).status_code == 303

    def slow(*args: Any, **more: Any) -> Any:
        discard(place)
        return dry_run(*args, **more)

    monkeypatch.setattr(import_lane, "dry_run", slow)
    assert run() == 1
    assert view_of(place).stage is ImportStage.DISCARDED


def test_a_dry_run_brings_no_discarded_import_back(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was read to its end before it was removed."""
    place = planned(signed_in(app, session))
    monkeypatch.setattr(service.OpenFile, "check", lambda _file: discard(place))
    with pytest.raises(Conflict):
        dry_run(tools(), view_of(place).id)
    assert view_of(place).stage is ImportStage.DISCARDED


def test_a_dry_run_of_other_columns_is_not_kept(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated over the API or by a command while staff choose other columns: what is applied later is what was seen."""
    stina = signed_in(app, session)
    place = planned(stina)
    form = {**guessed(stina, place), "column-1": ""}

    def choose(_file: object) -> None:
        assert stina.post(f"{place}/columns", form).status_code == 303

    monkeypatch.setattr(service.OpenFile, "check", choose)
    with pytest.raises(Conflict):
        dry_run(tools(), view_of(place).id)
    assert view_of(place).stage is ImportStage.RECEIVED


def test_an_import_that_is_being_discarded_is_not_begun(app: Flask, session: Session) -> None:
    """On PostgreSQL two can look at once; on SQLite the second waits from its beginning."""
    if app.extensions["sqlalchemy"].engine.dialect.name == "sqlite":
        pytest.skip("one writer")
    place = planned(signed_in(app, session))
    number, raised = view_of(place).id, []

    def begin() -> None:
        with app.app_context(), transaction() as other:
            try:
                begin_import(other, number, now=NOW)
            except Conflict as error:
                raised.append(error)

    with transaction() as mine:
        held_import(mine, number)
        thread = threading.Thread(target=begin)
        thread.start()
        wait_for_lock(app)
        discard_import(mine, number, now=NOW)
    thread.join(20)
    assert raised
    assert view_of(place).stage is ImportStage.DISCARDED
