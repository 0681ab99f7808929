"""Tells somebody on the staff by mail that what they sign in with has changed: if it was not them, they learn of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from preferences.domain.audit import StaffId
from preferences.domain.mailing import MailDropped, OwnMail
from preferences.queries.staff.staff import staff_by_id
from preferences.services.outbox.outbox import enqueue_mail

TEMPLATE = "staff_account_changed"


class AccountChange(StrEnum):
    """What has changed."""

    PASSWORD_SET = "password_set"  # noqa: S105 - a word of the vocabulary
    APP_SET = "app_set"
    APP_REMOVED = "app_removed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    SECOND_FACTOR_RESET = "second_factor_reset"
    RECOVERY_CODE_USED = "recovery_code_used"
    IDENTITY_LINKED = "identity_linked"
    """An account of the identity provider opens theirs from now on."""


def tell_owner(session: Session, staff_id: StaffId, change: AccountChange, *, now: datetime) -> None:
    """Have the worker mail whoever it concerns. The job holds their number, not their address."""
    parameters = {"staff": staff_id, "change": change.value}
    enqueue_mail(session, TEMPLATE, recipient_id=None, parameters=parameters, now=now)


def prepare_account_mail(session: Session, payload: Mapping[str, Any], *, base_url: str) -> OwnMail:
    """The mail, to the address that they have now. Raises MailDropped where there is nobody."""
    staff = staff_by_id(session, int(payload["staff"]))
    if staff is None:
        raise MailDropped("nobody")
    return OwnMail(
        recipient_id=None,
        address=staff.address,
        name=staff.name,
        locale=staff.locale,
        template=TEMPLATE,
        parameters={"change": str(payload["change"]), "admin_url": f"{base_url}/admin"},
    )
