"""Erases a person at their own request, and mails them the receipt (GDPR 17; L10, L18, L22).

The receipt has to reach an address that is forgotten in the same transaction. So its job, alone of all, holds the address in
its encrypted payload; the worker empties the payload when the mail is sent or given up (about 20 hours at most).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.rights import RightsKind
from preferences.queries.recipients.recipients import recipient_by_id
from preferences.queries.rights.rights import erasure_of
from preferences.services.outbox.outbox import enqueue_mail
from preferences.services.rights.rights import lock_recipient, record_done

from .erasure import erase_recipient

TEMPLATE = "erased"
SOURCE = "page"


def erase_own_data(
    session: Session, recipient_id: RecipientId, kind: RightsKind, *, locale: str, now: datetime
) -> str | None:
    """Erase everything, as `erase` or as `withdraw_storage`. Returns the reference; of the earlier one when it is done already.

    None when the person was erased without asking here.
    """
    status = lock_recipient(session, recipient_id)
    recipient = recipient_by_id(session, recipient_id)
    if recipient is None or status is None or status is RecipientStatus.ERASED or recipient.address is None:
        earlier = erasure_of(session, recipient_id)
        return None if earlier is None else earlier.reference
    erase_recipient(session, recipient_id, source=SOURCE, now=now)
    reference = record_done(session, recipient_id, kind, locale=locale, now=now)
    enqueue_mail(
        session,
        TEMPLATE,
        recipient_id=recipient_id,
        parameters={"to": recipient.address, "kind": kind.value, "reference": reference, "locale": locale},
        now=now,
    )
    return reference
