"""Endpoints as their mailer sees them, and what was tried with each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preferences.domain.events import EventType
from preferences.domain.mailing import MailDropped
from preferences.domain.webhooks import AttemptCode, DisabledReason, EndpointState, PayloadKind, SignatureScheme
from preferences.models.endpoint import AttemptRow, DeliveryRow, EndpointRow, EndpointSecretRow, EndpointTypeRow
from preferences.models.mailer import MailerRow


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EndpointView:
    """An endpoint. The URL may hold a secret, so it is shown to its mailer only."""

    id: int
    mailer_id: int
    url: str
    description: str
    types: tuple[EventType, ...]
    payload: PayloadKind
    scheme: SignatureScheme
    state: EndpointState
    disabled_reason: DisabledReason | None
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None
    failing_since: datetime | None
    failures: int
    held_until: datetime | None

    def __repr__(self) -> str:
        """The id only."""
        return f"<EndpointView {self.id}>"


@dataclass(frozen=True, slots=True, repr=False)
class SecretView:
    """A signing secret in use. Never shown again after it was made."""

    secret: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One call of an endpoint."""

    id: int
    event_id: int | None
    delivery_id: int
    number: int
    attempted_at: datetime
    code: AttemptCode
    status: int | None
    latency_ms: int
    excerpt: str | None


def endpoint_by_id(session: Session, endpoint_id: int) -> EndpointView | None:
    """One endpoint."""
    row = session.get(EndpointRow, endpoint_id)
    return None if row is None else _views(session, [row])[0]


def endpoints_of(session: Session, mailer_id: int | None = None) -> list[EndpointView]:
    """The endpoints of a mailer, or all of them; oldest first."""
    found = select(EndpointRow).order_by(EndpointRow.id)
    if mailer_id is not None:
        found = found.where(EndpointRow.mailer_id == mailer_id)
    return _views(session, session.scalars(found).all())


def any_endpoint(session: Session) -> bool:
    """Whether there is any endpoint that is called."""
    enabled = select(EndpointRow.id).where(EndpointRow.state == EndpointState.ENABLED).limit(1)
    return session.scalar(enabled) is not None


def active_secrets(session: Session, endpoint_id: int, now: datetime) -> list[SecretView]:
    """The secrets that sign now, newest first: two while one takes over from the other."""
    rows = session.execute(
        select(EndpointSecretRow.secret, EndpointSecretRow.expires_at)
        .where(EndpointSecretRow.endpoint_id == endpoint_id)
        .where(EndpointSecretRow.expires_at.is_(None) | (EndpointSecretRow.expires_at > now))
        .order_by(EndpointSecretRow.id.desc())
    )
    return [SecretView(*row) for row in rows]


def attempts_of(
    session: Session, endpoint_id: int, *, limit: int, before: int | None = None, event_id: int | None = None
) -> list[AttemptView]:
    """What was tried, newest first: older than the attempt `before`, of one event or of all."""
    found = (
        select(
            AttemptRow.id,
            AttemptRow.event_id,
            AttemptRow.delivery_id,
            AttemptRow.number,
            AttemptRow.attempted_at,
            AttemptRow.code,
            AttemptRow.status,
            AttemptRow.latency_ms,
            AttemptRow.excerpt,
        )
        .where(AttemptRow.endpoint_id == endpoint_id)
        .order_by(AttemptRow.id.desc())
        .limit(limit)
    )
    if before is not None:
        found = found.where(AttemptRow.id < before)
    if event_id is not None:
        found = found.where(AttemptRow.event_id == event_id)
    return [AttemptView(*row) for row in session.execute(found)]


def waiting_count(session: Session, endpoint_id: int) -> int:
    """How many deliveries are not done."""
    counted = select(func.count()).where(DeliveryRow.endpoint_id == endpoint_id, DeliveryRow.done_at.is_(None))
    return session.scalar(counted) or 0


def disabled_endpoint(session: Session, endpoint_id: int) -> dict[str, object]:
    """What staff are told of a disabled endpoint. Raises MailDropped when it is enabled again, or gone."""
    endpoint = endpoint_by_id(session, endpoint_id)
    if endpoint is None or endpoint.state is EndpointState.ENABLED:
        raise MailDropped("endpoint_changed")
    return {
        "endpoint": endpoint,
        "host": urlsplit(endpoint.url).hostname,
        "mailer": session.scalar(select(MailerRow.name).where(MailerRow.id == endpoint.mailer_id)),
        "waiting": waiting_count(session, endpoint.id),
    }


def _views(session: Session, rows: Sequence[EndpointRow]) -> list[EndpointView]:
    types: dict[int, list[EventType]] = {row.id: [] for row in rows}
    chosen = select(EndpointTypeRow).where(EndpointTypeRow.endpoint_id.in_(types))
    for one in session.scalars(chosen):
        types[one.endpoint_id].append(one.type)
    order = list(EventType)
    return [
        EndpointView(
            id=row.id,
            mailer_id=row.mailer_id,
            url=row.url,
            description=row.description,
            types=tuple(sorted(types[row.id], key=order.index)),
            payload=row.payload,
            scheme=row.scheme,
            state=row.state,
            disabled_reason=row.disabled_reason,
            created_at=row.created_at,
            updated_at=row.updated_at,
            disabled_at=row.disabled_at,
            failing_since=row.failing_since,
            failures=row.failures,
            held_until=row.held_until,
        )
        for row in rows
    ]
