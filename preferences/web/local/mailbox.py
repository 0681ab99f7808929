"""The local mailbox: every message that a development service has sent, as it went out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from flask import Response, abort, make_response, render_template

from preferences.integrations.mailbox import Mailbox, MailboxId, Received
from preferences.integrations.transport import mailbox_of
from preferences.web.access import Access, access
from preferences.web.plumbing import settings
from preferences.web.security import CSP

from . import blueprint

PAGE_CSP = f"{CSP}; frame-src 'self'"
HTML_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""A mail's HTML runs nothing and loads nothing; its links open beside the page."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Summary:
    """A message as the pages show it."""

    id: MailboxId
    sender: str
    to: str
    subject: str
    date: datetime | None
    headers: str
    text: str
    has_html: bool
    one_click_path: str
    """Where a mail client posts to, when that is this service; else empty."""


@blueprint.get("/mailbox")
@access(Access.LOCAL)
def list_mailbox() -> str:
    """The newest messages."""
    return render_template("local/mailbox.html", messages=[_summary(one) for one in _mailbox().newest()])


@blueprint.get("/mailbox/<message_id>")
@access(Access.LOCAL)
def show_message(message_id: str) -> Response:
    """One message: both bodies, and the headers as they went out."""
    response = make_response(render_template("local/message.html", message=_summary(_find(message_id))))
    response.headers["Content-Security-Policy"] = PAGE_CSP
    return response


@blueprint.get("/mailbox/<message_id>/html")
@access(Access.LOCAL)
def show_html(message_id: str) -> Response:
    """The HTML body alone, for the frame."""
    html = _find(message_id).part("html")
    response = make_response(html.replace("<head>", '<head><base target="_blank">', 1))
    response.headers["Content-Security-Policy"] = HTML_CSP
    return response


@blueprint.get("/mailbox/<message_id>/raw")
@access(Access.LOCAL)
def show_raw(message_id: str) -> Response:
    """The message as it went out, byte by byte."""
    return Response(_find(message_id).raw, mimetype="text/plain", headers={"Content-Disposition": "inline"})


def _mailbox() -> Mailbox:
    return mailbox_of(settings())


def _find(message_id: str) -> Received:
    found = _mailbox().find(message_id)
    if found is None:
        abort(404)
    return found


def _summary(received: Received) -> Summary:
    message = received.parsed
    return Summary(
        id=received.id,
        sender=_visible(str(message.get("From", ""))),
        to=_visible(str(message.get("To", ""))),
        subject=_visible(str(message.get("Subject", ""))),
        date=getattr(message.get("Date"), "datetime", None),
        headers=_visible(received.header_block),
        text=_visible(received.part("plain")),
        has_html=bool(received.part("html")),
        one_click_path=_one_click_path(str(message.get("List-Unsubscribe", ""))),
    )


def _visible(text: str) -> str:
    """Control characters made visible: some cannot stand in a page at all."""
    return _CONTROL.sub("\ufffd", text)


def _one_click_path(header: str) -> str:
    url = header.partition(">")[0].removeprefix("<")
    return urlsplit(url).path if url.startswith(f"{settings().base_url}/u/") else ""
