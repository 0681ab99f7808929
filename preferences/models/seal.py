"""The seal over the ledger: which entry is which leaf, the tree's nodes kept for proofs, and the signed heads. Append-only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Integer, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, UtcDateTime


class SealedEntryRow(Base):
    """One leaf. Positions are given out when entries are sealed, so that one which was committed late only comes later."""

    __tablename__ = "sealed_entries"
    __table_args__ = (
        CheckConstraint("position >= 0", name="position"),
        CheckConstraint("length(leaf) = 32", name="leaf"),
    )

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """0, 1, 2 … without gaps."""
    entry_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    """The ledger entry; no foreign key, so that sealing locks no row of the ledger."""
    leaf: Mapped[bytes] = mapped_column(LargeBinary(32))


class SealNodeRow(Base):
    """The hash of a complete subtree of 256, 65,536 … entries: those between are worked out from at most 256 below."""

    __tablename__ = "seal_nodes"
    __table_args__ = (
        CheckConstraint("level > 0 AND level % 8 = 0", name="level"),
        CheckConstraint("length(hash) = 32", name="hash"),
    )

    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    """8, 16, 24 …"""
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """0, 1, 2 … within the level."""
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class SealHeadRow(Base):
    """One signed head; domain.seal.Head says what is signed. The last three columns are the sealer's own."""

    __tablename__ = "seal_heads"
    __table_args__ = (
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("(number = 1) = (previous IS NULL)", name="previous"),
        CheckConstraint("length(root) = 32 AND length(public_key) = 32 AND length(signature) = 64", name="lengths"),
    )

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    tree_size: Mapped[int] = mapped_column(BigInteger, unique=True)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    previous: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
    endorsement: Mapped[bytes | None] = mapped_column(LargeBinary(64))
    """The signature of the key of the head before, where that was another."""
    newest_entry_id: Mapped[int] = mapped_column(BigInteger)
    """The largest id sealed so far."""
    settled_entry_id: Mapped[int] = mapped_column(BigInteger)
    """Up to this id everything is sealed and nothing can come any more: whatever is there unsealed was put there behind us."""
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the ledger was looked at, by the database's clock."""
