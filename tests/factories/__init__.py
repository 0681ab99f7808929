"""Makes what tests need. Each returns the thing made and commits it, so that the service under test can see it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from preferences.domain.acts import Act, Method
from preferences.domain.address import parse_address
from preferences.domain.capability import Capability, Claims, LinkSigner, RecipientId, Token
from preferences.domain.purpose import Purpose
from preferences.domain.recipient_id import new_recipient_id
from preferences.domain.scopes import Scope
from preferences.models.crypto import keyring
from preferences.models.recipient import RecipientRow
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from preferences.services.choices.consent import NewAct, record_act
from preferences.services.webhooks.mailers import create_mailer, issue_key


def make_recipient(session: Session, address: str = "anna@example.se", **fields: Any) -> RecipientView:
    """A recipient with this address. `fields` are columns of RecipientRow."""
    row = _recipient_row(address, **fields)
    session.add(row)
    session.commit()
    found = recipient_by_id(session, RecipientId(row.id))
    session.commit()  # reading took SQLite's one write lock again
    assert found is not None
    return found


def make_recipients(session: Session, count: int) -> list[RecipientId]:
    """Many recipients at once, `person.0@example.se` and on. Returns their ids."""
    rows = [_recipient_row(f"person.{number}@example.se") for number in range(count)]
    session.add_all(rows)
    session.commit()
    return [RecipientId(row.id) for row in rows]


def _recipient_row(address: str, **fields: Any) -> RecipientRow:
    parsed = parse_address(address)
    now = datetime.now(UTC)
    external_id = fields.get("external_id")
    return RecipientRow(
        **{
            "id": new_recipient_id(),
            "address": parsed.original,
            "address_index": keyring().address_index(parsed.normal),
            "domain_index": keyring().domain_index(parsed.domain),
            "external_index": keyring().external_index(external_id) if external_id else None,
            "source": "test",
            "created_at": now,
            "updated_at": now,
            **fields,
        }
    )


def purpose(session: Session, key: str) -> Purpose:
    """A built-in purpose or topic by key."""
    found = catalogue(session).by_key(key).purpose
    session.commit()
    return found


def act(session: Session, recipient: RecipientView, key: str, act: Act = Act.GIVEN, **fields: Any) -> int:
    """Record an act on a purpose, committed. `fields` are those of NewAct. Returns the ledger entry's id."""
    now = datetime.now(UTC)
    new = NewAct(
        **{
            "recipient_id": recipient.id,
            "purpose": purpose(session, key),
            "act": act,
            "method": Method.API,
            "occurred_at": now,
            **fields,
        }
    )
    entry_id = record_act(session, new, now=now)
    session.commit()
    return entry_id


def link(
    recipient: RecipientView,
    purpose: Purpose | int = 0,
    capability: Capability = Capability.UNSUBSCRIBE,
    *,
    issued_at: datetime | None = None,
    epoch: int | None = None,
    reference: int = 0,
) -> Token:
    """A signed token of the running application."""
    signer: LinkSigner = current_app.extensions["preferences.signer"]
    return signer.mint(
        Claims(
            capability=capability,
            recipient_id=recipient.id,
            purpose_id=purpose if isinstance(purpose, int) else purpose.id,
            epoch=recipient.link_epoch if epoch is None else epoch,
            issued_at=issued_at or datetime.now(UTC),
            reference=reference,
        )
    )


def make_key(session: Session, *scopes: Scope, mailer: str = "newsletter", expires_at: datetime | None = None) -> str:
    """The bearer text of a fresh key with these scopes; all of them when none is named. Makes the mailer on first use."""
    now = datetime.now(UTC)
    if mailer_by_key(session, mailer) is None:
        create_mailer(session, key=mailer, name=mailer.title(), now=now)
    key = issue_key(session, mailer, scopes or tuple(Scope), now=now, expires_at=expires_at)
    session.commit()
    return key.text
