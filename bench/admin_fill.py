"""The large tables behind the admin pages, filled in SQL: two years of a company with a million recipients.

Encrypted columns share a few ciphertexts made beforehand: each opens, and a million encryptions are spared.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from preferences.domain.address import parse_address
from preferences.models.crypto import keyring

from .admin_statements import SERIAL, STATEMENTS

DAYS = 730
"""How long the company has been at it."""
LARGE_DOMAIN = "mail.example.com"
"""Where every tenth recipient has their address."""

# How often of a hundred: purpose, act, basis, method, who did it.
ACTS = (
    (18, "marketing", "given", "consent", "double_opt_in", "recipient"),
    (12, "marketing", "given", "soft_opt_in", "import", "staff"),
    (9, "marketing", "withdrawn", "consent", "one_click", "recipient"),
    (6, "marketing", "withdrawn", "consent", "unsubscribe_page", "recipient"),
    (10, "service_news", "refused", None, "preference_page", "recipient"),
    (10, "events", "objected", "legitimate_interest", "one_click", "recipient"),
    (5, "events", "objection_lifted", "legitimate_interest", "preference_page", "recipient"),
    (10, "surveys", "given", "consent", "preference_page", "recipient"),
    (5, "surveys", "withdrawn", "consent", "mailto", "recipient"),
    (5, "photo_image", "objected", "legitimate_interest", "preference_page", "recipient"),
    (5, "photo_name", "objected", "legitimate_interest", "preference_page", "recipient"),
    (3, "marketing", "paused", None, "preference_page", "recipient"),
    (2, "marketing", "resumed", None, "preference_page", "recipient"),
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is of what; the rest is in proportion."""

    recipients: int = 1_000_000
    entries: int = 5_000_000
    audits: int = 500_000
    trainings: int = 500
    participations: int = 20_000
    requests: int = 2_000
    takedowns: int = 300
    messages: int = 20_000
    reports: int = 1_000_000
    """Events that mail services reported."""


def fill(url: str, sizes: Sizes) -> None:
    """Everything, and what the planner has to know of it. The mailers, staff and purposes are there already."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '512MB'")
        connection.execute("SET work_mem = '256MB'")
        _people(connection, sizes)
        _kinds(connection)
        values = _values(sizes)
        for statement in STATEMENTS:
            connection.execute(statement, values)
        for table in SERIAL:
            connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"  # type: ignore[arg-type]
            )
        connection.execute("VACUUM ANALYZE")


def address_of(number: int) -> str:
    """Where somebody has their mailbox: a tenth at one large provider, the others at companies of a thousand each."""
    place = LARGE_DOMAIN if number % 10 == 0 else f"company{number % 997}.example.com"
    return f"person.{number}@{place}"


def _people(connection: psycopg.Connection[Any], sizes: Sizes) -> None:
    """Recipients with indexes of their own; `people` names them by number while the database is filled."""
    ring, dice = keyring(), random.Random(1)
    name = ring.encrypt("Anna Åkesson".encode(), b"recipients.name")
    profile = ring.encrypt(json.dumps({"company_name": "Åkessons Rör AB"}).encode(), b"recipients.profile")
    connection.execute("CREATE UNLOGGED TABLE people (number int PRIMARY KEY, id bigint, address_index bytea)")
    now = datetime.now(UTC)
    columns = (
        "id, address, address_index, domain_index, external_id, external_index, name, profile, locale, status, source, "
        "created_at, updated_at, erased_at"
    )
    domains: dict[str, bytes] = {}
    made: list[tuple[int, int, bytes | None]] = []
    with connection.cursor().copy(f"COPY recipients ({columns}) FROM STDIN") as copy:
        for number in range(1, sizes.recipients + 1):
            address = parse_address(address_of(number))
            index: bytes = ring.address_index(address.normal)
            domain = domains.setdefault(address.domain, ring.domain_index(address.domain))
            at = now - timedelta(days=DAYS * (1 - number / sizes.recipients))
            one = dice.getrandbits(63) or 1
            is_erased = number % 100 == 99
            external = f"kund-{number}" if number % 4 == 0 else None
            copy.write_row(
                (one, None, None, None, None, None, None, None, None, "erased", "import:1", at, at, at)
                if is_erased
                else (
                    one,
                    ring.encrypt(address.original.encode(), b"recipients.address"),
                    index,
                    domain,
                    external and ring.encrypt(external.encode(), b"recipients.external_id"),
                    external and ring.external_index(external),
                    name,
                    profile,
                    "en" if number % 3 == 0 else "sv",
                    "restricted" if number % 500 == 1 and number > 1 else "active",
                    "import:1",
                    at,
                    at,
                    None,
                )
            )
            made.append((number, one, index))
    with connection.cursor().copy("COPY people FROM STDIN") as copy:
        for row in made:
            copy.write_row(row)
    connection.execute("ANALYZE people")


def _kinds(connection: psycopg.Connection[Any]) -> None:
    """A row for each of a hundred dice: what somebody does."""
    connection.execute(
        "CREATE UNLOGGED TABLE kinds (k int PRIMARY KEY, purpose_id int, notice_version_id int, act text, basis text, "
        "method text, actor text)"
    )
    k = 0
    for times, key, *rest in ACTS:
        for _ in range(times):
            connection.execute(
                "INSERT INTO kinds SELECT %s, p.id, max(v.id), %s, %s, %s, %s FROM purposes p "
                "JOIN notice_versions v ON v.purpose_id = p.id WHERE p.key = %s GROUP BY p.id",
                (k, *rest, key),
            )
            k += 1


def _values(sizes: Sizes) -> Mapping[str, Any]:
    def text(where: str, plain: str = "Tredje bilden från vänster, tack.") -> bytes:
        return keyring().encrypt(plain.encode(), where.encode())

    now = datetime.now(UTC)
    return {
        **{name: getattr(sizes, name) for name in Sizes.__dataclass_fields__},
        "now": now,
        "start": now - timedelta(days=DAYS),
        "span": timedelta(days=DAYS),
        "details": text("rights_requests.details", '{"message": "Var står jag?"}'),
        "answer": text("rights_requests.answer"),
        "extension": text("rights_requests.extension_reason"),
        "url": text("takedowns.url", "https://social.example/p/77"),
        "note": text("takedowns.note"),
        "takedown_answer": text("takedowns.answer"),
        "proof": text("takedowns.proof"),
        "reason": text("audit_reasons.reason"),
        "evidence": text("evidence.content", '{"source": "kassan"}'),
        "payload": text("esp_events.payload", '{"event": "bounce"}'),
        "excerpt": text("webhook_attempts.excerpt", "ok"),
        "job": text("outbox_jobs.payload", '{"template": "link"}'),
        "sign_up": text("sign_ups.address", "ny@example.se"),
        "sign_up_name": text("sign_ups.name", "Ny Nyberg"),
    }
