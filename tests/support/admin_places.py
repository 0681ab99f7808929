"""An address for every admin page, with something behind it: for whoever walks through all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Flask
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from preferences.domain.recipient_id import format_recipient_id, read_recipient_id
from preferences.models.endpoint import EndpointRow
from preferences.models.esp import EspHookRow
from preferences.models.import_batch import ImportBatchRow, ImportStage
from preferences.models.ledger import LedgerEntryRow
from preferences.models.mailer import ApiKeyRow, MailerRow
from preferences.models.photo import ParticipantRow, TakedownRow
from preferences.models.policy import PolicyVersionRow
from preferences.models.recipient import RecipientRow
from preferences.models.rights import RightsRequestRow
from preferences.models.seal import SealHeadRow
from preferences.models.sign_up import SignUpFormRow
from preferences.models.staff import StaffRow
from preferences.web.access import Access, declared_access

NEEDS = {
    "burst_page": ("burst",),
    "form_page": ("form",),
    "ask_to_close_form": ("form",),
    "import_page": ("applied",),
    "import_report": ("applied",),
    "ask_to_apply": ("planned",),
    "ask_to_discard": ("planned",),
    "show_columns": ("planned",),
    "purpose_page": ("purpose",),
    "ask_to_archive": ("purpose",),
    "preview_purpose": ("purpose",),
    "write_text": ("purpose",),
    "purpose_version": ("purpose", "version"),
    "policy_page": ("policy",),
    "ask_to_announce": ("policy",),
    "seal_head_page": ("head",),
    "one_of_staff": ("staff",),
    "request_page": ("request",),
    "request_letter": ("request",),
    "take_their_copy": ("copy", "request"),
    "takedown_page": ("takedown",),
}
"""By endpoint: what its arguments are of, where their names do not say it."""

NOT_WALKED = {
    "begin_sign_on_again": "there is no such page where single sign-on is not set up",
    "one_passkey": "whoever walks has no passkey",
    "ask_to_erase_as_asked": "the request that is shown asks for something else",
}
"""By endpoint: why there is nothing to show."""

ARGUMENTS = {
    "key": "mailer",
    "number": "endpoint",
    "provider": "provider",
    "prefix": "prefix",
    "public_id": "person",
    "training_id": "training",
    "entry": "entry",
    "what": "stop",
}


def admin_pages(app: Flask, session: Session, **known: Any) -> dict[str, str]:
    """Endpoint to path of every GET page for which one must be signed in. `known` is what is not to be looked up.

    Raises LookupError for a page whose arguments nobody has told of here.
    """
    found = {**things(session), **known}
    person = read_recipient_id(found["person"] or "")
    entry = select(func.max(LedgerEntryRow.id)).where(LedgerEntryRow.recipient_id == person)
    found["entry"] = session.scalar(entry)
    session.rollback()
    return dict(sorted(_paths(app, found)))


def things(session: Session) -> dict[str, Any]:
    """One of everything that pages are about; None of what there is none of."""
    hook = session.execute(select(EspHookRow.mailer_id, EspHookRow.provider).order_by(EspHookRow.id)).first()
    mailer_id = hook[0] if hook else 0
    crowd = select(ParticipantRow.training_id).group_by(ParticipantRow.training_id).order_by(func.count().desc())
    person = session.scalar(select(RecipientRow.id).where(RecipientRow.status == "active"))
    asked: dict[str, Select[Any]] = {
        "mailer": select(MailerRow.key).where(MailerRow.id == mailer_id),
        "endpoint": select(EndpointRow.id).where(EndpointRow.mailer_id == mailer_id),
        "prefix": select(ApiKeyRow.prefix).where(ApiKeyRow.mailer_id == mailer_id),
        "training": crowd,
        "form": select(SignUpFormRow.key),
        "applied": select(ImportBatchRow.id).where(ImportBatchRow.stage == ImportStage.APPLIED),
        "planned": select(ImportBatchRow.id).where(ImportBatchRow.stage == ImportStage.PLANNED),
        "policy": select(PolicyVersionRow.number).order_by(PolicyVersionRow.number.desc()),
        "head": select(SealHeadRow.number).order_by(SealHeadRow.number.desc()),
        "staff": select(StaffRow.id).order_by(StaffRow.id),
        "request": select(RightsRequestRow.reference).order_by(RightsRequestRow.id.desc()),
        "takedown": select(TakedownRow.reference).order_by(TakedownRow.id.desc()),
    }
    found = {name: session.scalar(wanted.limit(1)) for name, wanted in asked.items()}
    return {
        **found,
        "provider": hook and hook[1],
        "person": person and format_recipient_id(person),
        "purpose": "marketing",
        "version": 1,
        "burst": "0-0",
        "stop": "manual",
        "copy": "json",
    }


def _paths(app: Flask, found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    addresses = app.url_map.bind("preferences.example")
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if not rule.endpoint.startswith("admin.") or "GET" not in (rule.methods or ()):
            continue
        endpoint = rule.endpoint.removeprefix("admin.")
        if declared_access(view) is not Access.STAFF or endpoint in NOT_WALKED:
            continue
        names = sorted(rule.arguments)
        needed = NEEDS.get(endpoint) or tuple(ARGUMENTS.get(name, name) for name in names)
        values = {name: found.get(need) for name, need in zip(names, needed, strict=True)}
        if None in values.values():
            raise LookupError(f"tests/support/admin_places.py knows nothing to show at {rule.rule}: {values}")
        yield endpoint, addresses.build(rule.endpoint, values)
