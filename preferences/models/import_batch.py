"""Imports: a file on its way in, from upload over dry run to applied, with its position, so that a stopped one goes on.

The file itself lies in `import_parts`, compressed and encrypted, so that any machine can go on with it; it is removed when the
import is done, discarded, or has waited too long. What stays is who imported what when, and what became of how many rows.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from preferences.domain.acts import Actor

from .base import Base, SerialId, UtcDateTime, Vocabulary, one_of
from .crypto import SealedBytes, keyring, where_in_row
from .ledger import JsonColumn


class ImportStage(StrEnum):
    """How far an import has come."""

    RECEIVING = "receiving"
    RECEIVED = "received"
    PLANNED = "planned"
    APPLYING = "applying"
    APPLIED = "applied"
    DISCARDED = "discarded"


class PartKind(StrEnum):
    """What a part belongs to: the file, or the report by line of its dry run or of its application."""

    FILE = "file"
    DRY_RUN = "dry_run"
    APPLIED = "applied"


class ImportBatchRow(Base):
    """One file to import. Its dry run comes first; only what the dry run read can be applied."""

    __tablename__ = "import_batches"
    __table_args__ = (
        CheckConstraint(one_of("stage", ImportStage), name="stage"),
        CheckConstraint(one_of("actor", Actor), name="actor"),
        CheckConstraint("position >= 0", name="position"),
    )

    id: Mapped[int] = mapped_column(SerialId, primary_key=True)
    stage: Mapped[ImportStage] = mapped_column(Vocabulary(ImportStage), index=True)
    filename: Mapped[str] = mapped_column(String(200))
    """The last part of the file's name, for people to recognise it."""
    size: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """Bytes of the file."""
    digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """SHA-256 of the file: another file cannot be applied under this dry run."""
    reading: Mapped[Mapping[str, Any]] = mapped_column(JsonColumn)
    """How the file is read: encoding, delimiter, header, and the mapping of its columns to fields."""
    actor: Mapped[Actor] = mapped_column(Vocabulary(Actor))
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    """Whose import it is: the actor of every entry it makes."""
    planned: Mapped[Mapping[str, int]] = mapped_column(JsonColumn)
    """Rows by outcome (`held`), and by outcome and reason (`held/withdrawn`), as the dry run counted them."""
    applied: Mapped[Mapping[str, int]] = mapped_column(JsonColumn)
    """The same of the rows applied so far."""
    rows: Mapped[int | None] = mapped_column(Integer)
    """Rows in the file, known after the dry run."""
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """Rows applied, moved on in the transaction that applies them."""
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Somebody works on it until then; a crashed worker's claim simply runs out."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    planned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was applied or discarded."""


class ImportPartRow(Base):
    """A piece of a file or report: compressed, then encrypted with its import, kind and number authenticated."""

    __tablename__ = "import_parts"
    __table_args__ = (CheckConstraint(one_of("kind", PartKind), name="kind"),)

    import_id: Mapped[int] = mapped_column(ForeignKey("import_batches.id"), primary_key=True, autoincrement=False)
    kind: Mapped[PartKind] = mapped_column(Vocabulary(PartKind), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(SealedBytes("import_parts.content"))


def seal_part(plain: bytes, import_id: int, kind: PartKind, number: int) -> bytes:
    """A part's content as it is stored."""
    return keyring().encrypt(zlib.compress(plain, 1), _where(import_id, kind, number))


def open_part(stored: bytes, import_id: int, kind: PartKind, number: int) -> bytes:
    """The plain content. Raises UnreadableValue when it was changed or put in another's place."""
    return zlib.decompress(keyring().decrypt(stored, _where(import_id, kind, number)))


def _where(import_id: int, kind: PartKind, number: int) -> bytes:
    return where_in_row("import_parts.content", (import_id, kind.value, number))
