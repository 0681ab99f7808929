"""Passkeys of staff, and the challenges that were answered.

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-24 16:00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | Sequence[str] | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "staff_passkeys",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("staff_id", SERIAL, nullable=False),
        sa.Column("credential_id", sa.LargeBinary(1023), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("transports", sa.String(100), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.CheckConstraint("length(credential_id) BETWEEN 1 AND 1023", name=op.f("ck_staff_passkeys_credential_id")),
        sa.CheckConstraint("sign_count >= 0", name=op.f("ck_staff_passkeys_sign_count")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_passkeys_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_staff_passkeys_credential_id")),
    )
    op.create_index(op.f("ix_staff_passkeys_staff_id"), "staff_passkeys", ["staff_id"])
    op.create_table(
        "staff_answered_challenges",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=False),
        sa.CheckConstraint("length(digest) = 32", name=op.f("ck_staff_answered_challenges_digest")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_staff_answered_challenges")),
    )
    op.create_index(op.f("ix_staff_answered_challenges_answered_at"), "staff_answered_challenges", ["answered_at"])


def downgrade() -> None:
    """Remove them. Whoever had a passkey alone enrols an app at the next sign-in."""
    op.drop_table("staff_answered_challenges")
    op.drop_table("staff_passkeys")
