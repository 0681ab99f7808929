"""Initial schema: recipients, purposes, ledger, choices, suppressions, mailers, outbox.

Revision ID: 0001
Revises: 
Create Date: 2026-11-24 05:38:38.679498

"""
from collections.abc import Sequence

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision: str = '0001'
down_revision: str | Sequence[str] | None = None
branch_labels: str | Sequence[str] | None = ('default',)
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade schema."""
    op.create_table('change_events',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('type', sa.String(length=32), nullable=False),
    sa.Column('recipient_id', sa.BigInteger(), nullable=True),
    sa.Column('entry_id', sa.BigInteger(), nullable=True),
    sa.Column('data', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("type IN ('choice.changed', 'recipient.stopped', 'recipient.resumed', 'recipient.suppressed', 'recipient.erased', 'recipient.restricted', 'recipient.address_changed', 'recipient.corrected', 'photo.objection_changed', 'takedown.requested', 'policy.published')", name=op.f('ck_change_events_type')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_change_events'))
    )
    op.create_table('confirmations',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('recipient_id', sa.BigInteger(), nullable=False),
    sa.Column('asked', sa.JSON().with_variant(postgresql.JSONB(), 'postgresql'), nullable=False),
    sa.Column('locale', sa.String(length=16), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('cancelled_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_confirmations'))
    )
    with op.batch_alter_table('confirmations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_confirmations_recipient_id'), ['recipient_id'], unique=False)

    op.create_table('idempotency_keys',
    sa.Column('mailer_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('key', sa.String(length=200), nullable=False),
    sa.Column('request_digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('answer', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('mailer_id', 'key', name=op.f('pk_idempotency_keys'))
    )
    with op.batch_alter_table('idempotency_keys', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_idempotency_keys_created_at'), ['created_at'], unique=False)

    op.create_table('mailers',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mailers')),
    sa.UniqueConstraint('key', name=op.f('uq_mailers_key'))
    )
    op.create_table('messages',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('mailer_id', sa.BigInteger(), nullable=False),
    sa.Column('reference', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_messages')),
    sa.UniqueConstraint('mailer_id', 'reference', name=op.f('uq_messages_mailer_id_reference'))
    )
    op.create_table('outbox_jobs',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('recipient_id', sa.BigInteger(), nullable=True),
    sa.Column('payload', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('run_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('claimed_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.String(length=200), nullable=True),
    sa.CheckConstraint("kind IN ('mail')", name=op.f('ck_outbox_jobs_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox_jobs'))
    )
    with op.batch_alter_table('outbox_jobs', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_jobs_due', ['done_at', 'run_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_outbox_jobs_recipient_id'), ['recipient_id'], unique=False)

    op.create_table('purposes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('parent_id', sa.Integer(), nullable=True),
    sa.Column('about', sa.String(length=32), nullable=False),
    sa.Column('position', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("about IN ('mail', 'publication', 'everything')", name=op.f('ck_purposes_about')),
    sa.CheckConstraint('id BETWEEN 1 AND 65535', name=op.f('ck_purposes_id_fits_a_token')),
    sa.CheckConstraint('parent_id IS NULL OR parent_id <> id', name=op.f('ck_purposes_not_its_own_parent')),
    sa.ForeignKeyConstraint(['parent_id'], ['purposes.id'], name=op.f('fk_purposes_parent_id_purposes')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_purposes')),
    sa.UniqueConstraint('key', name=op.f('uq_purposes_key'))
    )
    op.create_table('recipients',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('address', sa.LargeBinary(), nullable=True),
    sa.Column('address_index', sa.LargeBinary(length=16), nullable=True),
    sa.Column('domain_index', sa.LargeBinary(length=16), nullable=True),
    sa.Column('external_id', sa.LargeBinary(), nullable=True),
    sa.Column('external_index', sa.LargeBinary(length=16), nullable=True),
    sa.Column('name', sa.LargeBinary(), nullable=True),
    sa.Column('profile', sa.LargeBinary(), nullable=True),
    sa.Column('locale', sa.String(length=16), nullable=True),
    sa.Column('status', sa.String(length=32), server_default='active', nullable=False),
    sa.Column('link_epoch', sa.SmallInteger(), server_default='1', nullable=False),
    sa.Column('source', sa.String(length=100), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(status = 'erased') = (address_index IS NULL)", name=op.f('ck_recipients_erased_has_no_address')),
    sa.CheckConstraint("status IN ('active', 'restricted', 'erased')", name=op.f('ck_recipients_status')),
    sa.CheckConstraint('id > 0', name=op.f('ck_recipients_id_positive')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recipients'))
    )
    with op.batch_alter_table('recipients', schema=None) as batch_op:
        batch_op.create_index('ix_recipients_domain_index', ['domain_index'], unique=False)
        batch_op.create_index('uq_recipients_address_index', ['address_index'], unique=True)
        batch_op.create_index('uq_recipients_external_index', ['external_index'], unique=True)

    op.create_table('suppressions',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('address_index', sa.LargeBinary(length=16), nullable=False),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('scope', sa.String(length=32), nullable=False),
    sa.Column('purpose_id', sa.Integer(), server_default='0', nullable=False),
    sa.Column('source', sa.String(length=100), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('lifted_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(scope = 'purpose') = (purpose_id > 0)", name=op.f('ck_suppressions_purpose_scope')),
    sa.CheckConstraint("reason IN ('hard_bounce', 'complaint', 'global_stop', 'erased', 'manual')", name=op.f('ck_suppressions_reason')),
    sa.CheckConstraint("scope IN ('all', 'informational', 'purpose')", name=op.f('ck_suppressions_scope')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suppressions')),
    sa.UniqueConstraint('address_index', 'reason', 'purpose_id', name=op.f('uq_suppressions_address_index_reason_purpose_id'))
    )
    op.create_table('trainings',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('place', sa.String(length=200), server_default='', nullable=False),
    sa.Column('held_on', sa.Date(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_trainings'))
    )
    op.create_table('api_keys',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('mailer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('prefix', sa.String(length=16), nullable=False),
    sa.Column('secret_hash', sa.LargeBinary(length=32), nullable=False),
    sa.Column('scopes', sa.String(length=500), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('length(secret_hash) = 32', name=op.f('ck_api_keys_secret_hash')),
    sa.ForeignKeyConstraint(['mailer_id'], ['mailers.id'], name=op.f('fk_api_keys_mailer_id_mailers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_keys')),
    sa.UniqueConstraint('prefix', name=op.f('uq_api_keys_prefix'))
    )
    with op.batch_alter_table('api_keys', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_keys_mailer_id'), ['mailer_id'], unique=False)

    op.create_table('choices',
    sa.Column('recipient_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('purpose_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('training_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('act', sa.String(length=32), nullable=True),
    sa.Column('basis', sa.String(length=32), nullable=True),
    sa.Column('since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('entry_id', sa.BigInteger(), nullable=True),
    sa.Column('paused_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('paused_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('pause_entry_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('(act IS NULL) = (entry_id IS NULL)', name=op.f('ck_choices_act_has_entry')),
    sa.CheckConstraint('(act IS NULL) = (since IS NULL)', name=op.f('ck_choices_act_has_since')),
    sa.CheckConstraint('(paused_at IS NULL) = (pause_entry_id IS NULL)', name=op.f('ck_choices_pause_has_entry')),
    sa.ForeignKeyConstraint(['purpose_id'], ['purposes.id'], name=op.f('fk_choices_purpose_id_purposes')),
    sa.PrimaryKeyConstraint('recipient_id', 'purpose_id', 'training_id', name=op.f('pk_choices'))
    )
    op.create_table('notice_versions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('purpose_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('lawful_basis', sa.String(length=32), nullable=False),
    sa.Column('customer_exception', sa.Boolean(), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("lawful_basis IN ('consent', 'soft_opt_in', 'legitimate_interest')", name=op.f('ck_notice_versions_lawful_basis')),
    sa.CheckConstraint('number > 0', name=op.f('ck_notice_versions_number_positive')),
    sa.ForeignKeyConstraint(['purpose_id'], ['purposes.id'], name=op.f('fk_notice_versions_purpose_id_purposes')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice_versions')),
    sa.UniqueConstraint('purpose_id', 'number', name=op.f('uq_notice_versions_purpose_id_number'))
    )
    op.create_table('ledger_entries',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('recipient_id', sa.BigInteger(), nullable=False),
    sa.Column('purpose_id', sa.Integer(), nullable=False),
    sa.Column('training_id', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('act', sa.String(length=32), nullable=False),
    sa.Column('basis', sa.String(length=32), nullable=True),
    sa.Column('method', sa.String(length=32), nullable=False),
    sa.Column('actor', sa.String(length=32), nullable=False),
    sa.Column('actor_id', sa.BigInteger(), nullable=True),
    sa.Column('notice_version_id', sa.Integer(), nullable=True),
    sa.Column('locale', sa.String(length=16), nullable=True),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('paused_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reference', sa.BigInteger(), nullable=True),
    sa.Column('evidence_digest', sa.LargeBinary(length=32), nullable=True),
    sa.CheckConstraint("(act = 'paused') = (paused_until IS NOT NULL)", name=op.f('ck_ledger_entries_paused_until')),
    sa.CheckConstraint("act IN ('given', 'refused', 'withdrawn', 'objected', 'objection_lifted', 'paused', 'resumed', 'revoked')", name=op.f('ck_ledger_entries_act')),
    sa.CheckConstraint("actor IN ('recipient', 'mailer', 'staff', 'esp', 'system')", name=op.f('ck_ledger_entries_actor')),
    sa.CheckConstraint("basis IS NULL OR basis IN ('consent', 'soft_opt_in', 'legitimate_interest')", name=op.f('ck_ledger_entries_basis')),
    sa.CheckConstraint("method IN ('one_click', 'unsubscribe_page', 'preference_page', 'mailto', 'double_opt_in', 'import', 'api', 'staff', 'esp')", name=op.f('ck_ledger_entries_method')),
    sa.CheckConstraint('training_id >= 0', name=op.f('ck_ledger_entries_training_id')),
    sa.ForeignKeyConstraint(['notice_version_id'], ['notice_versions.id'], name=op.f('fk_ledger_entries_notice_version_id_notice_versions')),
    sa.ForeignKeyConstraint(['purpose_id'], ['purposes.id'], name=op.f('fk_ledger_entries_purpose_id_purposes')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_entries'))
    )
    with op.batch_alter_table('ledger_entries', schema=None) as batch_op:
        batch_op.create_index('ix_ledger_entries_recipient_id_purpose_id', ['recipient_id', 'purpose_id'], unique=False)

    op.create_table('notice_texts',
    sa.Column('notice_version_id', sa.Integer(), nullable=False),
    sa.Column('locale', sa.String(length=16), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('who', sa.Text(), nullable=False),
    sa.Column('how_long', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['notice_version_id'], ['notice_versions.id'], name=op.f('fk_notice_texts_notice_version_id_notice_versions')),
    sa.PrimaryKeyConstraint('notice_version_id', 'locale', name=op.f('pk_notice_texts'))
    )
    op.create_table('evidence',
    sa.Column('entry_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('recipient_id', sa.BigInteger(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['entry_id'], ['ledger_entries.id'], name=op.f('fk_evidence_entry_id_ledger_entries')),
    sa.PrimaryKeyConstraint('entry_id', name=op.f('pk_evidence'))
    )
    with op.batch_alter_table('evidence', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_evidence_recipient_id'), ['recipient_id'], unique=False)



def downgrade() -> None:
    """Downgrade schema."""
    with op.batch_alter_table('evidence', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_evidence_recipient_id'))

    op.drop_table('evidence')
    op.drop_table('notice_texts')
    with op.batch_alter_table('ledger_entries', schema=None) as batch_op:
        batch_op.drop_index('ix_ledger_entries_recipient_id_purpose_id')

    op.drop_table('ledger_entries')
    op.drop_table('notice_versions')
    op.drop_table('choices')
    with op.batch_alter_table('api_keys', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_api_keys_mailer_id'))

    op.drop_table('api_keys')
    op.drop_table('trainings')
    op.drop_table('suppressions')
    with op.batch_alter_table('recipients', schema=None) as batch_op:
        batch_op.drop_index('uq_recipients_external_index')
        batch_op.drop_index('uq_recipients_address_index')
        batch_op.drop_index('ix_recipients_domain_index')

    op.drop_table('recipients')
    op.drop_table('purposes')
    with op.batch_alter_table('outbox_jobs', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_outbox_jobs_recipient_id'))
        batch_op.drop_index('ix_outbox_jobs_due')

    op.drop_table('outbox_jobs')
    op.drop_table('messages')
    op.drop_table('mailers')
    with op.batch_alter_table('idempotency_keys', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_idempotency_keys_created_at'))

    op.drop_table('idempotency_keys')
    with op.batch_alter_table('confirmations', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_confirmations_recipient_id'))

    op.drop_table('confirmations')
    op.drop_table('change_events')
