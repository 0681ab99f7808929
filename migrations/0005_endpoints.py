"""Endpoints that hear of changes, and what was tried with each.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-24 13:00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | Sequence[str] | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TYPES = (
    "type IN ('choice.changed', 'recipient.stopped', 'recipient.resumed', 'recipient.suppressed', 'recipient.erased', "
    "'recipient.restricted', 'recipient.address_changed', 'recipient.corrected', 'photo.objection_changed', "
    "'takedown.requested', 'policy.published')"
)
CODES = (
    "code IN ('delivered', 'failed', 'redirected', 'gone', 'busy', 'timed_out', 'certificate', 'unreachable', "
    "'private_address', 'internal')"
)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False)


def _endpoint_id(table: str) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    return (
        sa.Column("endpoint_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["endpoint_id"], ["endpoints.id"], name=op.f(f"fk_{table}_endpoint_id_endpoints")),
    )


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "endpoints",
        _id(),
        sa.Column("mailer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("url", sa.LargeBinary(), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("payload", sa.String(length=32), nullable=False),
        sa.Column("scheme", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("disabled_reason", sa.String(length=32), nullable=True),
        _moment("created_at"),
        _moment("updated_at"),
        _moment("disabled_at", nullable=True),
        _moment("failing_since", nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        _moment("held_until", nullable=True),
        sa.CheckConstraint("state IN ('enabled', 'disabled')", name=op.f("ck_endpoints_state")),
        sa.CheckConstraint(
            "disabled_reason IN ('mailer', 'operator', 'gone', 'failing')", name=op.f("ck_endpoints_disabled_reason")
        ),
        sa.CheckConstraint("payload IN ('thin', 'addresses')", name=op.f("ck_endpoints_payload")),
        sa.CheckConstraint("scheme IN ('v1', 'v1a')", name=op.f("ck_endpoints_scheme")),
        sa.CheckConstraint("(state = 'disabled') = (disabled_at IS NOT NULL)", name=op.f("ck_endpoints_disabled")),
        sa.ForeignKeyConstraint(["mailer_id"], ["mailers.id"], name=op.f("fk_endpoints_mailer_id_mailers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoints")),
    )
    op.create_index(op.f("ix_endpoints_mailer_id"), "endpoints", ["mailer_id"], unique=False)
    op.create_table(
        "endpoint_types",
        sa.Column("type", sa.String(length=32), nullable=False),
        *_endpoint_id("endpoint_types"),
        sa.CheckConstraint(TYPES, name=op.f("ck_endpoint_types_type")),
        sa.PrimaryKeyConstraint("type", "endpoint_id", name=op.f("pk_endpoint_types")),
    )
    op.create_table(
        "endpoint_secrets",
        _id(),
        *_endpoint_id("endpoint_secrets"),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        _moment("created_at"),
        _moment("expires_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoint_secrets")),
    )
    op.create_index(op.f("ix_endpoint_secrets_endpoint_id"), "endpoint_secrets", ["endpoint_id"], unique=False)
    op.create_table(
        "webhook_deliveries",
        _id(),
        sa.Column("endpoint_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("recipient_id", sa.BigInteger(), nullable=True),
        _moment("created_at"),
        _moment("next_at"),
        _moment("claimed_until", nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        _moment("done_at", nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.CheckConstraint("outcome IN ('delivered', 'given_up')", name=op.f("ck_webhook_deliveries_outcome")),
        sa.CheckConstraint("(outcome IS NULL) = (done_at IS NULL)", name=op.f("ck_webhook_deliveries_done")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    op.create_index("uq_webhook_deliveries_event", "webhook_deliveries", ["endpoint_id", "event_id"], unique=True)
    op.create_index(
        "ix_webhook_deliveries_order", "webhook_deliveries", ["recipient_id", "endpoint_id", "event_id"], unique=False
    )
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["endpoint_id", "next_at", "id"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "webhook_attempts",
        _id(),
        sa.Column("endpoint_id", sa.BigInteger(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        _moment("attempted_at"),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("excerpt", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(CODES, name=op.f("ck_webhook_attempts_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempts")),
    )
    op.create_index("ix_webhook_attempts_endpoint_id", "webhook_attempts", ["endpoint_id", "id"], unique=False)
    op.create_index(op.f("ix_webhook_attempts_delivery_id"), "webhook_attempts", ["delivery_id"], unique=False)
    op.create_index(op.f("ix_webhook_attempts_attempted_at"), "webhook_attempts", ["attempted_at"], unique=False)


def downgrade() -> None:
    """Remove them."""
    for table in ("webhook_attempts", "webhook_deliveries", "endpoint_secrets", "endpoint_types", "endpoints"):
        op.drop_table(table)
