"""`Idempotency-Key`: the same call twice has one effect and one answer.

A key is claimed in the transaction of the call itself: a concurrent duplicate waits for that transaction on PostgreSQL (the
unique index) and on SQLite (the one writer), and then finds the answer. A call that fails rolls its claim back with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from preferences.domain.errors import PreferencesError
from preferences.models.idempotency import IdempotencyRow
from preferences.models.upsert import insert_into

KEPT_FOR = timedelta(hours=24)
"""How long an answer is repeated; after that the key is as good as new."""


class KeyReused(PreferencesError):
    """The same Idempotency-Key came with another request."""

    code: ClassVar[str] = "idempotency_key_reused"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The Idempotency-Key belongs to another request"


@dataclass(frozen=True, slots=True, repr=False)
class KeptAnswer:
    """The answer that the first call got."""

    status: int
    body: Mapping[str, Any]


def claim_key(session: Session, mailer_id: int, key: str, digest: bytes, *, now: datetime) -> KeptAnswer | None:
    """Claim the key for this request: None, go on and `keep_answer`; else the answer to repeat. Raises KeyReused.

    `digest` is the SHA-256 of method, path and body.
    """
    statement = insert_into(session, IdempotencyRow.__table__).values(
        mailer_id=mailer_id, key=key, request_digest=digest, status=0, answer={}, created_at=now
    )
    claimed = session.execute(
        statement.on_conflict_do_update(
            index_elements=["mailer_id", "key"],
            set_={name: statement.excluded[name] for name in ("request_digest", "status", "answer", "created_at")},
            where=IdempotencyRow.created_at < now - KEPT_FOR,
        ).returning(IdempotencyRow.mailer_id)
    )
    if claimed.scalar_one_or_none() is not None:
        return None
    row = session.execute(
        select(IdempotencyRow.request_digest, IdempotencyRow.status, IdempotencyRow.answer).where(
            IdempotencyRow.mailer_id == mailer_id, IdempotencyRow.key == key
        )
    ).one()
    if row.request_digest != digest:
        raise KeyReused("Use a fresh key for every new request; repeat a request with exactly the same body.")
    return KeptAnswer(row.status, row.answer)


def keep_answer(session: Session, mailer_id: int, key: str, *, status: int, body: Mapping[str, Any]) -> None:
    """Store the answer that a claimed call got."""
    session.execute(
        update(IdempotencyRow)
        .where(IdempotencyRow.mailer_id == mailer_id, IdempotencyRow.key == key)
        .values(status=status, answer=body)
    )


def forget_answers(session: Session, *, now: datetime) -> int:
    """Delete answers older than a day: they hold links and addresses. Returns how many."""
    result = session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < now - KEPT_FOR))
    return int(result.rowcount)  # type: ignore[attr-defined]
