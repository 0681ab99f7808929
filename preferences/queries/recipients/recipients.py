"""Recipients by id, address or external id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import Session

from preferences.domain.address import Address, mask_address
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.models.crypto import BlindIndex, keyring
from preferences.models.prepared import Prepared
from preferences.models.recipient import RecipientRow

_COLUMNS = (
    RecipientRow.id,
    RecipientRow.address,
    RecipientRow.address_index,
    RecipientRow.external_id,
    RecipientRow.name,
    RecipientRow.profile,
    RecipientRow.locale,
    RecipientRow.status,
    RecipientRow.link_epoch,
    RecipientRow.source,
    RecipientRow.created_at,
    RecipientRow.updated_at,
)
_NAMES = tuple(column.key for column in _COLUMNS)


@dataclass(frozen=True, slots=True)
class RecipientView:
    """A recipient with everything that is known; never logged."""

    id: RecipientId
    address: str | None
    address_index: BlindIndex | None
    external_id: str | None
    name: str | None
    profile: Mapping[str, Any]
    locale: str | None
    status: RecipientStatus
    link_epoch: int
    source: str
    created_at: datetime
    updated_at: datetime

    @property
    def masked_address(self) -> str:
        """What a link in a mail may show of the address (T11)."""
        return mask_address(self.address or "")

    def __repr__(self) -> str:
        """The id and status only."""
        return f"<RecipientView {self.id} {self.status}>"


def recipient_by_id(session: Session, recipient_id: RecipientId) -> RecipientView | None:
    """The recipient with this id, erased ones too."""
    row = _by_id().fetch_one(session.connection(), {"id": recipient_id})
    return None if row is None else _view(row)


def recipient_by_address(session: Session, address: Address) -> RecipientView | None:
    """The recipient with this address in its normal form."""
    return _one(session, RecipientRow.address_index == keyring().address_index(address.normal))


def recipient_by_index(session: Session, address_index: BlindIndex) -> RecipientView | None:
    """The recipient whose address has this keyed hash."""
    return _one(session, RecipientRow.address_index == address_index)


def recipient_by_external_id(session: Session, external_id: str) -> RecipientView | None:
    """The recipient whom another system knows by this id."""
    return _one(session, RecipientRow.external_index == keyring().external_index(external_id))


def recipients_by_domain(
    session: Session, domain: str, *, after: RecipientId | None = None, limit: int = 100
) -> list[RecipientView]:
    """Recipients at a domain (`parse_domain`'s normal form), in the order of their ids, those after `after`."""
    condition = (RecipientRow.domain_index == keyring().domain_index(domain)) & (RecipientRow.id > (after or 0))
    rows = session.execute(select(*_COLUMNS).where(condition).order_by(RecipientRow.id).limit(limit))
    return [_view(row) for row in rows]


@cache
def _by_id() -> Prepared:
    """Made once: every page of a recipient begins with it."""
    return Prepared(select(*_COLUMNS).where(RecipientRow.id == bindparam("id")))


def _one(session: Session, condition: ColumnElement[bool]) -> RecipientView | None:
    row = session.execute(select(*_COLUMNS).where(condition)).one_or_none()
    return None if row is None else _view(row)


def _view(row: Sequence[Any]) -> RecipientView:
    values = dict(zip(_NAMES, row, strict=True))
    values["profile"] = values["profile"] or {}
    return RecipientView(**values)
