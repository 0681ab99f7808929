"""Imports and the parts of their files and reports.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-24 09:15:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | Sequence[str] | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

STAGES = "stage IN ('receiving', 'received', 'planned', 'applying', 'applied', 'discarded')"
ACTORS = "actor IN ('recipient', 'mailer', 'staff', 'esp', 'system')"


def upgrade() -> None:
    """Add the tables."""
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.create_table(
        "import_batches",
        sa.Column("id", serial, nullable=False),
        sa.Column("stage", sa.String(32), nullable=False),
        sa.Column("filename", sa.String(200), nullable=False),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=True),
        sa.Column("reading", json, nullable=False),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("planned", json, nullable=False),
        sa.Column("applied", json, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(STAGES, name=op.f("ck_import_batches_stage")),
        sa.CheckConstraint(ACTORS, name=op.f("ck_import_batches_actor")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_import_batches_position")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batches")),
    )
    op.create_index(op.f("ix_import_batches_stage"), "import_batches", ["stage"])
    op.create_index(op.f("ix_import_batches_created_at"), "import_batches", ["created_at"])
    op.create_table(
        "import_parts",
        sa.Column("import_id", serial, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('file', 'dry_run', 'applied')", name=op.f("ck_import_parts_kind")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_batches.id"], name=op.f("fk_import_parts_import_id_import_batches")
        ),
        sa.PrimaryKeyConstraint("import_id", "kind", "number", name=op.f("pk_import_parts")),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("import_parts")
    op.drop_index(op.f("ix_import_batches_created_at"), "import_batches")
    op.drop_index(op.f("ix_import_batches_stage"), "import_batches")
    op.drop_table("import_batches")
