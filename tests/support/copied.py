"""Where in a person's own copy each column about a person is, or why it is not there."""

from __future__ import annotations

COPIED = {
    "recipients": {
        "id": "recipient.id",
        "address": "recipient.address",
        "external_id": "recipient.external_id",
        "name": "recipient.name",
        "profile": "recipient.profile.company_name",
        "locale": "recipient.locale",
        "status": "recipient.status",
        "source": "recipient.source",
        "created_at": "recipient.created_at",
        "updated_at": "recipient.updated_at",
    },
    "choices": {
        "purpose_id": "choices.purpose",
        "training_id": "choices.training.title",
        "act": "choices.act",
        "basis": "choices.basis",
        "since": "choices.since",
        "entry_id": "choices.entry",
        "paused_at": "choices.paused_at",
        "paused_until": "choices.paused_until",
    },
    "ledger_entries": {
        "id": "history.entry",
        "purpose_id": "history.purpose",
        "training_id": "history.training.title",
        "act": "history.act",
        "basis": "history.basis",
        "method": "history.method",
        "actor": "history.actor",
        "actor_id": "history.actor_name",
        "notice_version_id": "history.notice_version",
        "locale": "history.locale",
        "occurred_at": "history.occurred_at",
        "recorded_at": "history.recorded_at",
        "paused_until": "history.paused_until",
        "reference": "history.message.reference",
    },
    "evidence": {"entry_id": "history.entry", "content": "history.evidence.sale_reference"},
    "stop_reasons": {
        "entry_id": "history.entry",
        "purpose_id": "history.purpose",
        "message_id": "history.message.reference",
        "reason": "history.reason",
    },
    "suppressions": {
        "reason": "suppressions.reason",
        "scope": "suppressions.scope",
        "purpose_id": "suppressions.purpose",
        "source": "suppressions.source",
        "created_at": "suppressions.since",
        "lifted_at": "suppressions.lifted_at",
    },
    "participants": {
        "training_id": "trainings.title",
        "added_at": "trainings.added_at",
        "notified_at": "trainings.notified_at",
    },
    "policy_notices": {
        "number": "policy_notices.number",
        "queued_at": "policy_notices.queued_at",
        "outcome": "policy_notices.outcome",
        "done_at": "policy_notices.done_at",
    },
    "rights_requests": {
        name: f"rights_requests.{name}"
        for name in (
            "reference",
            "kind",
            "state",
            "details",
            "locale",
            "received_at",
            "due_on",
            "extension_reason",
            "closed_at",
            "answer",
        )
    },
    "takedowns": {
        name: f"takedowns.{name}"
        for name in (
            "reference",
            "training_id",
            "url",
            "what",
            "note",
            "state",
            "requested_at",
            "closed_at",
            "answer",
        )
    },
    "address_changes": {
        name: f"address_changes.{name}"
        for name in (
            "new_address",
            "locale",
            "asked_at",
            "expires_at",
            "old_confirmed_at",
            "new_confirmed_at",
            "done_at",
            "cancelled_at",
        )
    },
    "confirmations": {
        "asked": "confirmations.asked",
        "locale": "confirmations.locale",
        "asked_at": "confirmations.asked_at",
        "expires_at": "confirmations.expires_at",
        "confirmed_at": "confirmations.confirmed_at",
        "cancelled_at": "confirmations.cancelled_at",
    },
    "sign_ups": {
        "form_key": "sign_ups.form_key",
        "address": "sign_ups.address",
        "name": "sign_ups.name",
        "asked": "sign_ups.purpose_keys",
        "locale": "sign_ups.locale",
        "asked_at": "sign_ups.asked_at",
        "expires_at": "sign_ups.expires_at",
        "confirmed_at": "sign_ups.confirmed_at",
    },
    "outbox_jobs": {
        "payload": "mails.template",
        "created_at": "mails.created_at",
        "done_at": "mails.done_at",
        "outcome": "mails.outcome",
    },
    "step_ups": {
        "attempts": "step_ups.wrong_codes",
        "asked_at": "step_ups.asked_at",
        "opened_at": "step_ups.opened_at",
        "ended_at": "step_ups.ended_at",
    },
    "change_events": {
        "type": "changes.type",
        "entry_id": "changes.entry",
        "data": "changes.data",
        "recorded_at": "changes.recorded_at",
    },
}
"""Where in the copy each column about a person is."""

NOT_COPIED = {
    "recipient_id": "the person's id, told once",
    "id": "a number of our own",
    "address_index": "a keyed hash of the address, which is told",
    "domain_index": "a keyed hash of the address's domain",
    "external_index": "a keyed hash of external_id",
    "new_index": "a keyed hash of new_address",
    "recipients.link_epoch": "a counter that makes old links stale",
    "recipients.erased_at": "an erased person cannot step up",
    "ledger_entries.evidence_digest": "a digest of the evidence, which is told",
    "choices.pause_entry_id": "the entry of the pause, told in the history",
    "stop_reasons.recorded_at": "the minute after the entry it belongs to",
    "outbox_jobs.kind": "always mail",
    "outbox_jobs.run_at": "when the worker tries",
    "outbox_jobs.claimed_until": "the worker's own",
    "policy_notices.job_id": "the worker's own",
    "outbox_jobs.attempts": "the worker's own",
    "step_ups.code_digest": "a digest of a code",
    "step_ups.session_digest": "a digest of the cookie's secret",
    "step_ups.expires_at": "half an hour after asked_at",
    "step_ups.link_purpose_id": "of the link that was followed: told on /me/why",
    "step_ups.link_message_id": "of the link that was followed: told on /me/why",
    "step_ups.link_issued_at": "of the link that was followed: told on /me/why",
}
"""A column, of one table or of all, that is not in the copy, and why."""

NOT_ABOUT_RECIPIENTS = {
    "import_parts": "pieces of uploaded files, as long as their import needs them; nobody is looked up in them",
    "idempotency_keys": "answers to mailers, kept for a day; nobody is looked up in them",
    "endpoints": "where mailers are called",
    "endpoint_secrets": "what signs calls to mailers",
    "webhook_deliveries": "the change events of the copy once more, on their way to each endpoint; kept for 30 days",
    "webhook_attempts": "what mailers' servers answered; kept for 30 days, answers about an erased person no longer",
}
