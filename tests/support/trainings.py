"""Trainings for tests: made with their participants, told of, and the page that a notice leads to."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

from flask import Flask
from sqlalchemy.orm import Session

from preferences.domain.recipient_id import format_recipient_id
from preferences.integrations.mailbox import MailboxId, Received
from preferences.integrations.transport import mailbox_of
from preferences.queries.recipients.recipients import RecipientView
from preferences.services.photos.photos import Listed, photo_list
from preferences.services.photos.trainings import add_participants, add_training, notify_participants
from preferences.worker import Worker


def make_training(
    session: Session,
    *people: RecipientView,
    title: str = "Säkerhet i vardagen",
    place: str = "Göteborg",
    days: int = 20,
) -> int:
    """A training in so many days with these people on it, committed."""
    now = datetime.now(UTC)
    held_on = (now + timedelta(days=days)).date()
    number = add_training(session, title=title, place=place, held_on=held_on, now=now)
    add_participants(session, number, [format_recipient_id(one.id) for one in people], now=now)
    session.commit()
    return number


def tell(session: Session, number: int) -> int:
    """Have the notice of a training enqueued; returns for how many."""
    told = notify_participants(session, number, now=datetime.now(UTC))
    session.commit()
    return told.enqueued


def sent_mail(app: Flask) -> list[EmailMessage]:
    """Have the worker send what waits; the messages that came of it, oldest first."""
    mailbox = mailbox_of(app.extensions["preferences.settings"])
    before = set(mailbox.folder.glob("*.eml"))
    Worker().run_until_idle()
    fresh = sorted(set(mailbox.folder.glob("*.eml")) - before)
    return [Received(MailboxId(path.stem), path.read_bytes()).parsed for path in fresh]


def bodies(mail: EmailMessage) -> tuple[str, str]:
    """Text and HTML."""
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content().replace("\r\n", "\n"), html.get_content()


def notice_path(app: Flask, session: Session, number: int) -> str:
    """Tell the one participant who has not been told, and read the path in their mail."""
    assert tell(session, number) == 1
    (mail,) = sent_mail(app)
    found = re.search(r"https://preferences\.example(/p/[\w.-]{51}/training)", bodies(mail)[0])
    assert found is not None
    return found[1]


def listed(session: Session, number: int) -> dict[str, Listed]:
    """The photographer's list by address, as it is now; the session lets go of the database again."""
    now = datetime.now(UTC)
    found = {one.person.address or "": one for one in photo_list(session, number, at=now, asked_at=now)}
    session.rollback()
    return found


def may(session: Session, number: int, address: str = "anna@example.se") -> tuple[str, str, str]:
    """The reasons for name, image and advertising of one person."""
    one = listed(session, number)[address].may
    return one.name.reason.value, one.image.reason.value, one.marketing.reason.value
