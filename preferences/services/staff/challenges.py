"""Challenges of passkeys. Asking for one stores nothing; answering one stores that it was answered, so that it works once.

A challenge is signed with what it is for, when it was made and the secret of the browser it was made for. So an answer that was
taken elsewhere, for something else or too long ago is none.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete
from sqlalchemy.orm import Session

from preferences.domain.passkeys import CHALLENGE_LASTS, Ceremony
from preferences.models.crypto import keyring
from preferences.models.passkey import AnsweredChallengeRow
from preferences.models.upsert import insert_into

_RANDOM, _MOMENT, _MAC = 16, 8, 16


def new_challenge(ceremony: Ceremony, browser: bytes, *, now: datetime) -> bytes:
    """A challenge for this browser: `browser` is the digest of the secret in its cookie."""
    start = secrets.token_bytes(_RANDOM) + int(now.timestamp()).to_bytes(_MOMENT, "big")
    return start + _mac(start, ceremony, browser)


def claim_challenge(session: Session, challenge: bytes, ceremony: Ceremony, browser: bytes, *, now: datetime) -> bool:
    """Whether it is one of ours, made for this and for this browser, not too old, and answered for the first time."""
    start, mac = challenge[: _RANDOM + _MOMENT], challenge[_RANDOM + _MOMENT :]
    if not hmac.compare_digest(mac, _mac(start, ceremony, browser)):
        return False
    age = now - datetime.fromtimestamp(int.from_bytes(start[_RANDOM:], "big"), UTC)
    if age > CHALLENGE_LASTS:
        return False
    claimed = session.scalar(
        insert_into(session, AnsweredChallengeRow.__table__)
        .values(digest=hashlib.sha256(challenge).digest(), answered_at=now)
        .on_conflict_do_nothing(index_elements=["digest"])
        .returning(AnsweredChallengeRow.answered_at)
    )
    return claimed is not None


def forget_challenges(session: Session, *, now: datetime) -> int:
    """Delete those that are too old to be answered again. Returns how many."""
    old = AnsweredChallengeRow.answered_at < now - 2 * CHALLENGE_LASTS
    return cast("CursorResult[Any]", session.execute(delete(AnsweredChallengeRow).where(old))).rowcount


def _mac(start: bytes, ceremony: Ceremony, browser: bytes) -> bytes:
    return keyring().counted_index(f"passkey:{ceremony}:{browser.hex()}:{start.hex()}")
