"""`POST /p/<token>/saved/<save>/receipt`: a receipt of one save by mail, to the address on file, where the person wants it."""

from __future__ import annotations

import structlog
from flask import redirect
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from preferences.domain.errors import BadToken
from preferences.extensions import limiter
from preferences.models.transaction import transaction
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.choices.receipts import ReceiptMail, ask_for_receipt, receipt_asked
from preferences.services.choices.undo import entries_of_save, open_save
from preferences.web.access import Access, access
from preferences.web.locale import request_locale
from preferences.web.plumbing import signer, utc_now
from preferences.web.recipient import blueprint

from .opened import Reach, open_preferences

log = structlog.get_logger()

ASKED_PER_HOUR = "30 per hour"
"""For one client. What one person gets is limited by the service (T27)."""


@blueprint.post("/p/<token>/saved/<save>/receipt")
@access(Access.TOKEN)
@limiter.limit(ASKED_PER_HOUR)
def mail_receipt(token: str, save: str) -> Response:
    """Have the receipt mailed, and lead back to the page of the save."""
    now = utc_now()
    with transaction() as session:
        opened = open_preferences(session, token, now=now)
        claims = open_save(signer(), save)
        if claims.recipient_id != opened.recipient.id:
            raise BadToken
        ids = [entry.id for entry in entries_of_save(session, claims)]
        outcome = ReceiptMail.NOT_ASKED
        if opened.reach is Reach.FULL and ids:
            outcome = ask_for_receipt(session, opened.recipient.id, ids[0], ids[-1], locale=request_locale(), now=now)
    log.info("receipt_asked", outcome=outcome)
    path = opened.path("saved", save)
    if outcome is ReceiptMail.LIMITED:
        path += f"{'&' if '?' in path else '?'}receipt=limited"
    return redirect(f"{path}#receipt", code=303)


def receipt_of_save(
    session: Session, recipient: RecipientView, reach: Reach, save: str, *, is_limited: bool
) -> ReceiptMail | None:
    """What the page of a save says about its receipt; None where there is none to send."""
    if not save or reach is not Reach.FULL:
        return None
    ids = [entry.id for entry in entries_of_save(session, open_save(signer(), save))]
    if not ids:
        return None
    found = receipt_asked(session, recipient.id, ids[0])
    return ReceiptMail.LIMITED if is_limited and found is ReceiptMail.NOT_ASKED else found
