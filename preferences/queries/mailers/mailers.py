"""Mailers and their keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from preferences.domain.scopes import Scope
from preferences.models.mailer import ApiKeyRow, MailerRow


@dataclass(frozen=True, slots=True)
class MailerView:
    """A mailer."""

    id: int
    key: str
    name: str
    created_at: datetime
    archived_at: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class KeyView:
    """A key as stored, with the mailer it belongs to."""

    id: int
    mailer: MailerView
    prefix: str
    secret_hash: bytes
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def __repr__(self) -> str:
        """The public part only."""
        return f"<KeyView {self.prefix} of {self.mailer.key}>"


def key_by_prefix(session: Session, prefix: str) -> KeyView | None:
    """The key with this public part, expired and revoked ones too."""
    row = session.execute(_keys().where(ApiKeyRow.prefix == prefix)).one_or_none()
    return None if row is None else _key(*row)


def keys_of(session: Session, mailer_key: str) -> list[KeyView]:
    """Every key of a mailer, oldest first."""
    rows = session.execute(_keys().where(MailerRow.key == mailer_key).order_by(ApiKeyRow.id))
    return [_key(*row) for row in rows]


def mailer_by_key(session: Session, key: str) -> MailerView | None:
    """The mailer with this short name."""
    row = session.scalar(select(MailerRow).where(MailerRow.key == key))
    return None if row is None else _mailer(row)


def mailers(session: Session) -> list[MailerView]:
    """Every mailer, by name."""
    return [_mailer(row) for row in session.scalars(select(MailerRow).order_by(MailerRow.key))]


def _keys() -> Select[ApiKeyRow, MailerRow]:
    return select(ApiKeyRow, MailerRow).join(MailerRow, ApiKeyRow.mailer_id == MailerRow.id)


def _mailer(row: MailerRow) -> MailerView:
    return MailerView(row.id, row.key, row.name, row.created_at, row.archived_at)


def _key(row: ApiKeyRow, mailer: MailerRow) -> KeyView:
    return KeyView(
        id=row.id,
        mailer=_mailer(mailer),
        prefix=row.prefix,
        secret_hash=row.secret_hash,
        scopes=frozenset(Scope(scope) for scope in row.scopes.split()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
