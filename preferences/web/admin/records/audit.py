"""The audit: what staff saw and did, newest first, filtered by the address of the page."""

from __future__ import annotations

from flask import render_template

from preferences.domain.audit import AuditAction, AuditObject, StaffId
from preferences.domain.roles import Permission
from preferences.queries.staff.audit import AuditFilter, audit_entries
from preferences.queries.staff.staff import all_staff
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked, asked_day, asked_number
from preferences.web.admin.guard import audited_read, needs
from preferences.web.admin.paging import BEFORE, ROWS, page_of
from preferences.web.admin.words.audit import action_in_words, object_in_words


@blueprint.get("/audit")
@access(Access.STAFF)
@needs(Permission.SEE_AUDIT)
def audit() -> str:
    """One page of it. Looking at it is in it."""
    wanted = _filter()
    with audited_read(AuditAction.AUDIT_SEEN) as session:
        found = audit_entries(session, wanted, before=asked_number(BEFORE), limit=ROWS + 1)
        people = all_staff(session)
    return render_template(
        "admin/audit.html",
        page=page_of(found, lambda one: one.id),
        wanted=wanted,
        since=asked("since"),
        until=asked("until"),
        people=[(str(one.id), one.name) for one in people],
        actions=sorted(((one.value, action_in_words(one)) for one in AuditAction), key=lambda pair: pair[1].casefold()),
        kinds=[(one.value, object_in_words(one)) for one in AuditObject if one is not AuditObject.NONE],
        in_words=action_in_words,
        object_in_words=object_in_words,
    )


def _filter() -> AuditFilter:
    """What the address asks for; what cannot be read is left out."""
    number, action, kind = asked_number("staff"), asked("action"), asked("object")
    return AuditFilter(
        staff_id=None if number is None else StaffId(number),
        action=AuditAction(action) if action in [*AuditAction] else None,
        object_kind=AuditObject(kind) if kind and kind in [*AuditObject] else None,
        object_id=asked_number("id"),
        since=asked_day("since"),
        until=asked_day("until", days_after=1),
    )
