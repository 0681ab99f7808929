"""Accounts of an identity provider that staff sign in with, and the rounds to it that were finished.

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-24 16:00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | Sequence[str] | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "staff_identities",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("staff_id", SERIAL, nullable=False),
        sa.Column("issuer", sa.String(1000), nullable=False),
        sa.Column("identity_index", sa.LargeBinary(16), nullable=False),
        sa.Column("linked_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=False),
        sa.CheckConstraint("length(identity_index) = 16", name=op.f("ck_staff_identities_identity_index")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_identities_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_identities")),
        sa.UniqueConstraint("identity_index", name=op.f("uq_staff_identities_identity_index")),
        sa.UniqueConstraint("staff_id", "issuer", name=op.f("uq_staff_identities_staff_id_issuer")),
    )
    op.create_table(
        "finished_rounds",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("finished_at", MOMENT, nullable=False),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_finished_rounds_digest")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_finished_rounds")),
    )
    op.create_index(op.f("ix_finished_rounds_finished_at"), "finished_rounds", ["finished_at"])


def downgrade() -> None:
    """Remove them."""
    op.drop_table("finished_rounds")
    op.drop_table("staff_identities")
