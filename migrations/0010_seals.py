"""Signed heads over the ledger's entries.

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-24 13:00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | Sequence[str] | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What makes a row itself, per table: SQLite's INSERT OR REPLACE fires no trigger on DELETE (see 0002).
SAME_ROW = {
    "sealed_entries": "position = NEW.position OR entry_id = NEW.entry_id",
    "seal_nodes": "level = NEW.level AND number = NEW.number",
    "seal_heads": "number = NEW.number OR tree_size = NEW.tree_size",
}


def upgrade() -> None:
    """Add the tables and their guards."""
    op.create_table(
        "sealed_entries",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("position >= 0", name=op.f("ck_sealed_entries_position")),
        sa.CheckConstraint("length(leaf) = 32", name=op.f("ck_sealed_entries_leaf")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_sealed_entries")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_sealed_entries_entry_id")),
    )
    op.create_table(
        "seal_nodes",
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("level > 0 AND level % 8 = 0", name=op.f("ck_seal_nodes_level")),
        sa.CheckConstraint("length(hash) = 32", name=op.f("ck_seal_nodes_hash")),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_seal_nodes")),
    )
    op.create_table(
        "seal_heads",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.Column("endorsement", sa.LargeBinary(length=64), nullable=True),
        sa.Column("newest_entry_id", sa.BigInteger(), nullable=False),
        sa.Column("settled_entry_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_seal_heads_number")),
        sa.CheckConstraint("(number = 1) = (previous IS NULL)", name=op.f("ck_seal_heads_previous")),
        sa.CheckConstraint(
            "length(root) = 32 AND length(public_key) = 32 AND length(signature) = 64",
            name=op.f("ck_seal_heads_lengths"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seal_heads")),
        sa.UniqueConstraint("tree_size", name=op.f("uq_seal_heads_tree_size")),
    )
    for table in SAME_ROW:
        _guard(table)


def _guard(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {SAME_ROW[table]}) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        return
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Remove them, triggers and all."""
    for table in SAME_ROW:
        op.drop_table(table)
