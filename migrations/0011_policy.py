"""Versions of the privacy policy, and who was told of a major change.

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-24 13:00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | Sequence[str] | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What makes a row itself, per table: SQLite's INSERT OR REPLACE fires no trigger on DELETE (see 0002).
SAME_ROW = {
    "policy_versions": "number = NEW.number",
    "policy_texts": "number = NEW.number AND locale = NEW.locale",
}


def upgrade() -> None:
    """Add the tables; versions and their texts only grow."""
    op.create_table(
        "policy_versions",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("weight", sa.String(length=32), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_policy_versions_number_positive")),
        sa.CheckConstraint("weight IN ('minor', 'major')", name=op.f("ck_policy_versions_weight")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_policy_versions")),
    )
    op.create_table(
        "policy_texts",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["policy_versions.number"], name=op.f("fk_policy_texts_number_policy_versions")
        ),
        sa.PrimaryKeyConstraint("number", "locale", name=op.f("pk_policy_texts")),
    )
    op.create_table(
        "policy_announcements",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["number"], ["policy_versions.number"], name=op.f("fk_policy_announcements_number_policy_versions")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_policy_announcements")),
    )
    op.create_table(
        "policy_notices",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=200), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["number"], ["policy_announcements.number"], name=op.f("fk_policy_notices_number_policy_announcements")
        ),
        sa.PrimaryKeyConstraint("number", "recipient_id", name=op.f("pk_policy_notices")),
    )
    op.create_index("ix_policy_notices_open", "policy_notices", ["number", "outcome"])
    op.create_index(op.f("ix_policy_notices_recipient_id"), "policy_notices", ["recipient_id"])
    for table in SAME_ROW:
        _guard(table)


def _guard(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {SAME_ROW[table]}) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
        return
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Remove them."""
    for table in ("policy_notices", "policy_announcements", "policy_texts", "policy_versions"):
        op.drop_table(table)
