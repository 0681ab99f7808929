"""What minting links has to know about recipients, thousands at a time: nothing that is encrypted is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.models.recipient import RecipientRow

from .asked import asked_addresses, asked_ids, prefer_index_lookups


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """A recipient whom links can be made for."""

    id: RecipientId
    epoch: int
    status: RecipientStatus


def targets_by_id(session: Session, ids: Sequence[RecipientId]) -> dict[int, LinkTarget]:
    """The recipients with these ids, by place in the sequence; unknown ones are left out."""
    return _find(session, asked_ids(session, ids), RecipientRow.id) if ids else {}


def targets_by_address(session: Session, address_indexes: Sequence[bytes]) -> dict[int, LinkTarget]:
    """The recipients with these addresses (keyed hashes), by place in the sequence; unknown ones are left out."""
    if not address_indexes:
        return {}
    return _find(session, asked_addresses(session, address_indexes), RecipientRow.address_index)


def _find(session: Session, asked: Any, column: Any) -> dict[int, LinkTarget]:
    prefer_index_lookups(session)
    rows = session.execute(
        select(asked.c.position, RecipientRow.id, RecipientRow.link_epoch, RecipientRow.status).join(
            RecipientRow, column == asked.c.key
        )
    )
    return {place: LinkTarget(RecipientId(number), epoch, status) for place, number, epoch, status in rows}
