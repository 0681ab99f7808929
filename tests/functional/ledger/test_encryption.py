"""Personal data is unreadable at rest, and still found: exact address, external id, domain (GDPR 32; L14)."""

from __future__ import annotations

import subprocess
import unicodedata
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import LargeBinary, text, type_coerce, update
from sqlalchemy.orm import Session

from preferences.domain.acts import Act
from preferences.domain.address import parse_address, parse_domain
from preferences.models.base import Base
from preferences.models.crypto import ENCRYPTED, UnreadableValue, keyring
from preferences.models.recipient import RecipientRow
from preferences.queries.recipients.recipients import (
    recipient_by_address,
    recipient_by_external_id,
    recipient_by_id,
    recipients_by_domain,
)
from preferences.services.outbox.outbox import enqueue_mail
from preferences.services.upkeep.rotation import encrypted_columns
from tests.factories import act, make_recipient

SECRETS = {
    "address": "Anneli.Öst+Nyheter@kundföretaget.se",
    "name": "Anneli Östergren-Lind",
    "external_id": "KUND-99871",
    "profile": {
        "company_name": "Östergrens Plåtslageri AB",
        "telephone": "+46701234567",
        "vat_number": "SE556677889901",
        "address": "Storgatan 12, 703 61 Örebro",
    },
}
READABLE = [
    "Anneli", "anneli", "Öst", "kundföretaget", "kundfretaget", "xn--kundfretaget", "Östergren", "KUND-99871", "Plåtslageri",
    "701234567", "556677889901", "Storgatan", "mässa i Örebro", "confirm_choices",
]  # fmt: skip


def _everything_stored(app: Flask, session: Session) -> bytes:
    """All bytes of the database: the SQLite file with its journal, or every row of every PostgreSQL table as text and bytes."""
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    if url.startswith("sqlite"):
        file = Path(url.removeprefix("sqlite:///"))
        # Read by another process: closing the file here would drop the locks that this process holds on it.
        names = [str(path) for path in sorted(file.parent.glob(file.name + "*"))]
        return subprocess.run(["cat", *names], check=True, capture_output=True).stdout
    found = b""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        for table in Base.metadata.tables:
            for (row,) in connection.execute(f"SELECT t::text FROM {table} t"):
                found += row.encode()
            for row in connection.execute(f"SELECT * FROM {table}"):
                found += b"".join(value for value in row if isinstance(value, bytes))
    return found


def test_nothing_personal_can_be_read_in_the_database(app: Flask, session: Session, now: object) -> None:
    anneli = make_recipient(session, SECRETS["address"], **{k: v for k, v in SECRETS.items() if k != "address"})  # type: ignore[arg-type]
    act(session, anneli, "marketing", Act.GIVEN, evidence={"source": "mässa i Örebro"})
    enqueue_mail(session, "confirm_choices", recipient_id=anneli.id, parameters={}, now=now)  # type: ignore[arg-type]
    session.commit()
    stored = _everything_stored(app, session)
    assert b"marketing" in stored, "what is not personal is there to be read: we looked in the right place"
    for readable in READABLE:
        for form in {readable, unicodedata.normalize("NFD", readable), readable.lower(), readable.upper()}:
            for encoding in ("utf-8", "utf-16-le", "latin-1"):
                assert form.encode(encoding, "ignore") not in stored, readable
            assert form.encode().hex().encode() not in stored, readable


def test_stored_person_is_read_back_whole(session: Session) -> None:
    anneli = make_recipient(session, SECRETS["address"], **{k: v for k, v in SECRETS.items() if k != "address"})  # type: ignore[arg-type]
    assert anneli.address == SECRETS["address"]
    assert (anneli.name, anneli.external_id, dict(anneli.profile)) == (
        SECRETS["name"],
        SECRETS["external_id"],
        SECRETS["profile"],
    )


def test_person_is_found_by_every_spelling_of_the_address(session: Session) -> None:
    anneli = make_recipient(session, "Anneli@Kundföretaget.se", external_id="K-1")
    for spelling in (
        "anneli@kundföretaget.se",
        " ANNELI@KUNDFÖRETAGET.SE",
        "anneli@" + "kundföretaget".encode("idna").decode() + ".se",
    ):
        found = recipient_by_address(session, parse_address(spelling))
        assert found is not None
        assert found.id == anneli.id
    assert recipient_by_address(session, parse_address("anneli+x@kundföretaget.se")) is None
    assert recipient_by_external_id(session, "K-1") == anneli
    assert recipient_by_external_id(session, "k-1") is None


def test_domain_search_pages_through_exactly_that_domain(session: Session) -> None:
    inside = sorted(make_recipient(session, f"r{n}@kundföretaget.se").id for n in range(5))
    make_recipient(session, "r@mail.kundföretaget.se")
    make_recipient(session, "r@annat.se")
    domain = parse_domain("@KUNDFÖRETAGET.se")
    first = recipients_by_domain(session, domain, limit=3)
    rest = recipients_by_domain(session, domain, after=first[-1].id, limit=3)
    assert [one.id for one in first + rest] == inside
    assert recipients_by_domain(session, domain, after=rest[-1].id) == []
    assert recipients_by_domain(session, "ingenstans.se") == []


@pytest.mark.parametrize("damage", ["changed", "cut", "emptied", "other column", "plain"])
def test_damaged_value_is_an_error_never_a_wrong_answer(session: Session, damage: str) -> None:
    anneli = make_recipient(session, name="Anneli")
    raw = bytes(session.execute(text("SELECT name FROM recipients")).scalar_one())
    values = {
        "changed": raw[:-1] + bytes([raw[-1] ^ 1]),
        "cut": raw[:20],
        "emptied": b"",
        "other column": keyring().encrypt(b"Anneli", b"recipients.address"),
        "plain": b"Anneli",
    }
    session.execute(update(RecipientRow).values(name=type_coerce(values[damage], LargeBinary)))
    with pytest.raises(UnreadableValue, match=r"recipients\.name"):
        recipient_by_id(session, anneli.id)


def test_every_encrypted_column_is_bound_to_its_own_place() -> None:
    found = list(encrypted_columns())
    assert {one.where for one in found} >= {"recipients.address", "evidence.content", "outbox_jobs.payload"}
    for one in found:
        assert isinstance(one.column.type, ENCRYPTED)
        assert one.where == f"{one.table.name}.{one.column.name}"


PUBLISHED: dict[str, set[int | None]] = {"seal_heads": {64}, "staff_passkeys": {1023, None}}
"""Lengths of what is no secret of anybody: signatures that are published, and what browsers are told of passkeys."""


def test_every_binary_column_is_encrypted_or_a_keyed_hash_of_fixed_length() -> None:
    """A column that holds encrypted bytes under another type would be left out when keys are rotated."""
    for table in Base.metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, LargeBinary):
                lengths = {16, 32} | PUBLISHED.get(table.name, set())
                assert column.type.length in lengths, f"{table.name}.{column.name}: use a type of ENCRYPTED"
