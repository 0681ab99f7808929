"""Pages of a development service: the local mailbox. Registered nowhere else, and answers only this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from flask import Blueprint, abort, request

from preferences.config import Environment, MailTransport, Settings

blueprint = Blueprint("local", __name__)


def belongs_here(settings: Settings) -> bool:
    """Whether the pages exist at all: in development, while mail goes into the mailbox."""
    return settings.env is Environment.DEVELOPMENT and settings.mail_transport is MailTransport.MAILBOX


@blueprint.before_request
def only_this_machine() -> None:
    """Others find nothing here: not over the network, and not through a name that was made to point here (DNS rebinding)."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if not _is_loopback(request.remote_addr or "") or not (host == "localhost" or _is_loopback(host)):
        abort(404)


def _is_loopback(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


from . import demo_sign_in, mailbox  # noqa: E402, F401 - add their views to the blueprint
