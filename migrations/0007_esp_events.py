"""What ESPs report, kept as it came until it is worked through.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-24 13:00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | Sequence[str] | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "esp_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mailer_id", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("event_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("native", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.String(length=32), nullable=True),
        sa.Column("address_index", sa.LargeBinary(length=16), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=100), nullable=True),
        sa.CheckConstraint("length(event_key) = 16", name=op.f("ck_esp_events_event_key")),
        sa.CheckConstraint(
            "type IN ('queued', 'sent', 'deferred', 'delivered', 'bounced', 'rejected', 'failed', 'complained', "
            "'unsubscribed', 'subscribed', 'opened', 'clicked', 'autoresponded', 'inbound', 'unknown')",
            name=op.f("ck_esp_events_type"),
        ),
        sa.CheckConstraint("severity IS NULL OR severity IN ('hard', 'soft')", name=op.f("ck_esp_events_severity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_esp_events")),
        sa.UniqueConstraint(
            "mailer_id", "provider", "event_key", name=op.f("uq_esp_events_mailer_id_provider_event_key")
        ),
    )
    with op.batch_alter_table("esp_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_esp_events_address_index"), ["address_index"], unique=False)
        batch_op.create_index("ix_esp_events_due", ["done_at", "claimed_until"], unique=False)
        batch_op.create_index(batch_op.f("ix_esp_events_received_at"), ["received_at"], unique=False)

    op.create_table(
        "esp_hooks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mailer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("former_secrets", sa.LargeBinary(), nullable=True),
        sa.Column("former_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("purpose_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(former_secrets IS NULL) = (former_until IS NULL)", name=op.f("ck_esp_hooks_former")),
        sa.ForeignKeyConstraint(["mailer_id"], ["mailers.id"], name=op.f("fk_esp_hooks_mailer_id_mailers")),
        sa.ForeignKeyConstraint(["purpose_id"], ["purposes.id"], name=op.f("fk_esp_hooks_purpose_id_purposes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_esp_hooks")),
        sa.UniqueConstraint("mailer_id", "provider", name=op.f("uq_esp_hooks_mailer_id_provider")),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("esp_hooks")
    with op.batch_alter_table("esp_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_esp_events_received_at"))
        batch_op.drop_index("ix_esp_events_due")
        batch_op.drop_index(batch_op.f("ix_esp_events_address_index"))

    op.drop_table("esp_events")
