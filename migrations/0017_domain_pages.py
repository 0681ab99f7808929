"""People of one domain are paged by key: the index that finds them holds their order too.

Revision ID: 0017
Revises: 0016
Create Date: 2026-11-24 16:20:00

"""

from collections.abc import Sequence

from alembic import op

revision: str = "0017"
down_revision: str | Sequence[str] | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Put the order into the index."""
    op.create_index("ix_recipients_domain_index_id", "recipients", ["domain_index", "id"])
    op.drop_index("ix_recipients_domain_index", table_name="recipients")


def downgrade() -> None:
    """Take it out again."""
    op.create_index("ix_recipients_domain_index", "recipients", ["domain_index"])
    op.drop_index("ix_recipients_domain_index_id", table_name="recipients")
