"""Links: tokens minted in process, and `POST /links` for 10,000 recipients of one message through the whole application.

`python -m bench links` prints the table for both databases.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

from preferences.domain.capability import Capability, RecipientId
from preferences.domain.recipient_id import format_recipient_id, new_recipient_id
from preferences.domain.scopes import Scope
from preferences.models.transaction import reading, transaction
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.services.webhooks.mailers import create_mailer, issue_key

from .fill import fill_recipients
from .support import Row, Service, print_table, service

TOKENS_GOAL = 150_000
TOKENS = 200_000
RECIPIENTS = 10_000
SECONDS_GOAL = 1.0
ROUNDS = 5


def measure(one: Service) -> list[Row]:
    """Both figures on one database. The service's table of recipients holds ten times as many as are asked for."""
    recipients = fill_recipients(10 * RECIPIENTS)
    with reading() as session:
        views = [recipient_by_id(session, number) for number in recipients[:RECIPIENTS]]
    addresses = [view.address for view in views if view is not None and view.address is not None]
    ids = [format_recipient_id(number) for number in recipients[:RECIPIENTS]]
    with transaction() as session:
        create_mailer(session, key="bench", name="Bench", now=datetime.now(UTC))
        key = issue_key(session, "bench", [Scope.LINKS], now=datetime.now(UTC)).text
    return [
        _post(one, key, ids, "ids"),
        _post(one, key, addresses, "addresses"),
        _post(one, key, addresses, "addresses, NDJSON both ways", lines=True),
    ]


def mint(one: Service) -> Row:
    """Tokens a second in one process, with claims that differ by recipient."""
    minter = one.app.extensions["preferences.signer"].minter(
        Capability.UNSUBSCRIBE, 2, issued_at=datetime.now(UTC), reference=1
    )
    recipients: list[RecipientId] = [new_recipient_id() for _ in range(TOKENS)]
    best = 0.0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for recipient in recipients:
            minter(recipient, 1)
        best = max(best, TOKENS / (time.perf_counter() - start))
    return Row("links minted in process, one core", best, "/s", TOKENS_GOAL)


def _post(one: Service, key: str, recipients: list[str], what: str, *, lines: bool = False) -> Row:
    head = {"purpose": "marketing", "message": "bench"}
    body = json.dumps({**head, "recipients": recipients})
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if lines:
        body = "\n".join([json.dumps(head), *map(json.dumps, recipients)])
        headers |= {"Content-Type": "application/x-ndjson", "Accept": "application/x-ndjson"}
    client = one.app.test_client(use_cookies=False)
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        answer = client.post("/api/v1/links", data=body, headers=headers)
        size = len(answer.get_data())
        best = min(best, time.perf_counter() - start)
        assert answer.status_code == 200
        assert answer.get_data().count(b"unsubscribe_url") == len(recipients)
    note = f"{size / 1_000_000:.1f} MB answered"
    return Row(
        f"POST /links, {len(recipients)} {what}, {one.name}", best, "s", SECONDS_GOAL, more_is_better=False, note=note
    )


def run() -> list[Row]:
    """Both databases in turn."""
    rows: list[Row] = []
    for name in ("sqlite", "postgresql"):
        with service(name) as one:
            rows += [mint(one)] if not rows else []
            rows += measure(one)
    return rows


if __name__ == "__main__":
    print_table(run())
