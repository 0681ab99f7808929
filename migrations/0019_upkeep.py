"""Which backups were made, and what came of calling our own address.

Revision ID: 0019
Revises: 0017
Create Date: 2026-11-24 16:40:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | Sequence[str] | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

CODES = (
    "'ours', 'no_name', 'refused', 'timed_out', 'unreachable', 'certificate_expired', 'certificate_name', "
    "'certificate_untrusted', 'redirect', 'fault', 'somebody_else'"
)


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "backups",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("database_id", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_sound", sa.Boolean(), nullable=True),
        sa.CheckConstraint("size >= 0", name=op.f("ck_backups_size")),
        sa.CheckConstraint("(checked_at IS NULL) = (is_sound IS NULL)", name=op.f("ck_backups_checked")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backups")),
    )
    op.create_index("ix_backups_database_id", "backups", ["database_id", "made_at"])
    op.create_index("ix_backups_digest", "backups", ["digest"])
    op.create_table(
        "address_checks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("base_url", sa.String(length=300), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.String(length=32), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("certificate_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leads_to", sa.String(length=300), server_default=sa.text("''"), nullable=False),
        sa.Column("is_private", sa.Boolean(), nullable=True),
        sa.CheckConstraint(f"code IS NULL OR code IN ({CODES})", name=op.f("ck_address_checks_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_checks")),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("address_checks")
    op.drop_table("backups")
