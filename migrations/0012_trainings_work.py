"""What the marketing team plans for trainings and takedowns.

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-24 13:00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | Sequence[str] | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Give takedowns somebody who sees to them, a day, and the proof that what was published is gone."""
    op.add_column("takedowns", sa.Column("assigned_to", sa.BigInteger(), nullable=True))
    op.add_column("takedowns", sa.Column("due_on", sa.Date(), nullable=True))
    op.add_column("takedowns", sa.Column("proof", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Remove them."""
    for name in ("proof", "due_on", "assigned_to"):
        op.execute(f"ALTER TABLE takedowns DROP COLUMN {name}")
