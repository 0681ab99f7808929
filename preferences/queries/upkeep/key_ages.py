"""Since when keys are in use: those of the service, the API keys of mailers, the secrets of their endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from preferences.domain.key_ages import KeyKind, fingerprint
from preferences.domain.webhooks import EndpointState
from preferences.models.endpoint import EndpointRow, EndpointSecretRow
from preferences.models.mailer import ApiKeyRow, MailerRow
from preferences.models.upkeep import KeySightingRow


@dataclass(frozen=True, slots=True)
class OldestOf:
    """The oldest key of a mailer that is in use, and whose it is."""

    mailer_name: str
    created_at: datetime


def first_seen(session: Session, kind: KeyKind, key: bytes, index_key: bytes) -> datetime | None:
    """When a worker first saw the key; None: none has yet."""
    row = KeySightingRow
    wanted = (row.kind == kind, row.fingerprint == fingerprint(index_key, kind, key))
    return session.scalar(select(row.first_seen_at).where(*wanted))


def oldest_api_keys(session: Session, *, now: datetime) -> list[OldestOf]:
    """For each mailer in use its oldest API key that opens something; the oldest first."""
    is_live = (ApiKeyRow.revoked_at.is_(None), or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > now))
    oldest = func.min(ApiKeyRow.created_at)
    asked = select(MailerRow.name, oldest).join(ApiKeyRow, ApiKeyRow.mailer_id == MailerRow.id).where(*is_live)
    return _by_mailer(session, asked.order_by(oldest, MailerRow.name))


def oldest_endpoint_secrets(session: Session) -> list[OldestOf]:
    """For each mailer in use the oldest secret that signs for an endpoint that is on; the oldest first.

    One that a newer one has taken over runs out by itself, and counts no more.
    """
    signs = (EndpointSecretRow.expires_at.is_(None), EndpointRow.state == EndpointState.ENABLED)
    oldest = func.min(EndpointSecretRow.created_at)
    asked = (
        select(MailerRow.name, oldest)
        .join(EndpointRow, EndpointRow.mailer_id == MailerRow.id)
        .join(EndpointSecretRow, EndpointSecretRow.endpoint_id == EndpointRow.id)
        .where(*signs)
    )
    return _by_mailer(session, asked.order_by(oldest, MailerRow.name))


def _by_mailer(session: Session, asked: Select[str, datetime]) -> list[OldestOf]:
    in_use = asked.where(MailerRow.archived_at.is_(None)).group_by(MailerRow.id, MailerRow.name)
    return [OldestOf(name, since) for name, since in session.execute(in_use)]
