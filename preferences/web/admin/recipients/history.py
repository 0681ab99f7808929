"""All that one person did or had done, and all that mailers were told of it, by pages, each entry with the words shown."""

from __future__ import annotations

from typing import Any

from flask import render_template

from preferences.domain.acts import Act
from preferences.domain.audit import AuditAction
from preferences.domain.roles import Permission
from preferences.queries.choices.history import history
from preferences.queries.mailers.told import changes_told
from preferences.queries.purposes.purposes import catalogue
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import asked_number, asked_word
from preferences.web.admin.guard import audited_read, needs, shown_address
from preferences.web.admin.paging import BEFORE, ROWS, page_of
from preferences.web.admin.words.words import staff_word

from .recipients import existing, languages, purpose_titles, target_of


@blueprint.get("/recipients/<public_id>/history")
@access(Access.STAFF)
@needs(Permission.SEE_RECIPIENTS)
def recipient_history(public_id: str) -> str:
    """Every act, newest first, narrowed to a purpose or an act where the address says so."""
    found, act, purpose = existing(public_id), asked_word(Act, "act"), asked_number("purpose")
    with audited_read(AuditAction.RECIPIENT_SEEN, target_of(found), part="history") as session:
        titles = purpose_titles(catalogue(session))
        wanted: dict[str, Any] = {"purpose_id": purpose if purpose in titles else None, "act": act}
        locale, default = languages()
        limits: dict[str, Any] = {"before": asked_number(BEFORE), "limit": ROWS + 1}
        entries = history(session, found.id, locale=locale, default_locale=default, **limits, **wanted)
    return render_template(
        "admin/recipients/recipient_history.html",
        one=found,
        address=shown_address(found.address),
        page=page_of(entries, lambda entry: entry.id),
        purposes=list(titles.items()),
        acts=[(one.value, staff_word("act", one)) for one in Act],
        wanted=wanted,
    )


@blueprint.get("/recipients/<public_id>/told")
@access(Access.STAFF)
@needs(Permission.SEE_RECIPIENTS)
def recipient_told(public_id: str) -> str:
    """Every change about them that was recorded for mailers, and who has got it when."""
    found = existing(public_id)
    with audited_read(AuditAction.RECIPIENT_SEEN, target_of(found), part="told") as session:
        titles = purpose_titles(catalogue(session))
        changes = changes_told(session, found.id, before=asked_number(BEFORE), limit=ROWS + 1)
    return render_template(
        "admin/recipients/recipient_told.html",
        one=found,
        address=shown_address(found.address),
        page=page_of(changes, lambda change: change.id),
        titles=titles,
    )
