"""Hooks: where an ESP may report for a mailer. Secrets are stored encrypted; those we make are shown once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from preferences.domain.errors import Conflict, InvalidValue, NotFound
from preferences.models.esp import EspHookRow
from preferences.queries.esp.esp import HookView, hook_of
from preferences.queries.mailers.mailers import MailerView, mailer_by_key
from preferences.queries.purposes.purposes import catalogue

OVERLAP = timedelta(days=1)
"""How long the secrets before a rotation stay valid: time to enter the new ones at the provider."""
MAX_SECRET_CHARACTERS = 8000


def add_hook(
    session: Session,
    *,
    mailer_key: str,
    provider: str,
    secrets: Mapping[str, str],
    purpose_key: str | None,
    now: datetime,
) -> None:
    """Let a provider report for a mailer. Raises NotFound, UnknownPurpose, InvalidValue, or Conflict when it may already."""
    mailer = _mailer(session, mailer_key)
    purpose = catalogue(session).by_key(purpose_key).purpose if purpose_key else None
    if hook_of(session, mailer_key, provider) is not None:
        raise _taken(mailer_key, provider)
    _check(secrets)
    session.add(
        EspHookRow(
            mailer_id=mailer.id,
            provider=provider,
            secrets=dict(secrets),
            purpose_id=purpose.id if purpose else None,
            created_at=now,
        )
    )
    try:
        session.flush()
    except IntegrityError as error:  # somebody else has just added it
        raise _taken(mailer_key, provider) from error


def rotate_hook(
    session: Session,
    *,
    mailer_key: str,
    provider: str,
    secrets: Mapping[str, str],
    now: datetime,
    overlap: timedelta = OVERLAP,
) -> None:
    """Replace the secrets; the former ones stay valid for a while. Raises NotFound or InvalidValue."""
    hook = existing_hook(session, mailer_key, provider)
    _check(secrets)
    session.execute(
        update(EspHookRow)
        .where(EspHookRow.mailer_id == hook.mailer_id, EspHookRow.provider == provider)
        .values(secrets=dict(secrets), former_secrets=dict(hook.secrets), former_until=now + overlap)
    )


def remove_hook(session: Session, *, mailer_key: str, provider: str) -> None:
    """Stop listening. What was reported stays, and is still worked through. Raises NotFound."""
    hook = existing_hook(session, mailer_key, provider)
    session.execute(delete(EspHookRow).where(EspHookRow.mailer_id == hook.mailer_id, EspHookRow.provider == provider))


def valid_secrets(hook: HookView, now: datetime) -> list[Mapping[str, str]]:
    """The secrets that a request may be verified with: the present ones, and the former for as long as they last."""
    found = [hook.secrets]
    if hook.former_secrets is not None and hook.former_until is not None and hook.former_until > now:
        found.append(hook.former_secrets)
    return found


def existing_hook(session: Session, mailer_key: str, provider: str) -> HookView:
    """The hook. Raises NotFound."""
    found = hook_of(session, mailer_key, provider)
    if found is None:
        raise NotFound(f"{mailer_key[:64]} has no hook for {provider[:32]}.")
    return found


def _mailer(session: Session, key: str) -> MailerView:
    mailer = mailer_by_key(session, key)
    if mailer is None or mailer.archived_at is not None:
        raise NotFound(f"There is no mailer named {key[:64]!r}.")
    return mailer


def _check(secrets: Mapping[str, str]) -> None:
    for name, value in secrets.items():
        if not value.strip() or len(value) > MAX_SECRET_CHARACTERS or "\x00" in value:
            raise InvalidValue(f"{name} is empty, or too long.", pointer=f"/secrets/{name}")


def _taken(mailer_key: str, provider: str) -> Conflict:
    return Conflict(f"{mailer_key} has a hook for {provider} already: rotate its secrets, or remove it.")
