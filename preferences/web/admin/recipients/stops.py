"""Stops of an address that staff may set and end: their own, and that of an address that bounced and works again."""

from __future__ import annotations

from typing import Any

from flask import abort, make_response, render_template
from flask_babel import gettext
from werkzeug.wrappers import Response

from preferences.domain.recipient_id import format_recipient_id
from preferences.domain.roles import Permission
from preferences.domain.suppression import SuppressionReason
from preferences.models.transaction import transaction
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.staff_stops import ENDED_BY_STAFF, end_stop, stop_address
from preferences.web.access import Access, access
from preferences.web.admin import blueprint
from preferences.web.admin.answering import done, typed
from preferences.web.admin.guard import needs, staff_id
from preferences.web.plumbing import utc_now

from .recipients import existing


@blueprint.get("/recipients/<public_id>/stop")
@access(Access.STAFF)
@needs(Permission.ACT_ON_BEHALF)
def ask_to_stop(public_id: str) -> Response:
    """What it means, before it is done."""
    return _stop_page(_with_address(public_id))


@blueprint.post("/recipients/<public_id>/stop")
@access(Access.STAFF)
@needs(Permission.ACT_ON_BEHALF)
def stop_them(public_id: str) -> Response:
    """Stop every mail to the address, with a reason."""
    found, reason = _with_address(public_id), typed("reason")
    if not reason:
        return _stop_page(found, problem=gettext("Write the reason: it stands in the audit."))
    with transaction() as session:
        is_new = stop_address(session, found, reason=reason, staff_id=staff_id(), now=utc_now())
    return done("admin.recipient_page", "stopped" if is_new else "nothing", public_id=public_id)


@blueprint.get("/recipients/<public_id>/stops/<what>/end")
@access(Access.STAFF)
@needs(Permission.ACT_ON_BEHALF)
def ask_to_end_stop(public_id: str, what: str) -> Response:
    """What it means, before it is done."""
    return _end_page(_with_address(public_id), _stop(what))


@blueprint.post("/recipients/<public_id>/stops/<what>/end")
@access(Access.STAFF)
@needs(Permission.ACT_ON_BEHALF)
def end_their_stop(public_id: str, what: str) -> Response:
    """End it, with a reason."""
    found, stop, reason = _with_address(public_id), _stop(what), typed("reason")
    if not reason:
        return _end_page(found, stop, problem=gettext("Write the reason: it stands in the audit."))
    with transaction() as session:
        is_ended = end_stop(session, found, stop, reason=reason, staff_id=staff_id(), now=utc_now())
    return done("admin.recipient_page", "stop-ended" if is_ended else "nothing", public_id=public_id)


def _with_address(public_id: str) -> RecipientView:
    """The person; 404 for erased ones, who have no address that could be stopped."""
    found = existing(public_id)
    if found.address_index is None:
        abort(404)
    return found


def _stop(what: str) -> SuppressionReason:
    if what not in ENDED_BY_STAFF:
        abort(404)
    return SuppressionReason(what)


def _stop_page(found: RecipientView, *, problem: str = "") -> Response:
    happens = [
        gettext("Nothing at all is sent to the address, not even receipts, until somebody ends the stop."),
        gettext(
            "It is our stop, not the person's choice: their choices stay as they are. The mailers are told at once."
        ),
    ]
    title, button = gettext("Stop this address?"), gettext("Stop the address")
    return _sure(found, "stop", problem, title=title, happens=happens, button=button)


def _end_page(found: RecipientView, what: SuppressionReason, *, problem: str = "") -> Response:
    happens = [
        gettext("Mail may be sent again, as far as the person's own choices allow. Those stay as they are."),
        gettext("If the address bounces again, it is stopped again."),
    ]
    title, button = gettext("End the stop of this address?"), gettext("End the stop")
    return _sure(found, f"stops/{what.value}/end", problem, title=title, happens=happens, button=button)


def _sure(found: RecipientView, below: str, problem: str, **words: Any) -> Response:
    base = f"/admin/recipients/{format_recipient_id(found.id)}"
    page = render_template(
        "admin/are_you_sure.html", action=f"{base}/{below}", back=base, reason="required", problem=problem, **words
    )
    return make_response(page, 422 if problem else 200)
