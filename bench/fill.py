"""Fills a database with recipients, and mints their links."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import insert

from preferences.domain.address import parse_address
from preferences.domain.capability import Capability, RecipientId, Token
from preferences.domain.recipient_id import new_recipient_id
from preferences.models.crypto import keyring
from preferences.models.recipient import RecipientRow
from preferences.models.transaction import transaction
from preferences.queries.purposes.purposes import catalogue

from .support import Service

BATCH = 5000


def fill_recipients(count: int) -> list[RecipientId]:
    """Insert this many recipients, encrypted and indexed as always. Needs an application context."""
    now, made = datetime.now(UTC), [new_recipient_id() for _ in range(count)]
    with transaction() as session:
        for start in range(0, count, BATCH):
            rows = [_row(one, start + number, now) for number, one in enumerate(made[start : start + BATCH])]
            session.connection().execute(insert(RecipientRow.__table__), rows)  # type: ignore[arg-type]
    return made


def mint_unsubscribe(one: Service, recipients: list[RecipientId], purpose: str = "marketing") -> list[Token]:
    """An unsubscribe link's token for each."""
    with transaction() as session:
        purpose_id = catalogue(session).by_key(purpose).purpose.id
    mint = one.app.extensions["preferences.signer"].minter(
        Capability.UNSUBSCRIBE, purpose_id, issued_at=datetime.now(UTC)
    )
    return [mint(recipient, 1) for recipient in recipients]


def _row(recipient_id: RecipientId, number: int, now: datetime) -> dict[str, object]:
    address = parse_address(f"person.{number}@company{number % 997}.example.com")
    return {
        "id": recipient_id,
        "address": address.original,
        "address_index": keyring().address_index(address.normal),
        "domain_index": keyring().domain_index(address.domain),
        "status": "active",
        "link_epoch": 1,
        "locale": "sv",
        "source": "bench",
        "created_at": now,
        "updated_at": now,
    }
