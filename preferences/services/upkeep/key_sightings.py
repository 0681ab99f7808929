"""Notes when a key of the service is seen for the first time: keys from the environment carry no date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.key_ages import KeyKind, fingerprint
from preferences.models.upkeep import KeySightingRow
from preferences.models.upsert import insert_into


def note_keys(session: Session, keys: Mapping[KeyKind, Sequence[bytes]], index_key: bytes, *, now: datetime) -> None:
    """Note keys that have not been seen before; what is on record stays. Only keyed hashes are stored."""
    rows = [
        {"kind": kind, "fingerprint": fingerprint(index_key, kind, key), "first_seen_at": now}
        for kind, some in keys.items()
        for key in some
    ]
    session.execute(insert_into(session, KeySightingRow.__table__).values(rows).on_conflict_do_nothing())
