"""Messages by their number, in the mailer's own words."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.models.mailer import MailerRow
from preferences.models.message import MessageRow


@dataclass(frozen=True, slots=True)
class NamedMessage:
    """What a mailer calls a message. `mailer` is None for mail of our own."""

    id: int
    reference: str
    mailer: str | None


def message_named(session: Session, message_id: int) -> NamedMessage | None:
    """The message with this number; None where there is none."""
    row = session.execute(
        select(MessageRow.id, MessageRow.reference, MailerRow.name)
        .outerjoin(MailerRow, MailerRow.id == MessageRow.mailer_id)
        .where(MessageRow.id == message_id)
    ).one_or_none()
    return None if row is None else NamedMessage(*row)
