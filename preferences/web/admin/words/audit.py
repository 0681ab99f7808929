"""What the audit's codes mean, in words. A test holds both vocabularies complete."""

from __future__ import annotations

from flask_babel import lazy_gettext

from preferences.domain.audit import AuditAction, AuditObject

_ = lazy_gettext

ACTIONS = {
    AuditAction.SIGNED_IN: _("Signed in"),
    AuditAction.SIGNED_OUT: _("Signed out"),
    AuditAction.SIGN_IN_REFUSED: _("Failed to sign in"),
    AuditAction.SIGN_IN_LOCKED: _("Was kept out after too many attempts"),
    AuditAction.CONFIRMED_AGAIN: _("Proved once more who they are"),
    AuditAction.IDENTITY_LINKED: _("Signed in for the first time with an account of the identity provider"),
    AuditAction.IDENTITY_UNLINKED: _("Took an account of the identity provider away"),
    AuditAction.SINGLE_SIGN_ON_REFUSED: _("Was not let in by single sign-on"),
    AuditAction.PASSWORD_SET: _("Chose a password"),
    AuditAction.SECOND_FACTOR_SET: _("Enrolled an app"),
    AuditAction.SECOND_FACTOR_RESET: _("Reset the second factor"),
    AuditAction.APP_REMOVED: _("Removed the authenticator app"),
    AuditAction.PASSKEY_ADDED: _("Added a passkey"),
    AuditAction.PASSKEY_RENAMED: _("Renamed a passkey"),
    AuditAction.PASSKEY_REMOVED: _("Removed a passkey"),
    AuditAction.PASSKEY_COPIED: _("Was refused: the passkey seems to have been copied"),
    AuditAction.RECOVERY_CODES_MADE: _("Got recovery codes"),
    AuditAction.RECOVERY_CODE_USED: _("Used a recovery code"),
    AuditAction.SESSION_ENDED: _("Ended a session"),
    AuditAction.STAFF_CREATED: _("Added somebody to the staff"),
    AuditAction.STAFF_INVITED: _("Invited somebody"),
    AuditAction.STAFF_ROLE_CHANGED: _("Changed a role"),
    AuditAction.STAFF_DISABLED: _("Disabled somebody"),
    AuditAction.STAFF_ENABLED: _("Let somebody in again"),
    AuditAction.AUDIT_SEEN: _("Looked at the audit"),
    AuditAction.RECIPIENTS_SEARCHED: _("Searched among recipients"),
    AuditAction.RECIPIENT_SEEN: _("Looked at a recipient"),
    AuditAction.RECIPIENT_ADDED: _("Added a recipient"),
    AuditAction.RECIPIENT_CHANGED: _("Changed a recipient's data"),
    AuditAction.RECIPIENT_ERASED: _("Erased a recipient"),
    AuditAction.RECIPIENT_RESTRICTED: _("Restricted a recipient"),
    AuditAction.RECIPIENT_PREVIEWED: _("Looked at a recipient's page"),
    AuditAction.ACTED_ON_BEHALF: _("Recorded a choice on behalf of a recipient"),
    AuditAction.SUPPRESSION_SET: _("Stopped an address"),
    AuditAction.SUPPRESSION_LIFTED: _("Lifted the stop of an address"),
    AuditAction.LINK_SENT: _("Sent a recipient their link"),
    AuditAction.EVIDENCE_EXPORTED: _("Took a recipient's evidence"),
    AuditAction.DATA_EXPORTED: _("Exported data"),
    AuditAction.PURPOSE_ADDED: _("Added a purpose"),
    AuditAction.PURPOSE_CHANGED: _("Changed a purpose"),
    AuditAction.PURPOSE_ARCHIVED: _("Archived a purpose"),
    AuditAction.TEXT_SAVED: _("Saved a draft of a text"),
    AuditAction.TEXT_PUBLISHED: _("Published a text"),
    AuditAction.FORM_CHANGED: _("Changed a sign-up form"),
    AuditAction.TRAINING_ADDED: _("Added a training"),
    AuditAction.TRAINING_CHANGED: _("Changed a training"),
    AuditAction.TRAINING_CANCELLED: _("Cancelled a training"),
    AuditAction.TRAINING_RESUMED: _("Said that a cancelled training takes place after all"),
    AuditAction.CANCELLATION_SENT: _("Told participants that a training is cancelled"),
    AuditAction.PARTICIPANTS_CHANGED: _("Changed who takes part in a training"),
    AuditAction.PHOTO_NOTICE_SENT: _("Sent the notice before a training"),
    AuditAction.PHOTO_LIST_SEEN: _("Looked at a list for the photographer"),
    AuditAction.PHOTOS_CHECKED: _("Checked names before publishing"),
    AuditAction.TAKEDOWN_SEEN: _("Looked at a takedown"),
    AuditAction.TAKEDOWN_CHANGED: _("Worked on a takedown"),
    AuditAction.REQUEST_SEEN: _("Looked at a rights request"),
    AuditAction.REQUEST_REGISTERED: _("Registered a rights request"),
    AuditAction.REQUEST_IDENTITY_SET: _("Said who asks in a rights request"),
    AuditAction.REQUEST_CHANGED: _("Worked on a rights request"),
    AuditAction.REQUEST_EXTENDED: _("Extended a rights request"),
    AuditAction.REQUEST_ANSWERED: _("Answered a rights request"),
    AuditAction.IMPORT_UPLOADED: _("Uploaded an import"),
    AuditAction.IMPORT_APPLIED: _("Applied an import"),
    AuditAction.IMPORT_DISCARDED: _("Discarded an import"),
    AuditAction.IMPORT_SEEN: _("Looked at an import"),
    AuditAction.MAILER_CHANGED: _("Changed a mailer"),
    AuditAction.KEY_ISSUED: _("Issued an API key"),
    AuditAction.KEY_REVOKED: _("Revoked an API key"),
    AuditAction.ENDPOINT_CHANGED: _("Changed an endpoint"),
    AuditAction.EVENTS_REPLAYED: _("Sent events again"),
    AuditAction.POLICY_SAVED: _("Saved a draft of the privacy policy"),
    AuditAction.POLICY_PUBLISHED: _("Published the privacy policy"),
    AuditAction.POLICY_ANNOUNCED: _("Announced the privacy policy"),
    AuditAction.RETENTION_CHANGED: _("Changed a retention rule"),
    AuditAction.RETENTION_RUN: _("Ran the retention"),
    AuditAction.LEDGER_SEALED: _("Sealed the ledger"),
    AuditAction.LEDGER_VERIFIED: _("Verified the ledger"),
    AuditAction.SETTINGS_CHECKED: _("Ran the self-check"),
    AuditAction.TEST_MAIL_SENT: _("Asked for a test mail"),
    AuditAction.ADDRESS_CALLED: _("Had our own address called"),
    AuditAction.BURST_HANDLED: _("Handled a burst of opt-outs"),
}

OBJECTS = {
    AuditObject.NONE: "",
    AuditObject.STAFF: _("Staff"),
    AuditObject.SESSION: _("Session"),
    AuditObject.RECIPIENT: _("Recipient"),
    AuditObject.PURPOSE: _("Purpose"),
    AuditObject.NOTICE: _("Text version"),
    AuditObject.TRAINING: _("Training"),
    AuditObject.TAKEDOWN: _("Takedown"),
    AuditObject.REQUEST: _("Rights request"),
    AuditObject.IMPORT: _("Import"),
    AuditObject.MAILER: _("Mailer"),
    AuditObject.ENDPOINT: _("Endpoint"),
    AuditObject.FORM: _("Sign-up form"),
    AuditObject.POLICY: _("Privacy policy"),
    AuditObject.SUPPRESSION: _("Stopped address"),
    AuditObject.RULE: _("Retention rule"),
    AuditObject.BURST: _("Burst"),
}


def action_in_words(action: AuditAction) -> str:
    """What somebody did."""
    return str(ACTIONS[action])


def object_in_words(kind: AuditObject) -> str:
    """What it was done to."""
    return str(OBJECTS[kind])
