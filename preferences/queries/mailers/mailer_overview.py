"""How each mailer does: keys in use, health of its endpoints, how far behind it is, what its ESPs reported last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from preferences.domain.webhooks import EndpointState
from preferences.models.endpoint import EndpointRow
from preferences.models.mailer import ApiKeyRow
from preferences.queries.esp.esp import ReportedEvent, hooks_with_last_event

from .mailers import MailerView, mailers
from .reconciliation import Behind, mailers_behind


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """How many endpoints a mailer has; how many of them are called but fail, and how many are not called."""

    all: int = 0
    failing: int = 0
    disabled: int = 0


@dataclass(frozen=True, slots=True)
class HookHealth:
    """A provider that may report for a mailer, and the last that it reported."""

    provider: str
    last: ReportedEvent | None


@dataclass(frozen=True, slots=True)
class MailerOverview:
    """A mailer at a glance. `behind` is None for an archived one: nobody waits for it."""

    mailer: MailerView
    keys: int
    endpoints: EndpointHealth
    hooks: tuple[HookHealth, ...]
    behind: Behind | None


def mailer_overviews(session: Session, *, now: datetime) -> list[MailerOverview]:
    """Every mailer by key, those in use first."""
    keys, endpoints, reporting = _keys_in_use(session, now), _endpoint_health(session), _hook_health(session)
    behind = {one.mailer.id: one for one in mailers_behind(session)}
    found = [
        MailerOverview(
            mailer=one,
            keys=keys.get(one.id, 0),
            endpoints=endpoints.get(one.id, EndpointHealth()),
            hooks=tuple(reporting.get(one.id, ())),
            behind=behind.get(one.id),
        )
        for one in mailers(session)
    ]
    return sorted(found, key=lambda one: one.mailer.archived_at is not None)


def _keys_in_use(session: Session, now: datetime) -> dict[int, int]:
    rows = session.execute(
        select(ApiKeyRow.mailer_id, func.count())
        .where(ApiKeyRow.revoked_at.is_(None), or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > now))
        .group_by(ApiKeyRow.mailer_id)
    )
    return {row[0]: row[1] for row in rows}


def _endpoint_health(session: Session) -> dict[int, EndpointHealth]:
    is_called = EndpointRow.state == EndpointState.ENABLED
    rows = session.execute(
        select(
            EndpointRow.mailer_id,
            func.count(),
            func.count().filter(and_(is_called, EndpointRow.failing_since.is_not(None))),
            func.count().filter(~is_called),
        ).group_by(EndpointRow.mailer_id)
    )
    return {row[0]: EndpointHealth(*row[1:]) for row in rows}


def _hook_health(session: Session) -> dict[int, list[HookHealth]]:
    found: dict[int, list[HookHealth]] = {}
    for mailer_id, provider, last in hooks_with_last_event(session):
        found.setdefault(mailer_id, []).append(HookHealth(provider, last))
    return found
