"""Endpoints that hear of changes, and what was tried with each.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-24 13:00:00

"""

from collections.abc import Sequence

revision: str = "0005"
down_revision: str | Sequence[str] | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
