"""A burst of opt-outs that looks like a scanner: what it was, who is concerned, and the question that they can be asked."""

from __future__ import annotations

import re

from flask import abort, make_response, render_template, request
from flask_babel import gettext, lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.audit import AuditAction, AuditObject, AuditTarget
from preferences.domain.errors import Conflict
from preferences.domain.roles import Permission
from preferences.models.transaction import reading, transaction
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.messages import message_named
from preferences.queries.staff.bursts import MOST_SHOWN, Burst, burst_at, entries_in, is_handled
from preferences.services.choices.bursts import ask_people, leave_burst
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done, said
from preferences.web.admin.guard import audited_read, needs, shown_address, staff_id
from preferences.web.locale import request_locale
from preferences.web.plumbing import settings, utc_now

MESSAGES = {
    "asked": lazy_gettext("The people concerned are asked by mail, those who have not got several of our mails today."),
    "left": lazy_gettext("It no longer shows on Today. Every opt-out stays."),
    "already": lazy_gettext("Somebody has looked after this already. Nothing more was sent."),
}
_KEY = re.compile(r"(\d{1,18})-(\d{1,10})", re.ASCII)


@blueprint.get("/bursts/<key>")
@access(Access.STAFF)
@needs(Permission.SEE_RECIPIENTS)
def burst_page(key: str) -> str:
    """What happened, to whom, and what can be done."""
    with reading() as session:
        burst = _existing(session, key)
    target = AuditTarget(AuditObject.BURST, burst.minute)
    with audited_read(AuditAction.RECIPIENTS_SEARCHED, target, message=burst.message_id) as session:
        entries = entries_in(session, burst)
        known = catalogue(session)
        titles = {one.purpose.id: one.text(request_locale(), settings().default_locale).title for one in known.all()}
        message, is_over = message_named(session, burst.message_id), is_handled(session, burst)
    return render_template(
        "admin/today/burst.html",
        burst=burst,
        entries=entries,
        titles=titles,
        message=message,
        is_over=is_over,
        most=MOST_SHOWN,
        address=shown_address,
        done=said(MESSAGES),
    )


@blueprint.post("/bursts/<key>/ask")
@access(Access.STAFF)
@needs(Permission.ACT_ON_BEHALF)
def ask_burst(key: str) -> Response:
    """Mail the question, after saying what that means."""
    with reading() as session:
        burst = _existing(session, key)
    if request.form.get("sure") != "1":
        return _are_you_sure(burst)
    try:
        with transaction() as session:
            ask_people(session, burst, staff_id=staff_id(), now=utc_now())
    except Conflict:
        return done("admin.burst_page", "already", key=burst.key)
    return done("admin.burst_page", "asked", key=burst.key)


@blueprint.post("/bursts/<key>/leave")
@access(Access.STAFF)
@needs(Permission.ACT_ON_BEHALF)
def leave(key: str) -> Response:
    """Take it off Today and do nothing else."""
    with reading() as session:
        burst = _existing(session, key)
    try:
        with transaction() as session:
            leave_burst(session, burst, staff_id=staff_id(), now=utc_now())
    except Conflict:
        return done("admin.burst_page", "already", key=burst.key)
    return done("admin.burst_page", "left", key=burst.key)


def _existing(session: Session, key: str) -> Burst:
    """The burst with this name; 404 for every other text."""
    read = _KEY.fullmatch(key)
    found = burst_at(session, int(read[1]), int(read[2])) if read else None
    if found is None:
        abort(404)
    return found


def _are_you_sure(burst: Burst) -> Response:
    base = f"/admin/bursts/{burst.key}"
    page = render_template(
        "admin/are_you_sure.html",
        title=gettext("Ask these people whether it was them?"),
        happens=[
            gettext("Each of them gets one mail with the link to their own choices."),
            gettext("Nothing is turned on by it: whoever wants something back turns it on from their own mailbox."),
            gettext("Whoever has got several of our mails today, or has chosen anew since, gets none."),
        ],
        action=f"{base}/ask",
        button=gettext("Send the question"),
        back=base,
        reason="",
    )
    return make_response(page)
