"""`/`: «send me my link». The answer is the same whoever asks, and so is the work behind it (T27)."""

from __future__ import annotations

import structlog
from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from preferences.extensions import limiter
from preferences.models.transaction import transaction
from preferences.services.recipients.link_requests import request_link
from preferences.web.access import Access, access
from preferences.web.forms import AddressForm, messages
from preferences.web.locale import keeping_language, request_locale
from preferences.web.plumbing import utc_now
from preferences.web.recipient.choices.preference_form import MOST_BYTES

from . import blueprint

log = structlog.get_logger()

REQUESTS_PER_CLIENT = "10 per minute; 60 per hour"
"""An office shares an address; a mailing list of guesses does not fit in."""


@blueprint.get("/")
@access(Access.PUBLIC)
def landing() -> str:
    """The form that asks for a link."""
    return render_template("recipient/landing.html", form=None, errors=())


@blueprint.post("/")
@access(Access.PUBLIC)
@limiter.limit(REQUESTS_PER_CLIENT)
def send_link() -> Response | tuple[str, int]:
    """Mail a link to the address if it belongs to somebody we know; the answer does not tell."""
    request.max_content_length = MOST_BYTES
    form = AddressForm(request.form)
    if not form.validate() or form.parsed is None:
        return render_template("recipient/landing.html", form=form, errors=messages(form)), 422
    with transaction() as session:
        outcome = request_link(session, form.parsed, locale=request_locale(), now=utc_now())
    log.info("link_requested", outcome=outcome)
    return redirect(keeping_language("/sent"), code=303)


@blueprint.get("/sent")
@access(Access.PUBLIC)
def link_sent() -> str:
    """What happens next, the same for everybody."""
    return render_template("recipient/sent.html")
