"""Rights requests that staff enter: how they came, by whom, who asks and how that is known.

Revision ID: 0016
Revises: 0015
Create Date: 2026-11-24 16:20:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | Sequence[str] | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

NEW = ("channel", "entered_by", "identity", "identity_proof", "contact")


def upgrade() -> None:
    """Add the columns; somebody who is not known here can ask, too."""
    with op.batch_alter_table("rights_requests") as batch_op:
        batch_op.add_column(sa.Column("channel", sa.String(length=32), server_default="page", nullable=False))
        batch_op.add_column(sa.Column("entered_by", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("identity", sa.String(length=32), server_default="mailbox", nullable=False))
        batch_op.add_column(sa.Column("identity_proof", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("contact", sa.LargeBinary(), nullable=True))
        batch_op.alter_column("recipient_id", existing_type=sa.BigInteger(), nullable=True)
        batch_op.create_check_constraint(
            op.f("ck_rights_requests_channel"), "channel IN ('page', 'letter', 'telephone', 'mail', 'in_person')"
        )
        batch_op.create_check_constraint(
            op.f("ck_rights_requests_identity"), "identity IN ('mailbox', 'unchecked', 'confirmed')"
        )
        batch_op.create_check_constraint(
            op.f("ck_rights_requests_somebody"), "recipient_id IS NOT NULL OR entered_by IS NOT NULL"
        )


def downgrade() -> None:
    """Remove them, and with them what people asked whom the table can no longer name."""
    op.execute("DELETE FROM rights_requests WHERE recipient_id IS NULL")
    with op.batch_alter_table("rights_requests") as batch_op:
        for name in ("channel", "identity", "somebody"):
            batch_op.drop_constraint(op.f(f"ck_rights_requests_{name}"), type_="check")
        batch_op.alter_column("recipient_id", existing_type=sa.BigInteger(), nullable=False)
        for name in NEW:
            batch_op.drop_column(name)
