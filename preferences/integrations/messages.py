"""Makes the two kinds of messages: informational ones, which need a permit and a visible link, and the service's own.

`informational_message` refuses to make a message whose text or HTML lacks the person's link (M8): the template cannot forget.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from html.parser import HTMLParser
from typing import Any, ClassVar

from preferences.config import Settings
from preferences.domain.errors import InvalidValue
from preferences.domain.mailing import MailPermit, OwnMail

from .list_headers import list_headers
from .mail import MailMessage
from .mail_text import render_mail
from .mail_types import Envelope, Rendered

AUTOMATIC = {"Auto-Submitted": "auto-generated"}
"""Nobody's holiday reply should come back (RFC 3834 §5)."""


class NoLink(InvalidValue):
    """The rendered message does not show the person's link, so it is not made (M8)."""

    code: ClassVar[str] = "no_link"
    title: ClassVar[str] = "The message shows no unsubscribe link"


class PermitExpired(InvalidValue):
    """The permit is older than its answer holds: ask eligibility again (T24)."""

    code: ClassVar[str] = "permit_expired"
    title: ClassVar[str] = "The permission to send is too old"


def informational_message(
    permit: MailPermit,
    template: str,
    parameters: Mapping[str, Any],
    *,
    settings: Settings,
    now: datetime,
    message_id: str = "",
) -> MailMessage:
    """A message for the recipient and purpose of the permit. Raises NoLink, PermitExpired, UnsafeHeader.

    The template sees `name`, `purpose_title`, `unsubscribe_url`, `preferences_url` and the parameters.
    """
    if permit.until <= now:
        raise PermitExpired("The answer of eligibility no longer holds; ask again just before sending.")
    headers = list_headers(
        unsubscribe_url=permit.unsubscribe_url, mailto=permit.mailto, list_id=permit.list_id, env=settings.env
    )
    links = {"unsubscribe_url": permit.unsubscribe_url, "preferences_url": permit.preferences_url}
    shown = {**parameters, **links, "name": permit.name, "purpose_title": permit.purpose_title}
    content = render_mail(template, locale=permit.locale, parameters=shown, settings=settings)
    check_shows_link(content, frozenset(links.values()))
    envelope = _envelope(permit.address, permit.name, settings, now, message_id)
    return MailMessage(envelope=envelope, content=content, headers={**headers, **AUTOMATIC})


def own_message(own: OwnMail, *, settings: Settings, now: datetime, message_id: str = "") -> MailMessage:
    """One of the service's own mails. It has no list headers: it answers the person's own request and nothing follows."""
    content = render_mail(
        own.template, locale=own.locale, parameters={**own.parameters, "name": own.name}, settings=settings
    )
    envelope = _envelope(own.address, own.name, settings, now, message_id)
    return MailMessage(envelope=envelope, content=content, headers=AUTOMATIC)


def check_shows_link(content: Rendered, urls: frozenset[str]) -> None:
    """Whether both bodies show one of the links: as a word of its own in the text, as a visible anchor in the HTML."""
    if not urls & set(content.text.split()):
        raise NoLink("The text body does not show the person's link; extend email/informational.txt.")
    finder = _VisibleLinks()
    finder.feed(content.html)
    finder.close()
    if not urls & finder.shown:
        raise NoLink("The HTML body does not show the person's link; extend email/informational.html.")


class _VisibleLinks(HTMLParser):
    """Collects the targets of anchors that have words in them and that no attribute or inlined style hides."""

    _HIDING = ("display:none", "visibility:hidden", "font-size:0", "opacity:0;", "mso-hide:all")
    _VOID = frozenset({"br", "img", "hr", "meta", "link", "input", "wbr", "area", "base", "col", "source", "track"})
    _UNSEEN = frozenset({"head", "script", "style", "template", "title", "noscript"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shown: set[str] = set()
        self._open: list[tuple[str, bool, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._VOID:
            return
        found = dict(attrs)
        style = "".join((found.get("style") or "").lower().split()) + ";"
        hidden = "hidden" in found or tag in self._UNSEEN or any(way in style for way in self._HIDING)
        self._open.append((tag, hidden, (found.get("href") or "") if tag == "a" else ""))

    def handle_endtag(self, tag: str) -> None:
        while any(one[0] == tag for one in self._open):
            if self._open.pop()[0] == tag:
                return

    def handle_data(self, data: str) -> None:
        if data.strip("\u00a0\u200b \t\r\n") and not any(hidden for _, hidden, _ in self._open):
            self.shown.update(href for _, _, href in self._open if href)


def _envelope(address: str, name: str | None, settings: Settings, now: datetime, message_id: str) -> Envelope:
    return Envelope(
        to_address=address,
        to_name=name,
        from_address=settings.mail_from,
        from_name=settings.organisation_name,
        reply_to="" if settings.organisation_email == settings.mail_from else settings.organisation_email,
        message_id=message_id or message_id_for(secrets.token_hex(16), settings),
        date=now,
    )


def message_id_for(unique: str, settings: Settings) -> str:
    """A Message-ID on the sender's own domain: the same words give the same id, so that a repeat is recognisable."""
    domain = settings.mail_from.rpartition("@")[2]
    return f"<{unique}@{domain.encode('idna').decode() if not domain.isascii() else domain}>"
