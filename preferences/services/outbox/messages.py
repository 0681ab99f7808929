"""Messages that mailers send: their own reference, and our number for it, which travels in tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.errors import InvalidValue
from preferences.domain.text import is_storable
from preferences.models.message import MessageRow
from preferences.models.upsert import insert_into

MAX_REFERENCE_CHARACTERS = 200
NO_MESSAGE = 0


def find_message(session: Session, mailer_id: int, reference: str) -> int | None:
    """The number of a message that is known already."""
    return session.scalar(
        select(MessageRow.id).where(MessageRow.mailer_id == mailer_id, MessageRow.reference == reference)
    )


def number_message(session: Session, mailer_id: int, reference: str, *, now: datetime) -> int:
    """The number of a message, given out on first use. Raises InvalidValue for an unusable reference."""
    if not 0 < len(reference) <= MAX_REFERENCE_CHARACTERS or not is_storable(reference):
        raise InvalidValue("A message reference has 1 to 200 characters.", pointer="/message")
    statement = insert_into(session, MessageRow.__table__).values(
        mailer_id=mailer_id, reference=reference, created_at=now
    )
    session.execute(statement.on_conflict_do_nothing(index_elements=["mailer_id", "reference"]))
    number = find_message(session, mailer_id, reference)
    assert number is not None  # noqa: S101 - inserted above, or there before
    return number
