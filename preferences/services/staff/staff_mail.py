"""Mail to staff: what needs a person. Queued and sent like all our own mail; `staff_…` templates, never about choices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from preferences.domain.mailing import MailDropped, OwnMail
from preferences.queries.mailers.endpoints import disabled_endpoint
from preferences.queries.rights.rights_queue import requests_due_soon
from preferences.services.outbox.outbox import enqueue_mail

from .account_mail import TEMPLATE as ACCOUNT_CHANGED
from .account_mail import prepare_account_mail
from .invitations import TEMPLATE as INVITATION
from .invitations import prepare_invitation_mail

PREFIX = "staff_"
REQUESTS_DUE = "staff_requests_due"
ENDPOINT_DISABLED = "staff_endpoint_disabled"
TEST = "staff_test"
"""Somebody wants to see that mail arrives."""


def enqueue_staff_mail(
    session: Session, template: str, *, parameters: Mapping[str, Any], now: datetime, to: str = ""
) -> None:
    """Have the worker mail staff. `to`: one member's address; without it, the company's own (ORGANISATION_EMAIL)."""
    enqueue_mail(session, template, recipient_id=None, parameters={**parameters, "to": to}, now=now)


def is_staff_mail(payload: Mapping[str, Any]) -> bool:
    """Whether an outbox job asks for a mail to staff."""
    return str(payload.get("template", "")).startswith(PREFIX)


def prepare_staff_mail(
    session: Session, payload: Mapping[str, Any], *, organisation_email: str, base_url: str, locale: str, now: datetime
) -> OwnMail:
    """The mail that the job asks for, from what is true now. Raises MailDropped when there is nothing left to tell."""
    template = str(payload["template"])
    if template == INVITATION:
        return prepare_invitation_mail(session, payload, base_url=base_url, now=now)
    if template == ACCOUNT_CHANGED:
        return prepare_account_mail(session, payload, base_url=base_url)
    parameters: dict[str, Any] = {**payload, "admin_url": f"{base_url}/admin"}
    if template == REQUESTS_DUE:
        parameters["requests"] = requests_due_soon(session, today=now.date())
        if not parameters["requests"]:
            raise MailDropped("nothing_due")
    if template == ENDPOINT_DISABLED:
        parameters |= disabled_endpoint(session, int(payload["endpoint"]))
    return OwnMail(
        recipient_id=None,
        address=str(payload.get("to") or organisation_email),
        name=None,
        locale=str(payload.get("locale") or locale),
        template=template,
        parameters=parameters,
    )
