"""Words of the pages about records: what does not fit the seal, what retention keeps and removes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from preferences.domain.retention import Kind, RunSource
from preferences.services.ledger.verify_seal import Wrong

_ = lazy_gettext

RECORD_WORDS: dict[str, Mapping[Any, Any]] = {
    "seal_wrong": {
        Wrong.CHANGED: _("Changed after it was sealed, or the text that was shown with it was:"),
        Wrong.REMOVED: _("Sealed, and gone:"),
        Wrong.INSERTED: _("Put in where everything had been sealed already:"),
        Wrong.EVIDENCE: _("The evidence is not the one that was sealed:"),
        Wrong.TREE: _("From here on the sealed hashes do not make the signed root:"),
        Wrong.HEAD: _("Missing, not following the one before, or not signed by our key:"),
    },
    "retention": {
        Kind.UNUSED_RECIPIENTS: _("People without a consent, of whom nothing is heard"),
        Kind.EVIDENCE: _("Evidence of a choice that a later one has replaced"),
        Kind.RIGHTS_REQUESTS: _("Texts of rights requests and their answers"),
        Kind.TAKEDOWNS: _("Addresses, notes and answers of finished takedowns"),
        Kind.PARTICIPANTS: _("Who took part in a training"),
        Kind.AUDIT_REASONS: _("Reasons that staff wrote"),
        Kind.ADDRESS_CHANGES: _("Changes of address that came to nothing"),
        Kind.CONFIRMATIONS: _("What the mailbox never confirmed"),
        Kind.SIGN_UPS: _("Sign-ups"),
        Kind.STEP_UPS: _("Links and codes for people's own pages"),
        Kind.MAIL_JOBS: _("Our own mail, sent or given up"),
        Kind.IDEMPOTENCY_KEYS: _("Answers kept for mailers that repeat a call"),
        Kind.IMPORT_FILES: _("Uploaded files whose import was not finished"),
        Kind.IMPORT_REPORTS: _("Reports of finished imports, line by line"),
        Kind.WEBHOOKS: _("What was told to mailers, and their answers"),
        Kind.ESP_PAYLOADS: _("What mail services reported, as they sent it"),
        Kind.ESP_EVENTS: _("The memory of reported events, as hashes"),
        Kind.STAFF_SESSIONS: _("Sessions of staff"),
        Kind.SIGN_IN_FAILURES: _("Failed sign-ins"),
        Kind.LEDGER: _("The ledger: choices with random ids, and the texts shown"),
        Kind.SUPPRESSIONS: _("Hashes of addresses that must not be mailed"),
        Kind.CHANGE_EVENTS: _("The feed that mailers read: ids and codes"),
        Kind.POLICY_NOTICES: _("Who was told of which privacy policy: random ids"),
        Kind.AUDIT: _("The audit: ids and codes"),
    },
    "retention_from": {
        Kind.UNUSED_RECIPIENTS: _("the last act, change or training"),
        Kind.EVIDENCE: _("the choice that replaced it"),
        Kind.RIGHTS_REQUESTS: _("the answer"),
        Kind.TAKEDOWNS: _("the end of the case"),
        Kind.PARTICIPANTS: _("the day of the training"),
        Kind.AUDIT_REASONS: _("what was done"),
        Kind.ADDRESS_CHANGES: _("the question"),
        Kind.CONFIRMATIONS: _("the end of its link"),
        Kind.SIGN_UPS: _("the end of the link, seven days after the sign-up"),
        Kind.STEP_UPS: _("the request"),
        Kind.MAIL_JOBS: _("the mail"),
        Kind.IDEMPOTENCY_KEYS: _("the call"),
        Kind.IMPORT_FILES: _("the upload"),
        Kind.IMPORT_REPORTS: _("the end of the import"),
        Kind.WEBHOOKS: _("the delivery"),
        Kind.ESP_PAYLOADS: _("the day it was worked through"),
        Kind.ESP_EVENTS: _("the report"),
        Kind.STAFF_SESSIONS: _("their end"),
        Kind.SIGN_IN_FAILURES: _("the attempt"),
        Kind.LEDGER: "",
        Kind.SUPPRESSIONS: "",
        Kind.CHANGE_EVENTS: "",
        Kind.POLICY_NOTICES: "",
        Kind.AUDIT: "",
    },
    "retention_source": {
        RunSource.WORKER: _("The worker"),
        RunSource.COMMAND: _("A command"),
        RunSource.STAFF: _("Staff, from this page"),
    },
}
