"""Staff, their second factors, sessions and the audit of what they saw and did.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-24 13:00:00

"""

from collections.abc import Sequence

revision: str = "0009"
down_revision: str | Sequence[str] | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
