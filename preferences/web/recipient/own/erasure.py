"""`/me/erase` and `/me/storage`: what goes and what stays, and then the erasure itself (GDPR 17; L10, L18, L22)."""

from __future__ import annotations

import structlog
from flask import abort, redirect, render_template, request
from werkzeug.wrappers import Response

from preferences.domain.rights import RightsKind
from preferences.models.transaction import reading, transaction
from preferences.queries.own_data.own_data import own_requests
from preferences.queries.rights.rights import erasure_by_reference
from preferences.services.recipients.own_erasure import erase_own_data
from preferences.web.access import Access, access
from preferences.web.locale import keeping_language, request_locale, speak
from preferences.web.plumbing import utc_now
from preferences.web.recipient import blueprint
from preferences.web.session import CLOSED, ERASED, current_recipient, take_cookie_back

log = structlog.get_logger()

CONFIRMED = "erase"
"""What the button of the review page sends."""


@blueprint.get("/me/erase")
@access(Access.STEP_UP)
def own_erasure() -> str:
    """The review before erasing (WCAG 3.3.4): what goes, what stays. Changes nothing."""
    return _review(RightsKind.ERASE)


@blueprint.post("/me/erase")
@access(Access.STEP_UP)
def erase_everything() -> Response | str:
    """Erase at once."""
    return _erase(RightsKind.ERASE)


@blueprint.get("/me/storage")
@access(Access.STEP_UP)
def own_storage_consent() -> str:
    """The review before withdrawing the consent to storage, which leads to the same (L22)."""
    return _review(RightsKind.WITHDRAW_STORAGE)


@blueprint.post("/me/storage")
@access(Access.STEP_UP)
def withdraw_storage_consent() -> Response | str:
    """Withdraw the consent: erase at once, under this name."""
    return _erase(RightsKind.WITHDRAW_STORAGE)


@blueprint.get(f"{ERASED}/<reference>")
@access(Access.PUBLIC)
def erased(reference: str) -> str:
    """That it is done, read back from the database; whoever has the reference may see it, it tells nothing about the person."""
    with reading() as session:
        found = erasure_by_reference(session, reference)
    if found is None:
        abort(404)
    speak(found.locale)
    return render_template("recipient/erased.html", erasure=found)


def _review(kind: RightsKind) -> str:
    me = current_recipient()
    with reading() as session:
        waiting = [one for one in own_requests(session, me) if one.closed_at is None]
    return render_template("recipient/own/erase.html", recipient=me, kind=kind, waiting=waiting, value=CONFIRMED)


def _erase(kind: RightsKind) -> Response | str:
    if request.form.get("confirm") != CONFIRMED:
        return _review(kind)
    with transaction() as session:
        reference = erase_own_data(session, current_recipient().id, kind, locale=request_locale(), now=utc_now())
    log.info("erased_at_own_request", kind=kind)
    path = f"{ERASED}/{reference}" if reference else CLOSED
    return take_cookie_back(redirect(keeping_language(path), code=303))
