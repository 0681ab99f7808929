"""Help for tests of mail: other settings for a while, the local mailbox, a plain message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.config import MailSecurity, MailTransport, Settings
from preferences.integrations.mail import MailMessage
from preferences.integrations.mail_types import Envelope, Rendered
from preferences.integrations.mailbox import Received
from preferences.integrations.transport import mailbox_of
from preferences.models.outbox import OutboxJobRow


@contextmanager
def settings_changed(app: Flask, **changes: Any) -> Iterator[Settings]:
    """The application with some settings replaced."""
    before = app.extensions["preferences.settings"]
    app.extensions["preferences.settings"] = changed = replace(before, **changes)
    try:
        yield changed
    finally:
        app.extensions["preferences.settings"] = before


@contextmanager
def sending_to(
    app: Flask, port: int, *, security: MailSecurity = MailSecurity.NONE, timeout: int = 5, **more: Any
) -> Iterator[Settings]:
    """The application with an SMTP server on this port of this machine."""
    with settings_changed(
        app,
        mail_transport=MailTransport.SMTP,
        mail_server="127.0.0.1",
        mail_port=port,
        mail_security=security,
        mail_timeout=timeout,
        **more,
    ) as changed:
        yield changed


def plain_message(to: str = "anna@example.se", **fields: Any) -> MailMessage:
    """A message as the service makes them, without a template."""
    envelope = Envelope(
        to_address=to,
        to_name="Åsa Öberg",
        from_address="no-reply@example.com",
        from_name="Exempelbolaget AB",
        message_id="<one@example.com>",
        date=datetime.now(UTC),
    )
    content = Rendered("Hej på dig", "Hej å\n", f"<p>{'å' * 3000}</p>")
    return MailMessage(envelope=envelope, content=content, headers=fields.get("headers", {}))


def received(app: Flask) -> list[Received]:
    """What lies in the local mailbox, oldest first."""
    return mailbox_of(app.extensions["preferences.settings"]).newest()[::-1]


def jobs(session: Session) -> list[OutboxJobRow]:
    """Every outbox job as stored now; leaves no transaction open."""
    session.rollback()
    found = list(session.scalars(select(OutboxJobRow).order_by(OutboxJobRow.id)))
    session.expunge_all()
    session.rollback()
    return found
