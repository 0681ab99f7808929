"""Mailers and the keys they call with. A key is shown once; what is stored cannot be turned back into it (L14)."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from preferences.domain.errors import Conflict, InvalidValue, NotFound
from preferences.domain.scopes import Scope
from preferences.models.mailer import ApiKeyRow, MailerRow
from preferences.queries.mailers.mailers import KeyView, key_by_prefix, mailer_by_key

OVERLAP = timedelta(days=7)
"""How long a rotated key goes on working when nothing else is said: time to put the new one in place."""

KEY_FORM = re.compile(r"pk_(?P<prefix>[a-z2-7]{10})_(?P<secret>[A-Za-z0-9_-]{43})", re.ASCII)
_MAILER_KEY = re.compile(r"[a-z][a-z0-9-]{0,63}", re.ASCII)
_PREFIX_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True, repr=False)
class IssuedKey:
    """A fresh key. `text` is what the mailer sends as its bearer token, and exists nowhere else."""

    text: str
    prefix: str
    scopes: tuple[Scope, ...]
    expires_at: datetime | None

    def __repr__(self) -> str:
        """The public part only."""
        return f"<IssuedKey {self.prefix}>"


@dataclass(frozen=True, slots=True)
class RenewedKey:
    """A key that took another's place, and when that one ends."""

    issued: IssuedKey
    old_ends_at: datetime


def create_mailer(session: Session, *, key: str, name: str, now: datetime) -> int:
    """Add a mailer. Returns its id. Raises InvalidValue for a bad short name or Conflict for one in use."""
    if not _MAILER_KEY.fullmatch(key):
        raise InvalidValue(
            "A mailer's key is at most 64 lower-case letters, digits and -, starting with a letter.", pointer="/key"
        )
    if not 0 < len(name.strip()) <= 200:
        raise InvalidValue("A mailer's name has 1 to 200 characters.", pointer="/name")
    if mailer_by_key(session, key) is not None:
        raise _taken(key)
    row = MailerRow(key=key, name=name.strip(), created_at=now)
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:  # somebody else has just added it
        raise _taken(key) from error
    return row.id


def archive_mailer(session: Session, key: str, *, now: datetime) -> None:
    """Stop serving a mailer: its keys are refused, its endpoints not called. Repeating changes nothing. Raises NotFound."""
    _update_existing(session, key, MailerRow.archived_at.is_(None), now)


def restore_mailer(session: Session, key: str) -> None:
    """Serve an archived mailer again, with the keys that it had; what waited for its endpoints is sent. Raises NotFound."""
    _update_existing(session, key, MailerRow.archived_at.is_not(None), None)


def _update_existing(session: Session, key: str, where: ColumnElement[bool], archived_at: datetime | None) -> None:
    if mailer_by_key(session, key) is None:
        raise NotFound(f"There is no mailer named {key[:64]!r}.")
    session.execute(update(MailerRow).where(MailerRow.key == key, where).values(archived_at=archived_at))


def issue_key(
    session: Session, mailer_key: str, scopes: Iterable[Scope], *, now: datetime, expires_at: datetime | None = None
) -> IssuedKey:
    """Give a mailer a key with these scopes. Raises NotFound for an unknown mailer, InvalidValue for a useless key."""
    mailer = mailer_by_key(session, mailer_key)
    if mailer is None or mailer.archived_at is not None:
        raise NotFound(f"There is no mailer named {mailer_key[:64]!r}.")
    return _issue(session, mailer.id, frozenset(scopes), now=now, expires_at=expires_at)


def rotate_key(session: Session, prefix: str, *, now: datetime, overlap: timedelta = OVERLAP) -> IssuedKey:
    """A new key with the same scopes and no end; the old one goes on working for `overlap` and then expires.

    Raises NotFound, or Conflict when the old one no longer works anyway.
    """
    old = _existing(session, prefix)
    _let_end(session, old, now=now, overlap=overlap)
    return _issue(session, old.mailer.id, old.scopes, now=now, expires_at=None)


def renew_key(session: Session, prefix: str, *, now: datetime, overlap: timedelta = OVERLAP) -> RenewedKey:
    """The same by the mailer itself: the new key ends when the old one would have, so that nobody prolongs their own access.

    Raises NotFound or Conflict.
    """
    old = _existing(session, prefix)
    ends_at = _let_end(session, old, now=now, overlap=overlap)
    return RenewedKey(_issue(session, old.mailer.id, old.scopes, now=now, expires_at=old.expires_at), ends_at)


def _let_end(session: Session, old: KeyView, *, now: datetime, overlap: timedelta) -> datetime:
    """Let a key that works end after `overlap`, or sooner where it does anyway. Returns when."""
    if not works(old, now):
        raise Conflict(f"Key {old.prefix} has expired or was revoked; issue a new one.")
    ends_at = now + overlap
    if old.expires_at is not None and old.expires_at <= ends_at:
        return old.expires_at
    session.execute(update(ApiKeyRow).where(ApiKeyRow.id == old.id).values(expires_at=ends_at))
    return ends_at


def revoke_key(session: Session, prefix: str, *, now: datetime) -> bool:
    """Stop a key at once. False: it was revoked before, and nothing changed. Raises NotFound."""
    old = _existing(session, prefix)
    revoked = session.execute(
        update(ApiKeyRow).where(ApiKeyRow.id == old.id, ApiKeyRow.revoked_at.is_(None)).values(revoked_at=now)
    )
    return bool(cast("CursorResult[Any]", revoked).rowcount)


def works(key: KeyView, now: datetime) -> bool:
    """Whether the key may be used now."""
    return (
        key.revoked_at is None and key.mailer.archived_at is None and (key.expires_at is None or key.expires_at > now)
    )


def hash_secret(secret: str) -> bytes:
    """What is stored of a secret: 256 random bits need no slow hash."""
    return hashlib.sha256(b"preferences.api-key." + secret.encode()).digest()


def _taken(key: str) -> Conflict:
    return Conflict(f"There is a mailer named {key!r} already.", pointer="/key")


def _existing(session: Session, prefix: str) -> KeyView:
    found = key_by_prefix(session, prefix)
    if found is None:
        raise NotFound(f"There is no key that starts with pk_{prefix[:16]}.")
    return found


def _issue(
    session: Session, mailer_id: int, scopes: frozenset[Scope], *, now: datetime, expires_at: datetime | None
) -> IssuedKey:
    if not scopes:
        raise InvalidValue("A key needs at least one scope.", pointer="/scopes")
    if expires_at is not None and expires_at <= now:
        raise InvalidValue("A key cannot have expired when it is made.", pointer="/expires_at")
    prefix, secret = _fresh_prefix(session), secrets.token_urlsafe(32)
    session.add(
        ApiKeyRow(
            mailer_id=mailer_id,
            prefix=prefix,
            secret_hash=hash_secret(secret),
            scopes=" ".join(sorted(scopes)),
            created_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()
    return IssuedKey(f"pk_{prefix}_{secret}", prefix, tuple(sorted(scopes)), expires_at)


def _fresh_prefix(session: Session) -> str:
    while True:
        prefix = "".join(secrets.choice(_PREFIX_LETTERS) for _ in range(10))
        if session.scalar(select(ApiKeyRow.id).where(ApiKeyRow.prefix == prefix)) is None:
            return prefix
