"""Indexes for searches that few fit, and for what retention would remove.

Revision ID: 0023
Revises: 0022
Create Date: 2026-11-24 19:20:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | Sequence[str] | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

PARTIAL = (
    ("ix_ledger_entries_reference", "ledger_entries", ["reference"], "reference IS NOT NULL"),
    ("ix_recipients_status_id", "recipients", ["status", "id"], "status <> 'active'"),
    ("ix_webhook_deliveries_done_at", "webhook_deliveries", ["done_at"], "done_at IS NOT NULL"),
    ("ix_esp_events_payload", "esp_events", ["done_at"], "payload IS NOT NULL AND done_at IS NOT NULL"),
)
KIND = ("ix_ledger_entries_kind", "ledger_entries", ["method", "act", "purpose_id"])


def upgrade() -> None:
    """Add them. The one by kind of act stays empty on SQLite."""
    for name, table, columns, where in PARTIAL:
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_index(*KIND, sqlite_where=sa.text("recipient_id < 0"))


def downgrade() -> None:
    """Remove them."""
    for name, table, *_ in (KIND, *PARTIAL):
        op.drop_index(name, table_name=table)
