"""Trainings can be cancelled, and those who take part are told of it.

Revision ID: 0024
Revises: 0023
Create Date: 2026-11-24 19:40:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | Sequence[str] | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the columns; trainings from before take place. A check of a column's own spares SQLite a copy of the table."""
    for name in ("cancelled_at", "resumed_at"):
        op.add_column("trainings", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "ALTER TABLE trainings ADD COLUMN cancellation_for VARCHAR(32) "
        "CONSTRAINT ck_trainings_cancellation_for CHECK (cancellation_for IN ('told', 'everybody')) "
        "CONSTRAINT ck_trainings_cancelled CHECK ((cancelled_at IS NULL) = (cancellation_for IS NULL))"
    )
    op.add_column("participants", sa.Column("cancellation_told_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Remove them."""
    op.execute("ALTER TABLE participants DROP COLUMN cancellation_told_at")
    for name in ("cancellation_for", "resumed_at", "cancelled_at"):
        op.execute(f"ALTER TABLE trainings DROP COLUMN {name}")
