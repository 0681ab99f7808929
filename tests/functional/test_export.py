"""The person's own copy: complete, as documented, and nothing of anybody else (GDPR 15, 20; L8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from preferences.models import Base
from preferences.models.crypto import ENCRYPTED
from tests.factories import make_recipient
from tests.support.full_person import PROFILE, make_full_person
from tests.support.json_schema import violations
from tests.support.step_up import step_up

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
    "idempotency_keys": "answers to mailers, kept for a day; nobody is looked up in them",
}


@pytest.fixture
def copied(app: Flask, session: Session) -> dict[str, Any]:
    """Anna's copy, with something in every field."""
    answer = step_up(app, make_full_person(session)).client.get("/me/export.json")
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.data)
    return found


def _values(found: Any, path: str) -> list[Any]:
    """Everything at a path; lists are walked through."""
    for step in path.split("."):
        many = found if isinstance(found, list) else [found]
        found = [inner for one in many if one is not None for inner in _list(one.get(step))]
    return [one for one in found if one is not None] if isinstance(found, list) else [found]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_the_copy_is_what_the_schema_says(copied: dict[str, Any], root: Path) -> None:
    schema = json.loads((root / "docs" / "own-data.schema.json").read_text())
    assert list(violations(copied, schema)) == []
    assert copied.keys() == schema["properties"].keys()


def test_a_new_persons_copy_is_what_the_schema_says(app: Flask, session: Session, root: Path) -> None:
    copy = json.loads(step_up(app, make_recipient(session)).client.get("/me/export.json").data)
    assert list(violations(copy, json.loads((root / "docs" / "own-data.schema.json").read_text()))) == []


def test_the_validator_sees_what_does_not_fit(copied: dict[str, Any], root: Path) -> None:
    schema = json.loads((root / "docs" / "own-data.schema.json").read_text())
    del copied["history"][0]["wording"]
    copied["recipient"]["shoe_size"] = 38
    copied["made_at"] = "yesterday"
    assert len(list(violations(copied, schema))) == 3


def test_every_column_about_a_person_is_in_the_copy_or_has_a_reason() -> None:
    missing: list[str] = []
    for table in Base.metadata.sorted_tables:
        about = {"recipient_id", "address_index"} & set(table.columns.keys()) or table.name in COPIED
        encrypted = any(isinstance(column.type, ENCRYPTED) for column in table.columns)
        if table.name in NOT_ABOUT_RECIPIENTS or not (about or encrypted):
            continue
        known = COPIED.get(table.name, {})
        missing += [
            f"{table.name}.{name}"
            for name in (column.name for column in table.columns)
            if name not in known and name not in NOT_COPIED and f"{table.name}.{name}" not in NOT_COPIED
        ]
    assert missing == []


def test_every_column_that_is_said_to_be_in_the_copy_is_there(copied: dict[str, Any]) -> None:
    empty = [
        f"{table}.{column}"
        for table, columns in COPIED.items()
        for column, path in columns.items()
        if not _values(copied, path)
    ]
    assert empty == []


def test_values_are_those_that_are_stored(copied: dict[str, Any]) -> None:
    me = copied["recipient"]
    assert me["address"] == "Anna.Akesson@example.se"
    assert me["profile"] == PROFILE
    assert (me["name"], me["external_id"], me["locale"], me["source"]) == (
        "Anna Åkesson",
        "kund-10027",
        "sv",
        "api:newsletter",
    )
    shown = next(entry for entry in copied["history"] if entry["wording"])
    assert (shown["purpose"], shown["act"], shown["locale"], shown["wording"]["title"]) == (
        "surveys",
        "given",
        "sv",
        "Enkäter",
    )
    sale = next(entry for entry in copied["history"] if entry["evidence"])
    assert sale["evidence"] == {
        "source": "webshop",
        "sale_reference": "order 9",
        "similar_product": "valves",
        "opt_out_offered": True,
    }
    assert sale["actor_name"] == "Newsletter"
    assert [entry["entry"] for entry in copied["history"]] == sorted(
        (one["entry"] for one in copied["history"]), reverse=True
    )


def test_the_copy_holds_no_secret_and_nobody_else(app: Flask, session: Session) -> None:
    make_recipient(session, "bo@example.se", name="Bo Bengtsson")
    me = step_up(app, make_full_person(session))
    text = me.client.get("/me/export.json").get_data(as_text=True)
    assert "bo@example.se" not in text
    assert "Bengtsson" not in text
    assert "salt" not in json.loads(text)["history"][-1]["evidence"]
    assert "code" not in json.loads(text)["mails"][0]


def test_the_copy_is_a_download_that_no_cache_keeps(app: Flask, session: Session) -> None:
    answer = step_up(app, make_full_person(session)).client.get("/me/export.json")
    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="own-data-')
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_to_print_holds_everything_that_is_about_the_person(app: Flask, session: Session) -> None:
    page = step_up(app, make_full_person(session)).client.get("/me/print").get_data(as_text=True)
    for value in (
        *PROFILE.values(),
        "Anna Åkesson",
        "kund-10027",
        "order 9",
        "R-AAAA0001",
        "T-AAAA0001",
        "Svetskurs A",
    ):
        assert value.replace("<", "&lt;").replace(">", "&gt;") in page
