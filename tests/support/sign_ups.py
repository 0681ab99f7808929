"""Signs up as a person does: reads the form, ticks, sends, opens the mail that the worker sends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from preferences.domain.sign_up import FASTEST
from preferences.models.sign_up import SignUpRow
from preferences.worker import Worker

from .client import StrictClient
from .mailing import jobs, received
from .page import Form, Page, get

A_MOMENT = FASTEST + timedelta(seconds=1)


def fields_of(form: Form) -> dict[str, str]:
    """What a browser would send: as Form.fields, without boxes that are not ticked."""
    return {
        field.get("name", ""): field.get("value", "")
        for field in form.element.iter("input")
        if field.get("type") != "checkbox" or "checked" in field.attrib
    }


def fill_in(
    client: StrictClient,
    typed: str = "anna@example.se",
    *keys: str,
    path: str = "/subscribe",
    waiting: timedelta = A_MOMENT,
    more: Mapping[str, str] | None = None,
    **named: str,
) -> TestResponse:
    """Open the form, read it for a moment, tick these purposes (product news where none is named), and send it.

    Other fields by name, or in `more` where the name is none in Python.
    """
    (form,) = get(client, path).forms()
    ticked = {f"purpose-{key}": "yes" for key in keys or ("product_news",)}
    fields = {**fields_of(form), "address": typed, **ticked, **named, **(more or {})}
    with time_machine.travel(datetime.now(UTC) + waiting):
        return client.post(form.path, data=fields)


def sign_ups(session: Session) -> list[SignUpRow]:
    """Everything that waits for a mailbox, or did."""
    session.rollback()
    found = list(session.scalars(select(SignUpRow).order_by(SignUpRow.id)))
    session.expunge_all()
    session.rollback()
    return found


def mail_after(app: Flask) -> EmailMessage | None:
    """Have the worker send what waits, and read the newest message that came of it; None when nothing was sent."""
    before = {one.id for one in received(app)}
    Worker(clock=lambda: datetime.now(UTC) + A_MOMENT).run_until_idle()
    new = [one for one in received(app) if one.id not in before]
    return new[-1].parsed if new else None


def text_of(message: EmailMessage | None) -> str:
    """The text body."""
    assert message is not None, "no mail was sent"
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def link_in(message: EmailMessage | None, kind: str = "c") -> str:
    """The path of the link of this kind in a mail."""
    found = re.search(rf"^https?://[^/\s]+(/{kind}/\S+)", text_of(message), re.MULTILINE)
    assert found is not None, text_of(message)
    return found[1]


def outcomes(session: Session) -> list[str | None]:
    """What became of the jobs."""
    return [one.outcome for one in jobs(session)]


def press(client: StrictClient, path: str, changes: Mapping[str, str] | None = None) -> TestResponse:
    """Press the button of the page at this path."""
    (form,) = Page(client.get(path)).forms()
    return form.submit(client, changes)
