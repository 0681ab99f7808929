"""The audit: what staff saw and did, newest first, filtered by the address of the page; taken out as CSV with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

from flask import Response as FlaskResponse
from flask import make_response, render_template, request, stream_with_context
from flask_babel import gettext
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, StaffId
from preferences.domain.recipient_id import format_recipient_id, read_recipient_id
from preferences.domain.roles import Permission
from preferences.integrations.csv_files import write_csv
from preferences.models.transaction import reading, snapshot, transaction
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.rights.rights_queue import request_by_reference
from preferences.queries.staff.audit import AuditEntry, AuditFilter, audit_entries, every_audit_entry
from preferences.queries.staff.staff import all_staff
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked, asked_day, asked_number, day_in_words, typed
from preferences.web.admin.guard import audited_read, fresh, needs, staff_id
from preferences.web.admin.menu import link_to
from preferences.web.admin.paging import BEFORE, ROWS, page_of
from preferences.web.admin.recipients.recipients import purpose_titles
from preferences.web.admin.words.audit import action_in_words, object_in_words
from preferences.web.admin.words.facts import Known, facts_in_words
from preferences.web.dates import local_date
from preferences.web.plumbing import utc_now

FILTERS = ("staff", "action", "object", "id", "since", "until")
COLUMNS = ("number", "recorded_at", "staff", "staff_name", "action", "object", "object_id", "reason", "data")


@blueprint.get("/audit")
@access(Access.STAFF)
@needs(Permission.SEE_AUDIT)
def audit() -> str:
    """One page of it. Looking at it is in it."""
    wanted = _filter()
    with audited_read(AuditAction.AUDIT_SEEN) as session:
        found = audit_entries(session, wanted, before=asked_number(BEFORE), limit=ROWS + 1)
        people, titles = all_staff(session), purpose_titles(catalogue(session))
    known = Known(staff={int(one.id): one.name for one in people}, purposes=titles)
    return render_template(
        "admin/records/audit.html",
        page=page_of(found, lambda one: one.id),
        wanted=wanted,
        chosen=_chosen(),
        people=[(str(one.id), one.name) for one in people],
        actions=sorted(((one.value, action_in_words(one)) for one in AuditAction), key=lambda pair: pair[1].casefold()),
        kinds=[(one.value, object_in_words(one)) for one in AuditObject if one is not AuditObject.NONE],
        in_words=action_in_words,
        object_in_words=object_in_words,
        facts=lambda one: facts_in_words(one.action, one.data, known),
        name_of=_name,
        address_of=_address,
    )


@blueprint.get("/audit/export")
@access(Access.STAFF)
@needs(Permission.EXPORT_DATA)
@fresh
def show_audit_export() -> Response:
    """What is about to be taken out: the filters stand in the address."""
    return _export_page()


@blueprint.post("/audit/export")
@access(Access.STAFF)
@needs(Permission.EXPORT_DATA)
@fresh
def export_audit() -> Response:
    """What the filters show, as CSV, streamed from one moment of the database, once it is on record."""
    wanted, reason, now = _filter(), typed("reason"), utc_now()
    if not reason:
        return _export_page(problem=gettext("Write the reason: it stands in the audit."))
    data = {"what": "audit", **_facts(wanted)}
    with transaction() as session:
        record_audit(session, staff_id(), AuditAction.DATA_EXPORTED, data=data, reason=reason, now=now)
    return FlaskResponse(
        stream_with_context(_written(wanted)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="audit-{now:%Y%m%d-%H%M}.csv"'},
    )


def _written(wanted: AuditFilter) -> Iterator[bytes]:
    with snapshot() as session:
        yield from write_csv(_rows(every_audit_entry(session, wanted)))


def _rows(entries: Iterator[AuditEntry]) -> Iterator[tuple[object, ...]]:
    yield COLUMNS
    for one in entries:
        yield (
            one.id,
            one.recorded_at.isoformat(),
            one.staff_id,
            one.staff_name,
            one.action.value,
            one.object_kind.value,
            _name(one),
            one.reason,
            json.dumps(dict(one.data), ensure_ascii=False, sort_keys=True) if one.data else "",
        )


def _export_page(*, problem: str = "") -> Response:
    chosen = {name: value for name, value in _chosen().items() if value}
    shown = _in_words(_filter())
    page = render_template(
        "admin/records/audit_export.html", chosen=chosen, shown=shown, reason=typed("reason"), problem=problem
    )
    return make_response(page, 422 if problem else 200)


def _filter() -> AuditFilter:
    """What the address asks for; what cannot be read is left out, but an object that nobody has is one without entries."""
    number, action = asked_number("staff"), asked("action")
    kind, object_id = _object()
    return AuditFilter(
        staff_id=None if number is None else StaffId(number),
        action=AuditAction(action) if action in [*AuditAction] else None,
        object_kind=kind,
        object_id=object_id,
        since=asked_day("since"),
        until=asked_day("until", days_after=1),
    )


def _facts(wanted: AuditFilter) -> dict[str, Any]:
    """The filters as they were understood, under the names they have in the address: what was typed may be an address (L14)."""
    until = wanted.until and wanted.until - timedelta(seconds=1)
    found = {
        "staff": wanted.staff_id,
        "action": wanted.action,
        "object": wanted.object_kind,
        "id": None if wanted.object_id is None else _named(wanted.object_kind, wanted.object_id),
        "since": wanted.since and local_date(wanted.since).isoformat(),
        "until": until and local_date(until).isoformat(),
    }
    return {name: value for name, value in found.items() if value is not None}


def _in_words(wanted: AuditFilter) -> list[tuple[str, str]]:
    """The filters as they were understood, for the person who is about to take the file."""
    with reading() as session:
        people = {int(one.id): one.name for one in all_staff(session)}
    words: dict[str, tuple[str, Callable[[Any], str]]] = {
        "staff": (gettext("Who"), lambda number: people.get(number, str(number))),
        "action": (gettext("What"), action_in_words),
        "object": (gettext("To what"), object_in_words),
        "id": (gettext("Which one"), str),
        "since": (gettext("From"), lambda day: day_in_words(date.fromisoformat(day))),
        "until": (gettext("To and including"), lambda day: day_in_words(date.fromisoformat(day))),
    }
    return [(words[name][0], words[name][1](value)) for name, value in _facts(wanted).items()]


def _object() -> tuple[AuditObject | None, int | None]:
    """The object: by its number, a recipient by the id of their page, a request by its reference."""
    text, kind = asked("id"), asked("object")
    number = asked_number("id")
    found = AuditObject(kind) if kind and kind in [*AuditObject] else None
    if number is not None and found is not AuditObject.RECIPIENT:
        return found, number
    recipient = read_recipient_id(text)
    if recipient is not None:
        return AuditObject.RECIPIENT, int(recipient)
    with reading() as session:
        request_named = request_by_reference(session, text)
    if request_named is not None:
        return AuditObject.REQUEST, request_named.id
    return found, None if not text else number or 0


def _chosen() -> dict[str, Any]:
    """The filters as the address has them."""
    return {name: asked(name) for name in FILTERS if name in request.args}


def _name(one: AuditEntry) -> str:
    """What an object is called elsewhere: a recipient by the id of their page, everything else by its number."""
    return "" if one.object_id is None else _named(one.object_kind, one.object_id)


def _named(kind: AuditObject | None, number: int) -> str:
    return format_recipient_id(number) if kind is AuditObject.RECIPIENT else str(number)


def _address(one: AuditEntry) -> str:
    """The page of an object, where it has one that can be named by what stands here."""
    if one.object_id is None:
        return ""
    match one.object_kind:
        case AuditObject.RECIPIENT:
            return link_to("admin.recipient_page", public_id=format_recipient_id(one.object_id))
        case AuditObject.STAFF:
            return link_to("admin.one_of_staff", number=one.object_id)
        case AuditObject.TRAINING:
            return link_to("admin.training_page", training_id=one.object_id)
        case AuditObject.IMPORT:
            return link_to("admin.import_page", import_id=one.object_id)
    return ""
