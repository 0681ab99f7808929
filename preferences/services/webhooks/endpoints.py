"""Endpoints of mailers: add, change, rotate the secret, disable, remove. A secret is shown once (M13)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from preferences.domain.errors import Conflict, InvalidValue, NotFound
from preferences.domain.events import EventType
from preferences.domain.webhook_secrets import new_secret, verifying_secret
from preferences.domain.webhook_urls import UrlRules
from preferences.domain.webhooks import (
    MAX_ENDPOINTS,
    SECRETS_OVERLAP,
    DisabledReason,
    EndpointState,
    PayloadKind,
    SignatureScheme,
)
from preferences.models.endpoint import AttemptRow, DeliveryRow, EndpointRow, EndpointSecretRow, EndpointTypeRow
from preferences.queries.mailers.endpoints import EndpointView, endpoint_by_id


class UnknownEndpoint(NotFound):
    """No endpoint of this mailer has the id."""

    code = "unknown_endpoint"
    title = "No such endpoint"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EndpointChange:
    """What an endpoint shall be; what is None stays as it is, or is the default of a new one."""

    url: str | None = None
    types: Collection[EventType] | None = None
    description: str | None = None
    payload: PayloadKind | None = None
    state: EndpointState | None = None


@dataclass(frozen=True, slots=True, repr=False)
class FreshSecret:
    """What to verify with from now on, shown once; and until when the one before still signs beside it."""

    text: str
    previous_ends_at: datetime | None


def add_endpoint(
    session: Session, mailer_id: int, new: EndpointChange, scheme: SignatureScheme, *, rules: UrlRules, now: datetime
) -> tuple[EndpointView, FreshSecret]:
    """Add an endpoint; it hears of what is recorded from now on. Raises InvalidValue, UnusableUrl or Conflict."""
    url = new.url or ""
    rules.check(url)
    found = session.scalar(select(func.count()).select_from(EndpointRow).where(EndpointRow.mailer_id == mailer_id)) or 0
    if found >= MAX_ENDPOINTS:
        raise Conflict(f"A mailer has at most {MAX_ENDPOINTS} endpoints; remove one first.")
    row = EndpointRow(
        mailer_id=mailer_id,
        url=url,
        description=new.description or "",
        payload=new.payload or PayloadKind.THIN,
        scheme=scheme,
        state=EndpointState.ENABLED,
        created_at=now,
        updated_at=now,
        failures=0,
    )
    session.add(row)
    session.flush()
    _choose(session, row.id, list(EventType) if new.types is None else new.types)
    secret = _add_secret(session, row.id, scheme, now)
    return _view(session, row.id), FreshSecret(secret, None)


def change_endpoint(
    session: Session, endpoint: EndpointView, change: EndpointChange, *, rules: UrlRules, now: datetime
) -> EndpointView:
    """Change an endpoint. Enabled again, it is called at once for what was waiting. Raises InvalidValue or UnusableUrl."""
    values: dict[str, object] = {"updated_at": now}
    if change.url is not None:
        rules.check(change.url)
        values |= {"url": change.url, "held_until": None}
    if change.description is not None:
        values["description"] = change.description
    if change.payload is not None:
        values["payload"] = change.payload
    session.execute(update(EndpointRow).where(EndpointRow.id == endpoint.id).values(values))
    if change.types is not None:
        session.execute(delete(EndpointTypeRow).where(EndpointTypeRow.endpoint_id == endpoint.id))
        _choose(session, endpoint.id, change.types)
    if change.state is EndpointState.DISABLED:
        disable_endpoint(session, endpoint.id, DisabledReason.MAILER, now=now)
    elif change.state is EndpointState.ENABLED and endpoint.state is EndpointState.DISABLED:
        enable_endpoint(session, endpoint.id, now=now)
    return _view(session, endpoint.id)


def disable_endpoint(session: Session, endpoint_id: int, reason: DisabledReason, *, now: datetime) -> int:
    """Stop calling an endpoint; what waits goes on waiting. Returns 0 when it was disabled already, else 1."""
    row = session.execute(
        update(EndpointRow)
        .where(EndpointRow.id == endpoint_id, EndpointRow.state == EndpointState.ENABLED)
        .values(state=EndpointState.DISABLED, disabled_reason=reason, disabled_at=now, updated_at=now)
        .returning(EndpointRow.id)
    ).one_or_none()
    return 0 if row is None else 1


def enable_endpoint(session: Session, endpoint_id: int, *, now: datetime) -> None:
    """Call an endpoint again, as if it had never failed; what waited starts its schedule anew."""
    session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.endpoint_id == endpoint_id, DeliveryRow.done_at.is_(None))
        .values(next_at=now, attempts=0)
    )
    fresh = {"disabled_reason": None, "disabled_at": None, "failing_since": None, "failures": 0, "held_until": None}
    session.execute(
        update(EndpointRow)
        .where(EndpointRow.id == endpoint_id)
        .values(state=EndpointState.ENABLED, updated_at=now, **fresh)
    )


def rotate_secret(
    session: Session, endpoint: EndpointView, *, now: datetime, overlap: timedelta = SECRETS_OVERLAP
) -> FreshSecret:
    """A new secret. The one before signs beside it for `overlap`; one that was on its way out already ends at once."""
    ends_at = now + overlap
    current = EndpointSecretRow.endpoint_id == endpoint.id
    session.execute(update(EndpointSecretRow).where(current, EndpointSecretRow.expires_at > now).values(expires_at=now))
    session.execute(
        update(EndpointSecretRow).where(current, EndpointSecretRow.expires_at.is_(None)).values(expires_at=ends_at)
    )
    session.execute(delete(EndpointSecretRow).where(current, EndpointSecretRow.expires_at <= now))
    return FreshSecret(_add_secret(session, endpoint.id, endpoint.scheme, now), ends_at)


def remove_endpoint(session: Session, endpoint_id: int) -> None:
    """Forget an endpoint with everything that waits for it and that was tried."""
    session.execute(delete(EndpointTypeRow).where(EndpointTypeRow.endpoint_id == endpoint_id))
    session.execute(delete(EndpointSecretRow).where(EndpointSecretRow.endpoint_id == endpoint_id))
    session.execute(delete(EndpointRow).where(EndpointRow.id == endpoint_id))
    session.execute(delete(DeliveryRow).where(DeliveryRow.endpoint_id == endpoint_id))
    session.execute(delete(AttemptRow).where(AttemptRow.endpoint_id == endpoint_id))


def endpoint_of(session: Session, mailer_id: int, endpoint_id: int | None) -> EndpointView:
    """A mailer's own endpoint. Raises UnknownEndpoint, for those of others too."""
    found = None if endpoint_id is None else endpoint_by_id(session, endpoint_id)
    if found is None or found.mailer_id != mailer_id:
        raise UnknownEndpoint("There is no endpoint with this id.")
    return found


def held_endpoint(session: Session, mailer_id: int, endpoint_id: int) -> EndpointView:
    """A mailer's own endpoint, which nobody else changes before this transaction ends. Raises UnknownEndpoint."""
    session.execute(select(EndpointRow.id).where(EndpointRow.id == endpoint_id).with_for_update())
    return endpoint_of(session, mailer_id, endpoint_id)


def _choose(session: Session, endpoint_id: int, types: Collection[EventType]) -> None:
    if not types:
        raise InvalidValue("Name at least one type of events.", pointer="/types")
    session.add_all(EndpointTypeRow(type=one, endpoint_id=endpoint_id) for one in sorted(set(types)))
    session.flush()


def _add_secret(session: Session, endpoint_id: int, scheme: SignatureScheme, now: datetime) -> str:
    secret = new_secret(scheme)
    session.add(EndpointSecretRow(endpoint_id=endpoint_id, secret=secret, created_at=now))
    session.flush()
    return verifying_secret(secret)


def _view(session: Session, endpoint_id: int) -> EndpointView:
    session.expire_all()
    found = endpoint_by_id(session, endpoint_id)
    assert found is not None  # noqa: S101 - just written
    return found
