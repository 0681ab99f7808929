"""Webhooks: deliveries a second by two workers on PostgreSQL, from a one-click's answer to its webhook, a worker's memory."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import insert

from preferences.domain.capability import RecipientId
from preferences.domain.events import EventType
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.webhook_urls import UrlRules
from preferences.domain.webhooks import SignatureScheme
from preferences.models.outbox import ChangeEventRow
from preferences.models.transaction import transaction
from preferences.services.outbox.fan_out import fan_out_many
from preferences.services.webhooks.endpoints import EndpointChange, add_endpoint
from preferences.services.webhooks.mailers import create_mailer
from tests.support import databases
from tests.support.server import ROOT

from .fill import fill_recipients, mint_unsubscribe
from .receiver import Told, fast_endpoint
from .support import Row, Service, print_table, service, serving

EVENTS = 20_000
MEMORY_EVENTS = 200_000
"""With `long`: what the memory is measured over."""
CLICKS = 200
BATCH = 5_000


def run(events: int = EVENTS) -> list[Row]:
    """Rate and memory, then the latency; on PostgreSQL, where there is one."""
    if "postgresql" not in databases.names():
        return []
    with service("postgresql") as one, fast_endpoint() as told:
        recipients = fill_recipients(min(events, 20_000))
        _listen(told)
        rows = _rate(one, told, recipients, events)
        rows += _latency(one, told, recipients[:CLICKS])
    return rows


def _rate(one: Service, told: Told, recipients: list[RecipientId], events: int) -> list[Row]:
    _queue(recipients, events)
    with _workers(one, 2) as workers:
        _wait(told, events // 4)
        early = max(map(_rss, workers))
        _wait(told, events)
        late = max(map(_rss, workers))
    rate = told.count / (told.last - told.first)
    return [
        Row("webhooks delivered by two workers", rate, "/s", 500.0, note=f"{told.count:,} messages"),
        Row(
            "a worker's memory after all of them, as a share of after a quarter",
            late / early,
            "",
            note=f"{late:.0f} MB",
        ),
    ]


def _latency(one: Service, told: Told, recipients: list[RecipientId]) -> list[Row]:
    """One click every 20 ms, so that each finds the worker idle."""
    tokens = mint_unsubscribe(one, recipients, "surveys")
    waits = []
    told.at.clear()
    with serving(one) as address, _workers(one, 1):
        time.sleep(5)
        connection = http.client.HTTPConnection(address.removeprefix("http://"))
        for recipient, token in zip(recipients, tokens, strict=True):
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", f"/u/{token}", "List-Unsubscribe=One-Click", form)
            answer = connection.getresponse()
            answer.read()
            answered = time.perf_counter()
            name = format_recipient_id(recipient)
            until = answered + 5
            while name not in told.at and time.perf_counter() < until:
                time.sleep(0.0005)
            waits.append((told.at.get(name, until) - answered) * 1000)
            time.sleep(0.02)
    waits.sort()
    median, p99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
    return [
        Row(
            "from a one-click answered to its webhook",
            median,
            "ms",
            300.0,
            more_is_better=False,
            note=f"p99 {p99:.0f} ms",
        )
    ]


def _listen(told: Told) -> None:
    now = datetime.now(UTC)
    url, rules = f"http://127.0.0.1:{told.port}/hook", UrlRules({"127.0.0.1"}, allows_http=True)
    with transaction() as session:
        mailer = create_mailer(session, key="bench", name="Bench", now=now)
        add_endpoint(session, mailer, EndpointChange(url=url), SignatureScheme.V1, rules=rules, now=now)


def _queue(recipients: list[RecipientId], events: int) -> None:
    """Change events with what the endpoint has to hear of them."""
    now = datetime.now(UTC)
    for start in range(0, events, BATCH):
        values = [
            {
                "type": EventType.RECIPIENT_SUPPRESSED,
                "recipient_id": recipients[n % len(recipients)],
                "recorded_at": now,
            }
            for n in range(start, min(start + BATCH, events))
        ]
        with transaction() as session:
            made = session.execute(insert(ChangeEventRow).returning(ChangeEventRow.id), values)
            fan_out_many(session, list(made.scalars()))


@contextlib.contextmanager
def _workers(one: Service, count: int) -> Iterator[list[int]]:
    """Worker processes; gives their ids, stops them afterwards."""
    environ = {**os.environ, **one.environ, "PREFERENCES_WEBHOOK_PRIVATE_HOSTS": "127.0.0.1"}
    command = [sys.executable, "-m", "flask", "--app", "app", "worker"]
    made = [subprocess.Popen(command, cwd=ROOT, env=environ) for _ in range(count)]
    try:
        yield [one.pid for one in made]
    finally:
        for process in made:
            process.send_signal(signal.SIGTERM)
        for process in made:
            process.wait(30)


def _wait(told: Told, count: int) -> None:
    """Until so many have come; gives up when nothing comes for a minute."""
    seen, at = told.count, time.monotonic()
    while told.count < count:
        time.sleep(0.05)
        if told.count != seen:
            seen, at = told.count, time.monotonic()
        elif time.monotonic() - at > 60:
            raise RuntimeError(f"{told.count} of {count} messages came, and no more")


def _rss(pid: int) -> float:
    with open(f"/proc/{pid}/status") as file:
        line = next(line for line in file if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    print_table(run(MEMORY_EVENTS if "long" in sys.argv else EVENTS))
