"""What the marketing team plans for trainings and takedowns.

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-24 13:00:00

"""

from collections.abc import Sequence

revision: str = "0012"
down_revision: str | Sequence[str] | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
