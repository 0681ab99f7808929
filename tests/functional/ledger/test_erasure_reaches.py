"""Erasure and retention reach every column of every table: nothing of the person is left but the minimal proof (L10, L18)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import LargeBinary, select, type_coerce
from sqlalchemy.orm import Session

from preferences.domain.audit import AuditAction, AuditObject
from preferences.domain.esp_events import EspEventType
from preferences.domain.retention import RunSource
from preferences.domain.webhooks import AttemptCode, DeliveryOutcome
from preferences.models import Base
from preferences.models.audit import AuditReasonRow, AuditRow
from preferences.models.crypto import ENCRYPTED
from preferences.models.endpoint import AttemptRow, DeliveryRow
from preferences.models.esp import EspEventRow
from preferences.models.ledger import EvidenceRow, LedgerEntryRow
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.retention import run_retention
from tests.support.full_person import PROFILE, make_full_person
from tests.support.rights import send_all
from tests.support.seals import seal, verified
from tests.support.step_up import step_up

MONTHS = dict.fromkeys(
    ("retain_evidence_months", "retain_requests_months", "retain_takedowns_months", "retain_participants_months"), 24
)
OF_THE_PERSON = (
    *PROFILE.values(),
    "Anna.Akesson@example.se",
    "anna.akesson@example.se",
    "Anna Åkesson",
    "kund-10027",
    "anna@nyadress.example",
    "order 9",
    "https://social.example/p/77",
    "Tredje bilden",
    "Sidan svarar 404",
    "Åkessons Rör & Värme AB",
    "Bolagsverket",
    "Anna i formuläret",
    "Hemligheten",
    "mailbox of Anna is full",
    "Anna rang och undrade",
)
"""What is stored of her in words: all of it in encrypted columns, in plain ones nothing."""

MINIMAL_PROOF = {
    "ledger_entries",
    "sealed_entries",
    "suppressions",
    "recipients",
    "choices",
    "change_events",
    "policy_notices",
    "policy_announcements",
    "audit_entries",
}
"""Where her random id, or the keyed hash of her address, may stay."""


def _values(session: Session) -> Iterator[tuple[str, Any]]:
    """Every value of every column of every table, opened where it is encrypted."""
    for table in Base.metadata.sorted_tables:
        for row in session.execute(select(table)):
            for column, value in zip(table.columns, row, strict=True):
                yield f"{table.name}.{column.name}", value


def _where_it_is(session: Session, needle: str | bytes) -> set[str]:
    found = set()
    for where, value in _values(session):
        if isinstance(needle, bytes):
            if isinstance(value, bytes | memoryview) and bytes(value) == needle:
                found.add(where)
        elif value is not None and needle in (value if isinstance(value, str) else repr(value)):
            found.add(where)
    return found


@pytest.fixture
def anna(app: Flask, session: Session) -> RecipientView:
    """A person about whom everything is stored, with a question of her own and a link she has used."""
    anna = make_full_person(session)
    step_up(app, anna).post("/me/requests", {"kind": "other", "text": "Hemligheten"})
    _told_by_others(session, anna)
    seal(session)
    return anna


def _told_by_others(session: Session, anna: RecipientView) -> None:
    """What an ESP reported about her, and what an endpoint answered when it was told of her."""
    now = datetime.now(UTC)
    session.add(
        EspEventRow(
            mailer_id=1,
            provider="ses",
            event_key=b"r" * 16,
            type=EspEventType.BOUNCED,
            native="Bounce",
            address_index=anna.address_index,
            payload={"mail": {"destination": ["Anna.Akesson@example.se"]}, "diagnostic": "mailbox of Anna is full"},
            received_at=now,
            done_at=now,
        )
    )
    delivery = DeliveryRow(
        endpoint_id=1,
        event_id=1,
        recipient_id=anna.id,
        created_at=now,
        next_at=now,
        done_at=now,
        outcome=next(iter(DeliveryOutcome)),
    )
    session.add(delivery)
    session.flush()
    session.add(
        AttemptRow(
            endpoint_id=1,
            delivery_id=delivery.id,
            number=1,
            attempted_at=now,
            code=next(iter(AttemptCode)),
            latency_ms=1,
            excerpt="thank you, anna.akesson@example.se",
        )
    )
    seen = AuditRow(
        recorded_at=now,
        staff_id=1,
        action=next(iter(AuditAction)),
        object_kind=AuditObject.RECIPIENT,
        object_id=anna.id,
    )
    session.add(seen)
    session.flush()
    session.add(AuditReasonRow(audit_id=seen.id, reason="Anna rang och undrade"))
    session.commit()


def _erase(app: Flask, session: Session, anna: RecipientView) -> None:
    session.rollback()
    step_up(app, anna).post("/me/erase", {"confirm": "erase"})
    send_all(app)
    session.rollback()
    run_retention(session, MONTHS, source=RunSource.WORKER, now=datetime.now(UTC) + timedelta(days=366 * 3))
    session.commit()


def test_everything_is_there_before_so_that_the_walk_would_find_it(session: Session, anna: RecipientView) -> None:
    for needle in OF_THE_PERSON:
        assert _where_it_is(session, needle.replace("\n", "\\n")) | _where_it_is(session, needle), needle


def test_nothing_is_left_in_words_anywhere(app: Flask, session: Session, anna: RecipientView) -> None:
    _erase(app, session, anna)
    left = {needle: where for needle in OF_THE_PERSON if (where := _where_it_is(session, needle))}
    assert left == {}
    for needle in ("Åkesson", "akesson", "nyadress"):
        assert _where_it_is(session, needle) == set()


def test_no_encrypted_value_of_hers_is_left_unread(app: Flask, session: Session, anna: RecipientView) -> None:
    """A column that the walk cannot read would hide something: every encrypted one of hers must be empty, or hold nothing."""
    _erase(app, session, anna)
    for table in Base.metadata.sorted_tables:
        owner = table.c.get("recipient_id") if table.name != "recipients" else table.c.id
        if owner is None:
            continue
        for column in table.columns:
            if isinstance(column.type, ENCRYPTED):
                stored = session.execute(
                    select(column, type_coerce(column, LargeBinary)).where(owner == anna.id, column.is_not(None))
                )
                assert all(value == {} for value, _ in stored), f"{table.name}.{column.name}"


def test_what_stays_is_the_minimal_proof(app: Flask, session: Session, anna: RecipientView) -> None:
    entries = len(session.scalars(select(LedgerEntryRow.id)).all())
    _erase(app, session, anna)
    assert anna.address_index is not None
    assert {where.split(".")[0] for where in _where_it_is(session, anna.address_index)} == {"suppressions"}
    holds_id = {where.split(".")[0] for where, value in _values(session) if value == anna.id}
    assert holds_id - MINIMAL_PROOF <= {"rights_requests", "takedowns", "address_changes", "confirmations"}
    assert len(session.scalars(select(LedgerEntryRow.id)).all()) == entries
    assert session.scalars(select(EvidenceRow.entry_id)).all() == []
    assert verified(session).is_sound
