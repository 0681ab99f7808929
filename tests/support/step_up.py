"""Steps up as a person does: asks from a link, reads the mail that the worker sends, presses the button."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import EmailMessage
from typing import cast

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.config import Settings
from preferences.domain.capability import Capability
from preferences.integrations.mailbox import Mailbox, MailboxId, Received
from preferences.queries.recipients.recipients import RecipientView
from preferences.worker import Worker
from tests.factories import link, make_recipient

from .client import StrictClient


@dataclass(frozen=True)
class StepUpMail:
    """The mail as it went out. `asked_from` is the token of the page that was asked on."""

    message: EmailMessage
    link: str
    code: str
    asked_from: str = ""

    @property
    def path(self) -> str:
        """The link's path on this service."""
        return "/s/" + self.link.rpartition("/")[2]


@dataclass(frozen=True)
class SteppedUp:
    """A browser with an open session, and whose it is."""

    client: StrictClient
    recipient: RecipientView

    def csrf(self, path: str = "/me") -> str:
        """The token that forms on this page carry."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.client.get(path).text)
        assert found is not None
        return found[1]

    def post(self, path: str, data: dict[str, str] | None = None, *, page: str = "/me") -> TestResponse:
        """Send a form with its CSRF token, as the page would."""
        return self.client.post(path, data={"csrf": self.csrf(page), **(data or {})})


def browser(app: Flask) -> StrictClient:
    """A client that keeps cookies, as browsers do."""
    client = app.test_client(use_cookies=True)
    assert isinstance(client, StrictClient)
    return client


def newest_mail(app: Flask) -> StepUpMail:
    """Have the worker send what waits, and read the message with a step-up link that came of it; else the newest."""
    mailbox = Mailbox(cast(Settings, app.extensions["preferences.settings"]).instance_path / "mailbox")
    before = set(mailbox.folder.glob("*.eml"))
    Worker().run_until_idle()
    fresh = sorted(set(mailbox.folder.glob("*.eml")) - before, reverse=True)
    mails = [_read(Received(MailboxId(path.stem), path.read_bytes()).parsed) for path in fresh]
    return next((one for one in mails if one.link), mails[0])


def _read(message: EmailMessage) -> StepUpMail:
    body = message.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    found = re.search(r"https?://\S+/s/\S+", text)
    code = re.search(r"^[0-9]{6}\r?$", text, re.MULTILINE)
    return StepUpMail(message, found[0] if found else "", code[0].strip() if code else "")


def ask(app: Flask, recipient: RecipientView, *, token: str = "") -> StepUpMail:
    """Ask from a preferences link (or the given one), and read the mail."""
    token = token or link(recipient, capability=Capability.PREFERENCES)
    answer = browser(app).post(f"/p/{token}/step-up")
    assert answer.status_code == 303
    mail = newest_mail(app)
    return StepUpMail(mail.message, mail.link, mail.code, asked_from=token)


def step_up(app: Flask, recipient: RecipientView) -> SteppedUp:
    """A browser in which this person's own data is open."""
    client = browser(app)
    answer = client.post(ask(app, recipient).path, data={"open": "1"})
    assert (answer.status_code, answer.location) == (303, "/me")
    return SteppedUp(client, recipient)


def open_own_data(app: Flask, session: Session, address: str = "anna@example.se") -> SteppedUp:
    """A new recipient with own data open."""
    return step_up(app, make_recipient(session, address))
