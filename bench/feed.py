"""`GET /changes`: two hundred thousand changes read from a real server, ten thousand a call, from the first to the last."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlsplit

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Actor, Method
from preferences.domain.events import EventType
from preferences.domain.purpose import LawfulBasis
from preferences.domain.scopes import Scope
from preferences.models.ledger import LedgerEntryRow
from preferences.models.outbox import ChangeEventRow
from preferences.models.transaction import transaction
from preferences.queries.purposes.purposes import catalogue
from preferences.services.webhooks.mailers import create_mailer, issue_key
from tests.support import databases

from .support import Row, service, serving

CHANGES, PAGE, ROUNDS = 200_000, 10_000, 3
GOAL = 20_000
DATABASE = "preferences_bench_feed"


def run(changes: int = CHANGES) -> list[Row]:
    """Both databases in turn."""
    return [row for name in databases.names() for row in _measure(name, changes)]


def _measure(name: str, changes: int) -> list[Row]:
    with service(name, DATABASE) as one:
        with transaction() as session:
            _fill(session, changes)
            create_mailer(session, key="bench", name="Bench", now=datetime.now(UTC))
            key = issue_key(session, "bench", (Scope.CHANGES_READ,), now=datetime.now(UTC)).text
        if name == "postgresql":
            with one.app.extensions["sqlalchemy"].engine.connect() as connection:
                connection.execute(text("ANALYZE"))
        with serving(one) as address:
            found = {
                kind: statistics.median(_read(address, key, kind, changes) for _ in range(ROUNDS))
                for kind in ("application/json", "application/x-ndjson")
            }
    return [
        Row(f"feed {name}: changes read, {kind.partition('/')[2]}", changes / seconds, "a s", GOAL)
        for kind, seconds in found.items()
    ]


def _read(address: str, key: str, kind: str, changes: int) -> float:
    """Seconds until the last change is read. The whole feed must have come."""
    headers = {"Authorization": f"Bearer {key}", "Accept": kind}
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)) as connection:
        began, count, cursor, more = time.perf_counter(), 0, "", True
        while more:
            connection.request("GET", f"/api/v1/changes?limit={PAGE}{cursor}", headers=headers)
            body = connection.getresponse().read()
            end = json.loads(body if kind == "application/json" else body.rstrip().rpartition(b"\n")[2])
            count, cursor, more = count + end["count"], f"&after={end['cursor']}", end["more"]
        took = time.perf_counter() - began
    if count != changes:
        raise RuntimeError(f"{count} changes of {changes} came")
    return took


def _fill(session: Session, changes: int) -> None:
    """Acts of as many people, and what was told of them."""
    now, purpose = datetime.now(UTC), catalogue(session).by_key("marketing").purpose
    entry = {
        "purpose_id": purpose.id,
        "training_id": 0,
        "act": Act.WITHDRAWN,
        "basis": LawfulBasis.CONSENT,
        "method": Method.ONE_CLICK,
        "actor": Actor.RECIPIENT,
        "occurred_at": now,
        "recorded_at": now,
    }
    for start in range(0, changes, PAGE):
        rows = [entry | {"recipient_id": number + 1} for number in range(start, min(start + PAGE, changes))]
        session.execute(insert(LedgerEntryRow), rows)
    for start in range(0, changes, PAGE):
        entries = session.scalars(select(LedgerEntryRow.id).order_by(LedgerEntryRow.id).offset(start).limit(PAGE)).all()
        event = {"type": EventType.CHOICE_CHANGED, "recorded_at": now}
        session.execute(
            insert(ChangeEventRow), [event | {"entry_id": entry_id, "recipient_id": entry_id} for entry_id in entries]
        )
