"""How far each mailer has applied the change feed; which imports a worker holds.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-24 13:00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | Sequence[str] | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Give every change its place in the feed, and mailers a place to say how far they are."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION feed_shift() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::bigint'"
        )
        op.execute(
            "ALTER TABLE change_events ADD COLUMN feed_order bigint NOT NULL "
            "DEFAULT pg_current_xact_id()::text::bigint + feed_shift()"
        )
    else:
        op.execute("ALTER TABLE change_events ADD COLUMN feed_order bigint NOT NULL DEFAULT 0")
    op.create_index(
        "ix_change_events_feed", "change_events", ["feed_order", "id"], sqlite_where=sa.text("feed_order > 0")
    )
    op.create_table(
        "acknowledgements",
        sa.Column("mailer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("feed_order", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["mailer_id"], ["mailers.id"], name=op.f("fk_acknowledgements_mailer_id_mailers")),
        sa.PrimaryKeyConstraint("mailer_id", "feed_order", "event_id", name=op.f("pk_acknowledgements")),
    )
    op.add_column("import_batches", sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Remove them."""
    op.execute("ALTER TABLE import_batches DROP COLUMN claimed_until")
    op.drop_table("acknowledgements")
    op.drop_index("ix_change_events_feed", table_name="change_events")
    op.execute("ALTER TABLE change_events DROP COLUMN feed_order")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION feed_shift()")
