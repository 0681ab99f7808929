"""When a worker first saw each key of the service.

Revision ID: 0022
Revises: 0021
Create Date: 2026-11-24 17:45:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | Sequence[str] | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the table; of keys from before, only that they are at least as old as it is known."""
    op.create_table(
        "key_sightings",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=16), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('secret', 'link', 'data', 'seal', 'index')", name=op.f("ck_key_sightings_kind")),
        sa.CheckConstraint("length(fingerprint) = 16", name=op.f("ck_key_sightings_fingerprint")),
        sa.PrimaryKeyConstraint("kind", "fingerprint", name=op.f("pk_key_sightings")),
    )


def downgrade() -> None:
    """Remove it."""
    op.drop_table("key_sightings")
