"""The ledger counted by day, for numbers over a long time; what mail services reported, by hook and of the types counted.

Revision ID: 0021
Revises: 0020
Create Date: 2026-11-24 16:00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | Sequence[str] | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

REPORTED = "type IN ('bounced', 'complained')"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "numbers_counted",
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_entry_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("zone", name=op.f("pk_numbers_counted")),
    )
    op.create_table(
        "daily_acts",
        sa.Column("day_began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purpose_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_daily_acts_number")),
        sa.ForeignKeyConstraint(["purpose_id"], ["purposes.id"], name=op.f("fk_daily_acts_purpose_id_purposes")),
        sa.PrimaryKeyConstraint("day_began_at", "purpose_id", "act", "method", name=op.f("pk_daily_acts")),
    )
    op.create_table(
        "daily_opt_outs",
        sa.Column("day_began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purpose_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_daily_opt_outs_number")),
        sa.ForeignKeyConstraint(["purpose_id"], ["purposes.id"], name=op.f("fk_daily_opt_outs_purpose_id_purposes")),
        sa.PrimaryKeyConstraint("day_began_at", "purpose_id", "message_id", name=op.f("pk_daily_opt_outs")),
    )

    op.create_index("ix_esp_events_hook", "esp_events", ["mailer_id", "provider", "received_at", "id"])
    op.create_index(
        "ix_esp_events_reported",
        "esp_events",
        ["received_at", "type"],
        sqlite_where=sa.text(REPORTED),
        postgresql_where=sa.text(REPORTED),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_index("ix_esp_events_reported", table_name="esp_events")
    op.drop_index("ix_esp_events_hook", table_name="esp_events")
    op.drop_table("daily_opt_outs")
    op.drop_table("daily_acts")
    op.drop_table("numbers_counted")
