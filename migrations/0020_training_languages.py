"""In which languages a training is held, and when its day or place was last changed.

Revision ID: 0020
Revises: 0019
Create Date: 2026-11-24 17:10:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | Sequence[str] | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the columns; trainings from before say nothing about languages, and nobody is called wrongly told."""
    op.add_column("trainings", sa.Column("languages", sa.String(200), server_default=sa.text("''"), nullable=False))
    op.add_column("trainings", sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Remove them."""
    op.execute("ALTER TABLE trainings DROP COLUMN moved_at")
    op.execute("ALTER TABLE trainings DROP COLUMN languages")
