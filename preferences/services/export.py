"""The person's own copy in JSON (GDPR 15(3), 20; L8): everything in queries.own_data, nothing left out, nothing derived.

docs/own-data.schema.json describes it; a test validates every copy it makes against that. Codes are those of the API.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from preferences.domain.recipient_id import format_recipient_id
from preferences.queries.choices.history import HistoryEntry, OwnTraining
from preferences.queries.mailers.mailers import MailerView
from preferences.queries.own_data.own_data import OwnChoice, OwnData

FORMAT = "own-data/1"
"""Named in every copy; a change that readers would notice gets the next number."""


@dataclass(frozen=True, slots=True)
class Controller:
    """Who is responsible for the data (GDPR 4(7))."""

    name: str
    address: str
    email: str


def export_own_data(
    data: OwnData, mailers: list[MailerView], *, controller: Controller, now: datetime
) -> dict[str, Any]:
    """The copy as JSON values: times in UTC as RFC 3339, dates as YYYY-MM-DD, absent things as null or empty lists."""
    return {
        "format": FORMAT,
        "made_at": _time(now),
        "controller": {"name": controller.name, "address": controller.address, "email": controller.email},
        "recipient": _recipient(data),
        "choices": [_choice(one) for one in data.choices],
        "history": [_entry(one) for one in data.history],
        "suppressions": [
            {
                "reason": one.reason,
                "scope": one.scope,
                "purpose": one.purpose_key,
                "source": one.source,
                "since": _time(one.since),
                "lifted_at": _time(one.lifted_at),
            }
            for one in data.suppressions
        ],
        "trainings": [
            {
                **_training(one.training),
                "place": one.place,
                "added_at": _time(one.added_at),
                "notified_at": _time(one.notified_at),
                "cancelled_at": _time(one.cancelled_at),
                "cancellation_told_at": _time(one.cancellation_told_at),
            }
            for one in data.trainings
        ],
        "rights_requests": [_fields(one) for one in data.requests],
        "takedowns": [_fields(one) for one in data.takedowns],
        "address_changes": [_fields(one) for one in data.address_changes],
        "confirmations": [
            {**_fields(one), "asked": [{"purpose": key, "act": act} for key, act in one.asked]}
            for one in data.confirmations
        ],
        "sign_ups": [_fields(one) for one in data.sign_ups],
        "mails": [_fields(one) for one in data.mails],
        "reports": [_fields(one) for one in data.reports],
        "policy_notices": [_fields(one) for one in data.policy_notices],
        "step_ups": [_fields(one) for one in data.step_ups],
        "changes": [
            {
                "type": one.type,
                "entry": one.entry_id,
                "data": dict(one.data),
                "recorded_at": _time(one.recorded_at),
            }
            for one in data.told
        ],
        "mailers": [{"key": one.key, "name": one.name} for one in mailers],
    }


def _recipient(data: OwnData) -> dict[str, Any]:
    one = data.recipient
    return {
        "id": format_recipient_id(one.id),
        "address": one.address,
        "external_id": one.external_id,
        "name": one.name,
        "profile": dict(one.profile),
        "locale": one.locale,
        "status": one.status,
        "source": one.source,
        "created_at": _time(one.created_at),
        "updated_at": _time(one.updated_at),
    }


def _choice(one: OwnChoice) -> dict[str, Any]:
    choice = one.choice
    return {
        "purpose": one.purpose_key,
        "title": one.title,
        "training": _training(one.training) if one.training else None,
        "act": choice.act,
        "basis": choice.basis,
        "since": _time(choice.since),
        "entry": choice.entry_id,
        "paused_at": _time(choice.paused_at),
        "paused_until": _time(choice.paused_until),
    }


def _entry(one: HistoryEntry) -> dict[str, Any]:
    message = one.message
    wording = one.wording
    return {
        "entry": one.id,
        "purpose": one.purpose_key,
        "training": _training(one.training) if one.training else None,
        "act": one.act,
        "basis": one.basis,
        "method": one.method,
        "actor": one.actor,
        "actor_name": one.actor_name,
        "occurred_at": _time(one.occurred_at),
        "recorded_at": _time(one.recorded_at),
        "paused_until": _time(one.paused_until),
        "notice_version": one.notice_number,
        "locale": one.locale,
        "wording": None
        if wording is None
        else {
            "title": wording.title,
            "what": wording.what,
            "why": wording.why,
            "who": wording.who,
            "how_long": wording.how_long,
        },
        "evidence": dict(one.evidence),
        "message": None if message is None else {"reference": message.reference, "mailer": message.mailer},
        "reason": one.reason,
    }


def _training(one: OwnTraining) -> dict[str, Any]:
    return {"title": one.title, "held_on": one.held_on.isoformat()}


def _fields(row: Any) -> dict[str, Any]:
    """A frozen row under the names of its own fields."""
    return {name: _value(getattr(row, name)) for name in row.__dataclass_fields__}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
