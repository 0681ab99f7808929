"""What ESPs report is counted when it is stored, and seen until it is worked through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Flask
from sqlalchemy.orm import Session

from preferences.metrics import registry
from preferences.worker import Worker
from tests.support.client import StrictClient
from tests.support.esp import a_case
from tests.support.esp.hooks import make_hook, post
from tests.support.esp.samples import SAMPLES


def test_events_are_counted_by_type_and_wait_until_they_are_worked_through(
    app: Flask, client: StrictClient, session: Session
) -> None:
    now = datetime.now(UTC)
    sample, read = SAMPLES["postmark"], registry(app, clock=lambda: now + timedelta(minutes=5)).get_sample_value
    make_hook(session, sample)
    labels = {"provider": sample.provider, "type": "bounced"}
    before = read("preferences_esp_events_total", labels) or 0.0
    for _ in range(2):
        assert post(client, sample, a_case(sample.provider, "bounced").request).status_code == 200
    assert (read("preferences_esp_events_total", labels) or 0.0) - before == 2, "a repeat came too"
    assert read("preferences_esp_events_waiting") == 1
    assert 290 < (read("preferences_esp_oldest_waiting_seconds") or 0.0) < 310
    Worker().run_until_idle()
    assert read("preferences_esp_events_waiting") == 0
    assert read("preferences_esp_oldest_waiting_seconds") == 0
