"""`/healthz` and `/readyz`: what a load balancer asks, and nothing that would help anybody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import create_app
from preferences.domain.errors import ConfigurationError
from preferences.domain.own_address import is_proof
from preferences.services.upkeep.heartbeats import WorkerIdentity, beat
from preferences.web import health
from tests.conftest import settings_environment
from tests.support.client import StrictClient


def unavailable() -> None:
    raise OperationalError("SELECT secret", {}, ConnectionError("db.internal refused"))


def test_a_process_is_healthy_whatever_the_database_does(client: StrictClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "glancing", unavailable)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert client.head("/healthz").status_code == 200
    assert client.post("/healthz").status_code == 405


def test_only_this_installation_answers_a_nonce_and_nothing_else_is_answered(app: Flask, client: StrictClient) -> None:
    nonce = "n" * 43
    answer = client.get(f"/healthz/{nonce}")
    assert is_proof(app.extensions["preferences.settings"].secret_keys, nonce, answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    assert [client.get(f"/healthz/{text}").status_code for text in ("x", "n" * 44, "é" * 43)] == [404] * 3


def test_it_is_ready_with_and_without_a_worker_and_says_which(client: StrictClient, session: Session) -> None:
    ready = {"status": "ready", "database": "ok", "migrations": "current"}
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {**ready, "worker": "none", "worker_seen_seconds": None})
    now = datetime.now(UTC)
    for age, state in ((70, "silent"), (5, "alive")):
        beat(session, WorkerIdentity("a" * 32, "machine:1", now), {}, now=now - timedelta(seconds=age))
        session.commit()
        found = client.get("/readyz").json
        assert found is not None
        assert (found["worker"], age <= found["worker_seen_seconds"] <= age + 5) == (state, True)
    assert "machine" not in client.get("/readyz").text
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_is_not_ready_without_a_database_and_does_not_say_why(
    client: StrictClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "glancing", unavailable)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"status": "not_ready", "database": "unavailable"})


def test_a_folder_for_counts_is_made_at_the_start_or_the_start_is_refused(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A count that cannot be written would fail every request."""
    environ = settings_environment(app.config["SQLALCHEMY_DATABASE_URI"])
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "counts" / "here"))
    create_app(environ, instance_path=tmp_path)
    assert (tmp_path / "counts" / "here").is_dir()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "file" / "here"))
    with pytest.raises(ConfigurationError, match="PROMETHEUS_MULTIPROC_DIR"):
        create_app(environ, instance_path=tmp_path)


def test_it_is_not_ready_while_the_schema_is_another(app: Flask, client: StrictClient, session: Session) -> None:
    head = session.scalar(text("SELECT version_num FROM alembic_version"))
    session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    session.commit()
    try:
        answer = client.get("/readyz")
    finally:
        session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})
        session.commit()
    assert (answer.status_code, answer.json) == (503, {"status": "not_ready", "database": "ok", "migrations": "differ"})
    assert client.get("/readyz").status_code == 200
