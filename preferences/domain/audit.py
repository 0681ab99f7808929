"""The audit of staff: what was seen and done, by whom, to which object. Ids and codes only, never personal data (L14).

Words may be added, never changed or removed: rows that hold them are kept and cannot be rewritten.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

StaffId = NewType("StaffId", int)

MOST_REASON = 500
"""Characters of a reason."""


class AuditAction(StrEnum):
    """What somebody did. `…_seen` is a read of personal data."""

    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGN_IN_LOCKED = "sign_in_locked"
    CONFIRMED_AGAIN = "confirmed_again"
    IDENTITY_LINKED = "identity_linked"
    IDENTITY_UNLINKED = "identity_unlinked"
    SINGLE_SIGN_ON_REFUSED = "single_sign_on_refused"
    PASSWORD_SET = "password_set"  # noqa: S105 - a word of the vocabulary
    SECOND_FACTOR_SET = "second_factor_set"
    SECOND_FACTOR_RESET = "second_factor_reset"
    APP_REMOVED = "app_removed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_RENAMED = "passkey_renamed"
    PASSKEY_REMOVED = "passkey_removed"
    PASSKEY_COPIED = "passkey_copied"
    """Refused: its count went backwards, so there are two of it."""
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    SESSION_ENDED = "session_ended"
    STAFF_CREATED = "staff_created"
    STAFF_INVITED = "staff_invited"
    STAFF_ROLE_CHANGED = "staff_role_changed"
    STAFF_DISABLED = "staff_disabled"
    STAFF_ENABLED = "staff_enabled"
    AUDIT_SEEN = "audit_seen"
    RECIPIENTS_SEARCHED = "recipients_searched"
    RECIPIENT_SEEN = "recipient_seen"
    RECIPIENT_ADDED = "recipient_added"
    RECIPIENT_CHANGED = "recipient_changed"
    RECIPIENT_ERASED = "recipient_erased"
    RECIPIENT_RESTRICTED = "recipient_restricted"
    RECIPIENT_PREVIEWED = "recipient_previewed"
    ACTED_ON_BEHALF = "acted_on_behalf"
    SUPPRESSION_SET = "suppression_set"
    SUPPRESSION_LIFTED = "suppression_lifted"
    LINK_SENT = "link_sent"
    EVIDENCE_EXPORTED = "evidence_exported"
    DATA_EXPORTED = "data_exported"
    PURPOSE_ADDED = "purpose_added"
    PURPOSE_CHANGED = "purpose_changed"
    PURPOSE_ARCHIVED = "purpose_archived"
    TEXT_SAVED = "text_saved"
    TEXT_PUBLISHED = "text_published"
    FORM_CHANGED = "form_changed"
    TRAINING_ADDED = "training_added"
    TRAINING_CHANGED = "training_changed"
    TRAINING_CANCELLED = "training_cancelled"
    TRAINING_RESUMED = "training_resumed"
    CANCELLATION_SENT = "cancellation_sent"
    PARTICIPANTS_CHANGED = "participants_changed"
    PHOTO_NOTICE_SENT = "photo_notice_sent"
    PHOTO_LIST_SEEN = "photo_list_seen"
    PHOTOS_CHECKED = "photos_checked"
    TAKEDOWN_SEEN = "takedown_seen"
    TAKEDOWN_CHANGED = "takedown_changed"
    REQUEST_SEEN = "request_seen"
    REQUEST_REGISTERED = "request_registered"
    REQUEST_IDENTITY_SET = "request_identity_set"
    REQUEST_CHANGED = "request_changed"
    REQUEST_EXTENDED = "request_extended"
    REQUEST_ANSWERED = "request_answered"
    IMPORT_UPLOADED = "import_uploaded"
    IMPORT_APPLIED = "import_applied"
    IMPORT_DISCARDED = "import_discarded"
    IMPORT_SEEN = "import_seen"
    MAILER_CHANGED = "mailer_changed"
    KEY_ISSUED = "key_issued"
    KEY_REVOKED = "key_revoked"
    ENDPOINT_CHANGED = "endpoint_changed"
    EVENTS_REPLAYED = "events_replayed"
    POLICY_SAVED = "policy_saved"
    POLICY_PUBLISHED = "policy_published"
    POLICY_ANNOUNCED = "policy_announced"
    RETENTION_CHANGED = "retention_changed"
    RETENTION_RUN = "retention_run"
    LEDGER_SEALED = "ledger_sealed"
    LEDGER_VERIFIED = "ledger_verified"
    SETTINGS_CHECKED = "settings_checked"
    TEST_MAIL_SENT = "test_mail_sent"
    ADDRESS_CALLED = "address_called"
    BURST_HANDLED = "burst_handled"


class AuditObject(StrEnum):
    """What kind of thing an id in the audit is the number of."""

    NONE = ""
    STAFF = "staff"
    SESSION = "session"
    RECIPIENT = "recipient"
    PURPOSE = "purpose"
    NOTICE = "notice"
    TRAINING = "training"
    TAKEDOWN = "takedown"
    REQUEST = "request"
    IMPORT = "import"
    MAILER = "mailer"
    ENDPOINT = "endpoint"
    FORM = "form"
    POLICY = "policy"
    SUPPRESSION = "suppression"
    RULE = "rule"
    BURST = "burst"


@dataclass(frozen=True, slots=True)
class AuditTarget:
    """The object that something was done to; a kind alone where it was many or none."""

    kind: AuditObject = AuditObject.NONE
    id: int | None = None


NOTHING = AuditTarget()
