"""What goes into the mails about rights: receipts of requests, the two sides of a change of address, the last mail of all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from preferences.domain.address import mask_address, parse_address
from preferences.domain.address_change import MOST_A_DAY, AddressChange, ChangeState, Side
from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.mailing import MailDropped, OwnMail
from preferences.domain.rights import OPEN_STATES, RequestChannel, RightsState
from preferences.domain.suppression import SuppressionReason, SuppressionScope
from preferences.models.crypto import keyring
from preferences.queries.choices.choices import active_suppressions
from preferences.queries.own_data.own_data import OwnRequest
from preferences.queries.recipients.address_changes import address_change, count_changes_to, is_out_of_reach, is_taken
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from preferences.queries.rights.rights import requests_by_reference
from preferences.queries.rights.rights_queue import RequestToWork, request_by_reference
from preferences.services.outbox.mail_links import MailLinks

from .reach import reaches
from .restriction import ENDED

_A_DAY = timedelta(days=1)


def request_received(
    session: Session, recipient: RecipientView, payload: Mapping[str, Any], links: MailLinks, now: datetime
) -> dict[str, Any]:
    """The receipt of a request: what, its reference, and when the answer comes or that it is done."""
    one = _request(session, recipient, payload)
    return {**_received(one, now), "link": links.preferences_url(recipient, 0, reference=0, now=now)}


def request_worked(
    session: Session, recipient: RecipientView, payload: Mapping[str, Any], links: MailLinks, now: datetime
) -> dict[str, Any]:
    """What staff did with a request: the later date and its reason, or the answer as written."""
    one = _request(session, recipient, payload)
    return {**_worked(one), "link": links.preferences_url(recipient, 0, reference=0, now=now)}


def prepare_request_outside(
    session: Session, payload: Mapping[str, Any], *, default_locale: str, now: datetime
) -> OwnMail:
    """A mail about a request of somebody who is not known here, to the address that is kept with it. It holds no link."""
    one = request_by_reference(session, str(payload.get("reference")))
    if one is None or one.recipient_id is not None or one.contact is None:
        raise MailDropped("unknown_request")
    if not reaches(session, one.contact.email):
        raise MailDropped("suppressed")
    return OwnMail(
        recipient_id=None,
        address=one.contact.email,
        name=one.contact.name or None,
        locale=str(payload.get("locale") or default_locale),
        template=str(payload["template"]),
        parameters={**_received(one, now), **_worked(one), "link": ""},
    )


def _received(one: OwnRequest | RequestToWork, now: datetime) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "kind": one.kind.value,
        "ended": bool(one.details and one.details.get(ENDED)),
        "is_open": one.state in OPEN_STATES,
        "is_late": one.due_on < now.date(),
        "is_entered": one.channel is not RequestChannel.PAGE,
        "received_at": one.received_at,
        "due_on": one.due_on,
    }


def _worked(one: OwnRequest | RequestToWork) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "kind": one.kind.value,
        "due_on": one.due_on,
        "reason": one.extension_reason or "",
        "answer": one.answer or "",
        "is_refused": one.state is RightsState.REFUSED,
    }


def address_old(
    session: Session, recipient: RecipientView, payload: Mapping[str, Any], links: MailLinks, now: datetime
) -> dict[str, Any]:
    """The question to the present mailbox: is it you who wants to move, and to there?"""
    change = _waiting(session, payload, recipient.id, now)
    return {
        "link": links.address_url(recipient, change.id, Side.OLD, now=now),
        "new_address": mask_address(change.new_address or ""),
        "expires_at": change.expires_at,
    }


def prepare_address_new(
    session: Session, payload: Mapping[str, Any], *, links: MailLinks, default_locale: str, now: datetime
) -> OwnMail:
    """The question to the new mailbox; or, where it is a recipient's own already, that nothing can be done. No name in it."""
    recipient = recipient_by_id(session, RecipientId(int(payload["recipient_id"])))
    if recipient is None or recipient.status is not RecipientStatus.ACTIVE:
        raise MailDropped("unknown_recipient")
    change = _waiting(session, payload, recipient.id, now)
    if is_out_of_reach(session, change.new_index):
        raise MailDropped("suppressed")
    if count_changes_to(session, change.new_index, change.asked_at - _A_DAY) > MOST_A_DAY:
        raise MailDropped("limited")
    taken = is_taken(session, change.new_index)
    return OwnMail(
        recipient_id=recipient.id,
        address=change.new_address or "",
        name=None,
        locale=str(payload.get("locale") or default_locale),
        template="address_new",
        parameters={
            "link": f"{links.base_url}/" if taken else links.address_url(recipient, change.id, Side.NEW, now=now),
            "is_taken": taken,
            "old_address": recipient.masked_address,
            "expires_at": change.expires_at,
        },
    )


def prepare_erased(
    session: Session, recipient_id: RecipientId, payload: Mapping[str, Any], *, default_locale: str, now: datetime
) -> OwnMail:
    """The receipt of an erasure, to the address that only this job still holds. Nobody who was not erased gets it."""
    recipient = recipient_by_id(session, recipient_id)
    if recipient is None or recipient.status is not RecipientStatus.ERASED or not payload.get("to"):
        raise MailDropped("not_erased")
    address = str(payload["to"])
    for found in active_suppressions(session, keyring().address_index(parse_address(address).normal)):
        if found.scope is SuppressionScope.ALL and found.reason is not SuppressionReason.ERASED:
            raise MailDropped(f"suppressed_{found.reason}")
    return OwnMail(
        recipient_id=recipient_id,
        address=address,
        name=None,
        locale=str(payload.get("locale") or default_locale),
        template="erased",
        parameters={
            "reference": payload.get("reference"),
            "kind": payload.get("kind"),
            "answer": payload.get("answer") or "",
            "erased_at": now,
        },
    )


def _request(session: Session, recipient: RecipientView, payload: Mapping[str, Any]) -> OwnRequest:
    """The person's own request that the mail is about."""
    found = requests_by_reference(session, recipient.id, [str(payload.get("reference"))])
    if not found:
        raise MailDropped("unknown_request")
    return found[0]


def _waiting(session: Session, payload: Mapping[str, Any], recipient_id: RecipientId, now: datetime) -> AddressChange:
    change = address_change(session, int(payload["change_id"]), recipient_id)
    if change is None or change.state(now) is not ChangeState.WAITING or change.new_address is None:
        raise MailDropped("change_over")
    return change
