"""What tests of rights ask again and again: the mail that went out just now, forms of own data, rows as stored."""

from __future__ import annotations

import re
from typing import Any, cast

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from preferences.config import Settings
from preferences.integrations.mailbox import Mailbox, MailboxId, Received
from preferences.models.rights import AddressChangeRow, RightsRequestRow
from preferences.worker import Worker
from tests.support.page import Page
from tests.support.step_up import SteppedUp


def send_all(app: Flask) -> dict[str, Received]:
    """Have the worker send what is due now. The last that went to each address."""
    mailbox = Mailbox(cast(Settings, app.extensions["preferences.settings"]).instance_path / "mailbox")
    before = set(mailbox.folder.glob("*.eml"))
    Worker().run_until_idle()
    new = [
        Received(MailboxId(one.stem), one.read_bytes()) for one in sorted(set(mailbox.folder.glob("*.eml")) - before)
    ]
    return {re.sub(r".*<(.*)>", r"\1", str(one.parsed["To"])): one for one in new}


def link_in(mail: Received, prefix: str) -> str:
    """The path of the one link of this kind; text and HTML show the same."""
    found = set(re.findall(rf"https?://[^/\s]+({prefix}[A-Za-z0-9_.-]+)", mail.part("plain")))
    assert len(found) == 1, found
    path = str(found.pop())
    assert path in mail.part("html")
    return path


def requests(session: Session) -> list[RightsRequestRow]:
    """Every rights request as stored now, oldest first; leaves no transaction open."""
    return _rows(session, RightsRequestRow)


def changes(session: Session) -> list[AddressChangeRow]:
    """Every change of address as stored now, oldest first."""
    return _rows(session, AddressChangeRow)


def correction(me: SteppedUp, **values: str) -> dict[str, str]:
    """The fields that the form at /me/correct sends, some of them typed over."""
    page = Page(me.client.get("/me/correct"))
    form = next(one for one in page.forms() if one.path.startswith("/me/correct"))
    fields = form.fields
    for area in form.element.iter("textarea"):
        fields[area.get("name", "")] = (area.text or "").lstrip("\n")
    return fields | values


def _rows(session: Session, model: Any) -> list[Any]:
    session.rollback()
    found = list(session.scalars(select(model).order_by(model.id)))
    session.expunge_all()
    session.rollback()
    return found
