"""Makes the message that a mail job asks for, from what is true at that moment (T24)."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from flask import current_app
from sqlalchemy.orm import Session

from preferences.config import Settings
from preferences.domain.capability import LinkSigner
from preferences.domain.mailing import MailDropped
from preferences.integrations.mail import MailMessage
from preferences.integrations.messages import informational_message, message_id_for, own_message
from preferences.services.eligibility.informational_mail import Mailing, permit_mail
from preferences.services.outbox.jobs import Job, payload_of
from preferences.services.outbox.mail_links import MailLinks
from preferences.services.own_mail import prepare_own_mail
from preferences.services.staff.staff_mail import is_staff_mail, prepare_staff_mail


def make_message(session: Session, job: Job, *, now: datetime) -> MailMessage:
    """The message of a job. A payload with a `purpose` is informational and needs eligibility; any other is our own mail.

    Raises MailDropped or MailRefused when nothing may be sent, and the other PreferencesErrors when nothing can be.
    """
    settings = cast(Settings, current_app.extensions["preferences.settings"])
    links = mail_links(settings)
    payload = payload_of(session, job)
    message_id = message_id_for(job.identity, settings)
    if is_staff_mail(payload):
        staff = prepare_staff_mail(
            session,
            payload,
            organisation_email=settings.organisation_email,
            base_url=settings.base_url,
            locale=settings.default_locale,
            now=now,
        )
        return own_message(staff, settings=settings, now=now, message_id=message_id)
    if "purpose" not in payload:
        own = prepare_own_mail(
            session, job.recipient_id, payload, links=links, default_locale=settings.default_locale, now=now
        )
        return own_message(own, settings=settings, now=now, message_id=message_id)
    if job.recipient_id is None:
        raise MailDropped("unknown_recipient")
    mailing = Mailing(payload["purpose"], settings.default_locale, int(payload.get("reference", 0)))
    permit = permit_mail(session, job.recipient_id, mailing, links=links, now=now)
    return informational_message(
        permit, payload["template"], payload.get("content", {}), settings=settings, now=now, message_id=message_id
    )


def mail_links(settings: Settings) -> MailLinks:
    """The links of the running application."""
    return MailLinks(
        signer=cast(LinkSigner, current_app.extensions["preferences.signer"]),
        base_url=settings.base_url,
        list_domain=settings.list_domain or settings.base_host,
        mail_domain=settings.unsubscribe_mail_domain,
    )
