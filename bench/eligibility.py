"""`POST /eligibility`: a hundred thousand people asked about among a million recipients, through the API of a real server."""

from __future__ import annotations

import http.client
import json
import os
import random
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from preferences.domain.address import NormalAddress
from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.scopes import Scope
from preferences.models.crypto import keyring
from preferences.models.transaction import transaction
from preferences.queries.purposes.purposes import catalogue
from preferences.services.webhooks.mailers import create_mailer, issue_key
from tests.support import databases

from .support import Row, Service, service, serving

RECIPIENTS, ASKED, ROUNDS = 1_000_000, 100_000, 5
GOAL_SECONDS = 2.0
DATABASE = "preferences_bench_eligibility"

_TABLES = {
    "recipients": "id, address, address_index, domain_index, status, link_epoch, source, created_at, updated_at",
    "choices": "recipient_id, purpose_id, training_id, act, basis, since, entry_id",
    "suppressions": "address_index, reason, scope, purpose_id, source, created_at",
}


def run(recipients: int = RECIPIENTS, asked: int = ASKED) -> list[Row]:
    """Both databases in turn."""
    return [row for name in databases.names() for row in _measure(name, recipients, asked)]


def _measure(name: str, recipients: int, asked: int) -> list[Row]:
    with service(name, DATABASE) as one:
        _fill(one, recipients)
        key = _key()
        people = _people(recipients, asked)
        with serving(one) as address:
            small = _body(people[:1000])
            _post(address, key, small, "application/json")
            before = _peak_megabytes()
            document = [_post(address, key, _body(people), "application/json") for _ in range(ROUNDS)]
            halfway = _peak_megabytes()
            lines = [_post(address, key, _lines(people), "application/x-ndjson") for _ in range(ROUNDS)]
            after = _peak_megabytes()
    note = f"{before:.0f} MB after 1,000 rows, {halfway:.0f} MB after {ROUNDS} calls"
    return [
        _row(f"eligibility {name}: {asked:,} of {recipients:,}, JSON", document),
        _row(f"eligibility {name}: {asked:,} of {recipients:,}, NDJSON", lines),
        Row(f"eligibility {name}: peak memory of the server", after, "MB", note=note),
    ]


def _row(what: str, seconds: list[float]) -> Row:
    note = f"{min(seconds):.2f} to {max(seconds):.2f} s"
    return Row(what, statistics.median(seconds), "s", GOAL_SECONDS, more_is_better=False, note=note)


def _post(address: str, key: str, body: bytes, kind: str) -> float:
    """Seconds from the first byte sent to the last byte read. The answer must be whole."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": kind, "Accept": kind}
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)) as connection:
        began = time.perf_counter()
        connection.request("POST", "/api/v1/eligibility", body, headers)
        answer = connection.getresponse()
        size, last = 0, b""
        while part := answer.read(1 << 16):
            size, last = size + len(part), part if len(part) > 600 else last + part
        took = time.perf_counter() - began
    if answer.status != 200 or b'"counts"' not in last:
        raise RuntimeError(f"{answer.status}: the answer is not whole ({size} bytes): {last[-300:]!r}")
    return took


def _body(people: list[str]) -> bytes:
    return json.dumps({"purpose": "marketing", "topic": "product_news", "recipients": people}).encode()


def _lines(people: list[str]) -> bytes:
    head = json.dumps({"purpose": "marketing", "topic": "product_news"})
    return "\n".join([head, *map(json.dumps, people)]).encode()


def _people(recipients: int, asked: int) -> list[str]:
    """Most by address, some by id, one in twenty unknown; in no order."""
    pick = random.Random(1)
    numbers = pick.sample(range(1, recipients + 1), min(asked, recipients))
    return [
        format_recipient_id(_id(number)) if place % 10 == 0 else _address(number + recipients * (place % 20 == 1))
        for place, number in enumerate(numbers)
    ]


def _key() -> str:
    now = datetime.now(UTC)
    with transaction() as session:
        create_mailer(session, key="bench", name="Bench", now=now)
        return issue_key(session, "bench", (Scope.ELIGIBILITY,), now=now).text


def _fill(one: Service, count: int) -> None:
    """Recipients with keyed indexes, and what makes answers differ: COPY on PostgreSQL, plain inserts on SQLite."""
    url = one.app.config["SQLALCHEMY_DATABASE_URI"].replace("+psycopg", "")
    with transaction() as session:
        known = catalogue(session)
        marketing, news = (int(known.by_key(key).purpose.id) for key in ("marketing", "product_news"))
    rows = {
        "recipients": _recipients(count),
        "choices": _choices(count, marketing, news),
        "suppressions": _suppressions(count),
    }
    if one.name == "sqlite":
        with closing(sqlite3.connect(Path(url.removeprefix("sqlite:///")))) as database, database:
            for table, columns in _TABLES.items():
                marks = ", ".join("?" for _ in columns.split(","))
                database.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows[table])
        return
    with psycopg.connect(url, autocommit=True) as database:
        for table, columns in _TABLES.items():
            with database.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:  # type: ignore[arg-type]
                for row in rows[table]:
                    copy.write_row(row)
        database.execute("VACUUM ANALYZE")


_NOW = datetime.now(UTC).replace(tzinfo=None)


def _recipients(count: int) -> Iterator[tuple[Any, ...]]:
    keys, now = keyring(), _moment(0)
    for number in range(1, count + 1):
        address = _address(number)
        index, domain = keys.address_index(NormalAddress(address)), keys.domain_index(address.partition("@")[2])
        stored = keys.encrypt(address.encode(), b"recipients.address")
        yield _id(number), stored, index, domain, "active", 1, "bench", now, now


def _choices(count: int, marketing: int, news: int) -> Iterator[tuple[Any, ...]]:
    for number in range(1, count + 1):
        if number % 10 < 7:
            act = "withdrawn" if number % 10 == 0 else "given"
            yield _id(number), marketing, 0, act, "consent", _moment(number), number
        if number % 5 == 0:
            yield _id(number), news, 0, "given", "consent", _moment(number - 1), number


def _suppressions(count: int) -> Iterator[tuple[Any, ...]]:
    for number in range(1, count + 1, 33):
        index = keyring().address_index(NormalAddress(_address(number)))
        yield index, "hard_bounce", "all", 0, "bench", _moment(0)


def _moment(number: int) -> str:
    """As SQLite stores it; PostgreSQL reads it too, in whatever zone: only differences matter here."""
    return (_NOW - timedelta(days=30, seconds=number)).isoformat(sep=" ", timespec="microseconds")


def _id(number: int) -> int:
    """Spread over all 63 bits, as random ids are."""
    return number * 0x5851F42D4C957F2D % (2**63 - 1) + 1


def _address(number: int) -> str:
    return f"person.{number}@company{number % 997}.example.com"


def _peak_megabytes() -> float:
    """The most that the server's processes, our descendants, ever held at a time."""
    total, family = 0, {os.getpid()}
    parents = {int(one.name): one for one in Path("/proc").iterdir() if one.name.isdigit()}
    for pid in sorted(parents):
        try:
            status = (parents[pid] / "status").read_text()
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in status.splitlines())
        if int(fields["PPid"]) in family:
            family.add(pid)
            total += int(fields.get("VmHWM", "0 kB").split()[0])
    return total / 1024


if __name__ == "__main__":
    from .support import print_table

    print_table(run())
