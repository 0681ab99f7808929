"""What a person can do once the mailbox has proved who they are: step-up, rights, photos, sign-up, reasons.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-24 09:00:00

"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | Sequence[str] | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the tables."""
    op.create_index(op.f("ix_change_events_recipient_id"), "change_events", ["recipient_id"], unique=False)
    op.create_table(
        "address_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("new_address", sa.LargeBinary(), nullable=True),
        sa.Column("new_index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("old_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("new_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_changes")),
    )
    with op.batch_alter_table("address_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_address_changes_new_index"), ["new_index"], unique=False)
        batch_op.create_index(batch_op.f("ix_address_changes_recipient_id"), ["recipient_id"], unique=False)

    op.create_table(
        "rights_requests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), server_default="open", nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("extension_reason", sa.LargeBinary(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('fulfilled', 'refused', 'withdrawn')) = (closed_at IS NOT NULL)",
            name=op.f("ck_rights_requests_closed"),
        ),
        sa.CheckConstraint(
            "kind IN ('access', 'correct', 'complete', 'erase', 'restrict', 'export', 'object', 'withdraw_storage', "
            "'other')",
            name=op.f("ck_rights_requests_kind"),
        ),
        sa.CheckConstraint(
            "state <> 'extended' OR extension_reason IS NOT NULL", name=op.f("ck_rights_requests_extension_has_reason")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'extended', 'fulfilled', 'refused', 'withdrawn')", name=op.f("ck_rights_requests_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rights_requests")),
        sa.UniqueConstraint("reference", name=op.f("uq_rights_requests_reference")),
    )
    with op.batch_alter_table("rights_requests", schema=None) as batch_op:
        batch_op.create_index("ix_rights_requests_due", ["state", "due_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_rights_requests_recipient_id"), ["recipient_id"], unique=False)

    op.create_table(
        "sign_up_forms",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("headings", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("purpose_keys", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_up_forms")),
        sa.UniqueConstraint("key", name=op.f("uq_sign_up_forms_key")),
    )
    op.create_table(
        "sign_ups",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("form_key", sa.String(length=64), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("address_index", sa.LargeBinary(length=16), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.Column("asked", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("locale", sa.String(length=16), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ups")),
    )
    with op.batch_alter_table("sign_ups", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_ups_address_index"), ["address_index"], unique=False)
        batch_op.create_index(batch_op.f("ix_sign_ups_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "step_ups",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("code_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("session_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("link_purpose_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("link_message_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("link_issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(opened_at IS NULL) = (session_digest IS NULL)", name=op.f("ck_step_ups_opened_has_session")
        ),
        sa.CheckConstraint("length(code_digest) = 32", name=op.f("ck_step_ups_code_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_ups")),
        sa.UniqueConstraint("session_digest", name=op.f("uq_step_ups_session_digest")),
    )
    with op.batch_alter_table("step_ups", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_step_ups_recipient_id"), ["recipient_id"], unique=False)

    op.create_table(
        "takedowns",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("training_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("url", sa.LargeBinary(), nullable=True),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=32), server_default="received", nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('done', 'refused')) = (closed_at IS NOT NULL)", name=op.f("ck_takedowns_closed")
        ),
        sa.CheckConstraint("state IN ('received', 'in_progress', 'done', 'refused')", name=op.f("ck_takedowns_state")),
        sa.CheckConstraint("what IN ('name', 'image', 'both')", name=op.f("ck_takedowns_what")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_takedowns")),
        sa.UniqueConstraint("reference", name=op.f("uq_takedowns_reference")),
    )
    with op.batch_alter_table("takedowns", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_takedowns_recipient_id"), ["recipient_id"], unique=False)

    op.create_table(
        "participants",
        sa.Column(
            "training_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("recipient_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["training_id"], ["trainings.id"], name=op.f("fk_participants_training_id_trainings")),
        sa.PrimaryKeyConstraint("training_id", "recipient_id", name=op.f("pk_participants")),
    )
    with op.batch_alter_table("participants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_participants_recipient_id"), ["recipient_id"], unique=False)

    op.create_table(
        "stop_reasons",
        sa.Column(
            "entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("purpose_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reason IN ('too_often', 'not_relevant', 'never_asked', 'changed_work', 'other')",
            name=op.f("ck_stop_reasons_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["ledger_entries.id"], name=op.f("fk_stop_reasons_entry_id_ledger_entries")
        ),
        sa.ForeignKeyConstraint(["purpose_id"], ["purposes.id"], name=op.f("fk_stop_reasons_purpose_id_purposes")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_stop_reasons")),
    )


def downgrade() -> None:
    """Remove them."""
    op.drop_table("stop_reasons")
    with op.batch_alter_table("participants", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_participants_recipient_id"))

    op.drop_table("participants")
    with op.batch_alter_table("takedowns", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_takedowns_recipient_id"))

    op.drop_table("takedowns")
    with op.batch_alter_table("step_ups", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_step_ups_recipient_id"))

    op.drop_table("step_ups")
    with op.batch_alter_table("sign_ups", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_ups_expires_at"))
        batch_op.drop_index(batch_op.f("ix_sign_ups_address_index"))

    op.drop_table("sign_ups")
    op.drop_table("sign_up_forms")
    with op.batch_alter_table("rights_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rights_requests_recipient_id"))
        batch_op.drop_index("ix_rights_requests_due")

    op.drop_table("rights_requests")
    with op.batch_alter_table("address_changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_address_changes_recipient_id"))
        batch_op.drop_index(batch_op.f("ix_address_changes_new_index"))

    op.drop_table("address_changes")
    op.drop_index(op.f("ix_change_events_recipient_id"), table_name="change_events")
