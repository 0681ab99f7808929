"""The service's own mails: what goes in, to whom, and when one is dropped instead.

Read when the mail is made, not when it was asked for: an address that was erased in between is never written to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.domain.capability import RecipientId
from preferences.domain.eligibility import RecipientStatus
from preferences.domain.mailing import MailDropped, OwnMail
from preferences.domain.suppression import SuppressionScope
from preferences.models.ledger import ConfirmationRow
from preferences.queries.choices.choices import active_suppressions
from preferences.queries.photos.trainings import training_by_id
from preferences.queries.purposes.purposes import catalogue
from preferences.queries.recipients.recipients import RecipientView, recipient_by_id
from preferences.services.choices.bursts import burst_question
from preferences.services.choices.receipts import receipt_mail
from preferences.services.outbox.mail_links import MailLinks
from preferences.services.photos.photo_mail import cancellation_mail, notice_locale, photo_notice, takedown_mail
from preferences.services.policy.policy import policy_mail
from preferences.services.recipients.step_up import is_waiting
from preferences.services.rights.rights_mail import (
    address_old,
    prepare_address_new,
    prepare_erased,
    prepare_request_outside,
    request_received,
    request_worked,
)
from preferences.services.sign_up.sign_up_mail import prepare_sign_up_mail

_ACTIVE = frozenset({RecipientStatus.ACTIVE})
_ALSO_RESTRICTED = _ACTIVE | {RecipientStatus.RESTRICTED}
_ABOUT_REQUESTS = frozenset({"rights_received", "rights_extended", "rights_answered"})
_ABOUT_TRAININGS = frozenset({"photo_notice", "training_cancelled"})
_THEIR_OWN_DATA = _ABOUT_REQUESTS | frozenset(
    {
        "step_up",
        "rights_copy",
        "receipt",
        "takedown_received",
        "takedown_done",
    }
)
"""A restricted person must still be able to see what we hold, and to lift the restriction (GDPR 15, 18)."""


def prepare_own_mail(
    session: Session,
    recipient_id: RecipientId | None,
    payload: Mapping[str, Any],
    *,
    links: MailLinks,
    default_locale: str,
    now: datetime,
) -> OwnMail:
    """The mail that an outbox job asks for (`payload` as services.outbox.outbox.enqueue_mail wrote it). Raises MailDropped."""
    template = payload.get("template")
    if template == "address_new":
        return prepare_address_new(session, payload, links=links, default_locale=default_locale, now=now)
    if template == "sign_up":
        return prepare_sign_up_mail(session, payload, links=links, default_locale=default_locale, now=now)
    if recipient_id is None and template in _ABOUT_REQUESTS:
        return prepare_request_outside(session, payload, default_locale=default_locale, now=now)
    if recipient_id is None:
        raise MailDropped("unknown_recipient")
    if template == "erased":
        return prepare_erased(session, recipient_id, payload, default_locale=default_locale, now=now)
    recipient = _reachable(session, recipient_id, _ALSO_RESTRICTED if template in _THEIR_OWN_DATA else _ACTIVE)
    locale = str(payload.get("locale") or recipient.locale or default_locale)
    if template in _ABOUT_TRAININGS:
        locale = notice_locale(session, payload, locale)
    languages = {"locale": locale, "default_locale": default_locale}
    match template:
        case "confirm_choices":
            parameters = _confirm_choices(session, recipient, payload, locale, default_locale, links, now)
        case "fresh_link":
            parameters = {"link": links.preferences_url(recipient, 0, reference=0, now=now)}
        case "step_up":
            parameters = _step_up(session, recipient, payload, links, now)
        case "rights_received":
            parameters = request_received(session, recipient, payload, links, now)
        case "rights_extended" | "rights_answered" | "rights_copy":
            parameters = request_worked(session, recipient, payload, links, now)
        case "address_old":
            parameters = address_old(session, recipient, payload, links, now)
        case "photo_notice":
            parameters = photo_notice(session, recipient, payload, links=links, now=now, **languages)
        case "training_cancelled":
            parameters = cancellation_mail(session, recipient, payload, links=links, now=now)
        case "policy_changed":
            parameters = policy_mail(session, recipient, payload, links=links, now=now, **languages)
        case "receipt":
            parameters = receipt_mail(session, recipient, payload, links=links, now=now, **languages)
        case "burst_question":
            parameters = burst_question(
                session, recipient, payload, links=links, locales=(locale, default_locale), now=now
            )
        case "takedown_received" | "takedown_done":
            parameters = takedown_mail(session, recipient, payload, links=links, now=now)
        case _:
            raise MailDropped("unknown_template")
    return OwnMail(
        recipient_id=recipient.id,
        address=recipient.address or "",
        name=recipient.name,
        locale=locale,
        template=template,
        parameters=parameters,
    )


def _reachable(session: Session, recipient_id: RecipientId, wanted: frozenset[RecipientStatus]) -> RecipientView:
    """The recipient, unless nothing may or can go there: unknown, erased, restricted, or every message suppressed (T20)."""
    recipient = recipient_by_id(session, recipient_id)
    if recipient is None:
        raise MailDropped("unknown_recipient")
    if recipient.status not in wanted or recipient.address is None:
        raise MailDropped(recipient.status.value)
    for found in active_suppressions(session, recipient.address_index):
        if found.scope is SuppressionScope.ALL:
            raise MailDropped(f"suppressed_{found.reason}")
    return recipient


def _confirm_choices(
    session: Session,
    recipient: RecipientView,
    payload: Mapping[str, Any],
    locale: str,
    default_locale: str,
    links: MailLinks,
    now: datetime,
) -> dict[str, Any]:
    row = session.execute(
        select(ConfirmationRow).where(
            ConfirmationRow.id == payload.get("confirmation_id"), ConfirmationRow.recipient_id == recipient.id
        )
    ).scalar_one_or_none()
    if row is None or row.cancelled_at is not None:
        raise MailDropped("confirmation_cancelled")
    if row.confirmed_at is not None:
        raise MailDropped("confirmation_done")
    if row.expires_at <= now:
        raise MailDropped("confirmation_expired")
    known = catalogue(session)
    asked = [
        (found.text(locale, default_locale).title, training_by_id(session, item["training_id"]))
        for item in row.asked
        if (found := known.by_id(item["purpose_id"])) is not None
    ]
    return {
        "link": links.confirm_url(recipient, row.id, now=now),
        "asked": list(dict.fromkeys(asked)),
        "expires_at": row.expires_at,
    }


def _step_up(
    session: Session, recipient: RecipientView, payload: Mapping[str, Any], links: MailLinks, now: datetime
) -> dict[str, Any]:
    step_up_id = int(payload["step_up_id"])
    if not is_waiting(session, step_up_id, recipient.id, now=now):
        raise MailDropped("step_up_over")
    return {"link": links.step_up_url(recipient, step_up_id, now=now), "code": payload.get("code")}
