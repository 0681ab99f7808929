"""The seal of the ledger: its signed heads, what waits to be sealed, and whether everything still is what was sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort, render_template
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.audit import NOTHING, AuditAction
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, snapshot, transaction
from preferences.queries.ledger.seal import (
    StoredHead,
    covering_head,
    head_by_number,
    newest_head,
    newest_heads,
    waiting_for_seal,
)
from preferences.queries.staff.audit import AuditFilter, audit_entries
from preferences.services.ledger.sealing import EVERY, MANY, SealKeys, is_signed
from preferences.services.ledger.verify_newest import MOST_ENTRIES, NewestVerified, verify_newest
from preferences.services.staff.audit import record_audit
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import LARGEST_ID, asked_number, done, said
from preferences.web.admin.guard import needs, staff_id
from preferences.web.admin.paging import BEFORE, ROWS, page_of
from preferences.web.plumbing import settings, utc_now
from preferences.web.seals import LARGEST

MESSAGES = {
    "verified": lazy_gettext("The newest part of the ledger has been read and compared with its seal."),
    "nothing": lazy_gettext("There is nothing to verify before the first seal."),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Entries that no head covers yet; `count` ends at MANY. `due_at`: when they are sealed at the latest, None: any moment."""

    count: int
    oldest_at: datetime | None
    due_at: datetime | None
    is_late: bool


@blueprint.get("/seals")
@access(Access.STAFF)
@needs(Permission.SEE_AUDIT)
def seals() -> str:
    """Every head, newest first; `?entry=` finds the one that first covers an entry."""
    entry = asked_number("entry")
    with reading() as session:
        last = newest_head(session)
        before = asked_number(BEFORE)
        found = newest_heads(session, ROWS + 1, before=min(before, LARGEST) if before is not None else None)
        waiting = waiting_of(session, last, now=utc_now())
        covering = covering_head(session, min(entry, LARGEST_ID)) if entry is not None else None
        verified = last_verified(session)
    return render_template(
        "admin/records/seals.html",
        page=page_of(found, lambda one: one.signed.head.number),
        waiting=waiting,
        verified=verified,
        most=MOST_ENTRIES,
        many=MANY,
        entry=entry,
        covering=covering.signed.head.number if covering else None,
        done=said(MESSAGES),
    )


@blueprint.get("/seals/<int:number>")
@access(Access.STAFF)
@needs(Permission.SEE_AUDIT)
def seal_head_page(number: int) -> str:
    """One head with everything that is signed, and whether it follows the one before."""
    if not 0 < number <= LARGEST:
        abort(404)
    with reading() as session:
        found = head_by_number(session, number)
        before = head_by_number(session, number - 1)
        newest = newest_head(session)
    if found is None or newest is None:
        abort(404)
    head = found.signed.head
    previous = before.signed.head.digest if before else None
    return render_template(
        "admin/records/seal_head.html",
        head=head,
        signature=found.signed.signature,
        before=before.signed.head if before else None,
        is_newest=head.number == newest.signed.head.number,
        follows=head.previous == previous and (before is not None or head.number == 1),
        is_signed=is_signed(head, found.signed.signature, head.public_key),
        is_ours=head.public_key in _keys().public,
        is_endorsed=before is not None
        and found.signed.endorsement is not None
        and is_signed(head, found.signed.endorsement, before.signed.head.public_key),
    )


@blueprint.post("/seals/verify")
@access(Access.STAFF)
@needs(Permission.SEE_AUDIT)
def verify_seals() -> Response:
    """Read the newest part now. What was found stands in the audit, and from there on the page."""
    with snapshot() as session:
        found = verify_newest(session, _keys().public)
    if found is None:
        return done("admin.seals", "nothing")
    with transaction() as session:
        record_audit(session, staff_id(), AuditAction.LEDGER_VERIFIED, NOTHING, data=_facts(found), now=utc_now())
    return done("admin.seals", "verified")


def waiting_of(session: Session, last: StoredHead | None, *, now: datetime) -> Waiting:
    """What is not sealed yet, and until when that is as it should be."""
    count, oldest = waiting_for_seal(session, after=last.settled_entry_id if last else 0, most=MANY)
    due = None if last is None or count >= MANY else last.signed.head.sealed_at + EVERY
    since = max((one for one in (due, oldest) if one is not None), default=None)
    return Waiting(count, oldest, due, since is not None and count > 0 and now - since > EVERY / 12)


def last_verified(session: Session) -> Any:
    """The last verification from these pages, as the audit has it; None before the first."""
    return next(
        iter(audit_entries(session, AuditFilter(action=AuditAction.LEDGER_VERIFIED), before=None, limit=1)), None
    )


def _facts(verified: NewestVerified) -> dict[str, Any]:
    """Numbers and codes for the audit."""
    found = verified.found
    return {
        "first_head": (verified.after or 0) + 1,
        "last_head": verified.newest,
        "entries": found.sealed,
        "findings": found.count,
        "found": [[one.wrong.value, one.entry, one.head] for one in found.findings],
    }


def _keys() -> SealKeys:
    return SealKeys(settings().seal_keys)
