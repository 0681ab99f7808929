"""The seal as it is stored: heads, what waits for one, and ledger entries and texts in the form in which they are sealed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, ScalarSelect, Select, String, exists, func, select, type_coerce
from sqlalchemy.orm import Session

from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.seal import Head, SealedEntry, SealedText, SignedHead
from preferences.models.ledger import LedgerEntryRow
from preferences.models.purpose import NoticeTextRow, NoticeVersionRow, PurposeRow
from preferences.models.seal import SealedEntryRow, SealHeadRow

NoticeDigests = Mapping[tuple[int, str], bytes]

_ENTRY = LedgerEntryRow
ENTRY_COLUMNS: tuple[Any, ...] = (
    _ENTRY.id,
    _ENTRY.recipient_id,
    _ENTRY.purpose_id,
    PurposeRow.key,
    _ENTRY.training_id,
    type_coerce(_ENTRY.act, String),
    type_coerce(_ENTRY.basis, String),
    type_coerce(_ENTRY.method, String),
    type_coerce(_ENTRY.actor, String),
    _ENTRY.actor_id,
    _ENTRY.notice_version_id,
    _ENTRY.locale,
    _ENTRY.occurred_at,
    _ENTRY.recorded_at,
    _ENTRY.paused_until,
    _ENTRY.reference,
    _ENTRY.evidence_digest,
)
WIDTH = len(ENTRY_COLUMNS)


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A head with the sealer's own notes; see models.seal.SealHeadRow."""

    signed: SignedHead
    newest_entry_id: int
    settled_entry_id: int
    seen_at: datetime


def newest_head(session: Session) -> StoredHead | None:
    """The last head; None before the first seal."""
    row = session.scalar(select(SealHeadRow).order_by(SealHeadRow.number.desc()).limit(1))
    return None if row is None else stored_head(row)


def head_by_number(session: Session, number: int) -> StoredHead | None:
    """One head."""
    row = session.scalar(select(SealHeadRow).where(SealHeadRow.number == number))
    return None if row is None else stored_head(row)


def covering_head(session: Session, entry_id: int) -> StoredHead | None:
    """The first head that covers an entry; None as long as it is not sealed."""
    size = select(covering_size()).where(SealedEntryRow.entry_id == entry_id).scalar_subquery()
    row = session.scalar(select(SealHeadRow).where(SealHeadRow.tree_size == size))
    return None if row is None else stored_head(row)


def covering_size() -> ScalarSelect[int]:
    """The size of the first head that covers a sealed entry of the statement around it."""
    covers = SealHeadRow.tree_size > SealedEntryRow.position
    return select(func.min(SealHeadRow.tree_size)).where(covers).correlate(SealedEntryRow).scalar_subquery()


def heads_in_order(session: Session, *, after: int = 0) -> Iterator[StoredHead]:
    """Every head after the one of that number, streamed."""
    wanted = select(SealHeadRow).where(SealHeadRow.number > after).order_by(SealHeadRow.number)
    for row in session.scalars(wanted, execution_options={"yield_per": 500}):
        yield stored_head(row)


def newest_heads(session: Session, limit: int, *, before: int | None = None) -> list[StoredHead]:
    """The last heads, or the last before the one of that number, newest first."""
    wanted = select(SealHeadRow).order_by(SealHeadRow.number.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(SealHeadRow.number < before)
    return [stored_head(row) for row in session.scalars(wanted)]


def public_keys(session: Session) -> list[tuple[bytes, int, int]]:
    """Every key that ever signed, with the first and the last head that it signed, oldest first."""
    first = func.min(SealHeadRow.number)
    rows = session.execute(
        select(SealHeadRow.public_key, first, func.max(SealHeadRow.number))
        .group_by(SealHeadRow.public_key)
        .order_by(first)
    )
    return [(bytes(key), start, end) for key, start, end in rows]


def unsealed_entries(session: Session, *, after: int, limit: int) -> list[SealedEntry]:
    """Entries that are not sealed yet, the smallest ids first."""
    rows = session.execute(_unsealed(select_entries(), after).order_by(_ENTRY.id).limit(limit)).all()
    digests = notice_digests(session) if rows else {}
    return [as_sealed(row, digests) for row in rows]


def has_unsealed(session: Session, *, after: int) -> bool:
    """Whether there is an entry to seal."""
    return session.scalar(_unsealed(select(_ENTRY.id), after).limit(1)) is not None


def waiting_for_seal(session: Session, *, after: int, most: int) -> tuple[int, datetime | None]:
    """How many entries are not sealed yet, counted up to `most`, and when the oldest of them was recorded."""
    columns: tuple[Any, ...] = (_ENTRY.id, _ENTRY.recorded_at)
    found = _unsealed(select(*columns), after).order_by(_ENTRY.id).limit(most).subquery()
    count, oldest = session.execute(select(func.count(), func.min(found.c.recorded_at)).select_from(found)).one()
    return count, oldest


def newest_entry_id(session: Session) -> int:
    """The largest id in the ledger."""
    return session.scalar(select(func.max(_ENTRY.id))) or 0


def notice_digests(session: Session) -> NoticeDigests:
    """The digest of every notice text there is, by version and language."""
    return {key: text.digest for key, text in texts_as_sealed(session).items()}


def texts_as_sealed(session: Session, versions: Collection[int] | None = None) -> dict[tuple[int, str], SealedText]:
    """The notice texts of these versions, or all there are, by version and language."""
    wanted = _texts()
    if versions is not None:
        wanted = wanted.where(NoticeVersionRow.id.in_(versions))
    return {(row[0], row.locale): _text(row) for row in session.execute(wanted)}


def select_entries() -> Select[Any]:
    """Ledger entries with the columns that `as_sealed` takes first."""
    return select(*ENTRY_COLUMNS).outerjoin(PurposeRow, PurposeRow.id == _ENTRY.purpose_id)


def as_sealed(row: Any, digests: NoticeDigests) -> SealedEntry:
    """An entry in the form in which it is sealed."""
    entry, recipient_id, purpose_id, purpose, training, act, basis, method, actor, actor_id = row[:10]
    version, locale, occurred_at, recorded_at, paused_until, reference, evidence_digest = row[10:WIDTH]
    return SealedEntry(
        entry=entry,
        recipient=format_recipient_id(recipient_id),
        purpose_id=purpose_id,
        purpose=purpose or "",
        training=training,
        act=act,
        basis=basis,
        method=method,
        actor=actor,
        actor_id=actor_id,
        notice_version=version,
        notice_digest=digests.get((version, locale)),
        locale=locale,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        paused_until=paused_until,
        reference=reference,
        evidence_digest=None if evidence_digest is None else bytes(evidence_digest),
    )


def _unsealed(wanted: Select[Any], after: int) -> Select[Any]:
    """The bound stands twice, so that a planner without statistics reads two short ranges and not two whole tables."""
    sealed = exists().where(SealedEntryRow.entry_id == _ENTRY.id, SealedEntryRow.entry_id > after)
    return wanted.where(_ENTRY.id > after, ~sealed)


def _texts() -> Select[Any]:
    return (
        select(NoticeVersionRow.id, PurposeRow.key, NoticeVersionRow.number, NoticeVersionRow.customer_exception)
        .add_columns(type_coerce(NoticeVersionRow.lawful_basis, String).label("basis"), NoticeVersionRow.published_at)
        .add_columns(*(getattr(NoticeTextRow, name) for name in ("locale", "title", "what", "why", "who", "how_long")))
        .join(PurposeRow, PurposeRow.id == NoticeVersionRow.purpose_id)
        .join(NoticeTextRow, NoticeTextRow.notice_version_id == NoticeVersionRow.id)
    )


def _text(row: Row[Any]) -> SealedText:
    return SealedText(
        purpose_key=row.key,
        number=row.number,
        lawful_basis=row.basis,
        customer_exception=bool(row.customer_exception),
        published_at=row.published_at,
        locale=row.locale,
        title=row.title,
        what=row.what,
        why=row.why,
        who=row.who,
        how_long=row.how_long,
    )


def stored_head(row: SealHeadRow) -> StoredHead:
    """A head as it is stored."""
    head = Head(
        number=row.number,
        tree_size=row.tree_size,
        root=bytes(row.root),
        previous=None if row.previous is None else bytes(row.previous),
        sealed_at=row.sealed_at,
        public_key=bytes(row.public_key),
    )
    endorsement = None if row.endorsement is None else bytes(row.endorsement)
    signed = SignedHead(head, bytes(row.signature), endorsement)
    return StoredHead(signed, row.newest_entry_id, row.settled_entry_id, row.seen_at)
