"""Whether mail about a rights request reaches the person, or a letter has to (GDPR 12(1): in writing)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from preferences.domain.address import parse_address
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.errors import InvalidValue
from preferences.domain.rights import AnswerBy, Contact
from preferences.domain.suppression import SuppressionScope
from preferences.models.crypto import keyring
from preferences.queries.choices.choices import active_suppressions
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from preferences.queries.rights.rights_queue import RequestToWork


def way_to_answer(session: Session, found: RequestToWork) -> AnswerBy:
    """How the person who asks is written to, as things stand."""
    person = None if found.recipient_id is None else recipient_by_id(session, found.recipient_id)
    return way_to(session, person, found.contact)


def way_to(session: Session, person: RecipientView | None, contact: Contact | None) -> AnswerBy:
    """By mail where an address is known and nothing stops every message to it, as the worker will see it; else by letter."""
    if person is None:
        return AnswerBy.MAIL if contact and reaches(session, contact.email) else AnswerBy.LETTER
    if person.status is RecipientStatus.ERASED or person.address is None or _is_stopped(session, person.address_index):
        return AnswerBy.LETTER
    return AnswerBy.MAIL


def reaches(session: Session, email: str) -> bool:
    """Whether this is an address, and one that we may write to about the person's own request."""
    try:
        address = parse_address(email)
    except InvalidValue:
        return False
    return not _is_stopped(session, keyring().address_index(address.normal))


def _is_stopped(session: Session, address_index: bytes | None) -> bool:
    return any(one.scope is SuppressionScope.ALL for one in active_suppressions(session, address_index))
