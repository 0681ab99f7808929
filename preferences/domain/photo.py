"""Photos from trainings: who may be shown, the notice before, and what a takedown asks for (L11, L17)."""

from __future__ import annotations

import re
import secrets
from enum import StrEnum
from urllib.parse import urlsplit

from .address import parse_domain
from .errors import InvalidValue

PHOTO_NAME, PHOTO_IMAGE, PHOTO_MARKETING = "photo_name", "photo_image", "photo_marketing"
"""Keys of the built-in purposes that the list for the photographer is made of."""

MOST_URL_CHARACTERS = 2000
MOST_NOTE_CHARACTERS = 2000
MOST_OPEN_TAKEDOWNS = 20
"""So many takedowns of one person may wait for an answer at a time."""

MOST_TAKEDOWNS_A_DAY = 20
"""So many takedowns of one person are taken in 24 hours (T27)."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_NOTICE = re.compile(r"photo_notice:([1-9][0-9]{0,17})", re.ASCII)
_WITHOUT_SCHEME = re.compile(r"[^\s/?#:@]+(?:\.[^\s/?#:@.]+)+(?:[/?#].*)?")


class TakedownWhat(StrEnum):
    """What shall go from something already published."""

    NAME = "name"
    IMAGE = "image"
    BOTH = "both"

    @property
    def purposes(self) -> tuple[str, ...]:
        """The keys of the purposes it is about."""
        return {self.NAME: (PHOTO_NAME,), self.IMAGE: (PHOTO_IMAGE,)}.get(self, (PHOTO_NAME, PHOTO_IMAGE))


class TakedownState(StrEnum):
    """Where the work stands; `done` has a date and says what was removed."""

    RECEIVED = "received"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    REFUSED = "refused"


class CancellationFor(StrEnum):
    """Who is told by mail that a training is cancelled."""

    TOLD = "told"
    """Those who have had the notice before it."""
    EVERYBODY = "everybody"
    """Everybody who takes part, those among them who have had no notice."""


OPEN_TAKEDOWNS = frozenset({TakedownState.RECEIVED, TakedownState.IN_PROGRESS})


class TakedownNotTaken(StrEnum):
    """Why a takedown was not stored."""

    TOO_MANY_OPEN = "too_many_open"
    TOO_MANY_TODAY = "too_many_today"
    GONE = "gone"
    """The person was erased meanwhile."""


def new_takedown_reference() -> str:
    """What person and staff call a takedown: `T-` and eight characters of Crockford's base32, 40 random bits."""
    return "T-" + "".join(secrets.choice(_ALPHABET) for _ in range(8))


def notice_reference(training_id: int) -> str:
    """What our own message before a training is called (messages.reference): its link then says which training it is about."""
    return f"photo_notice:{training_id}"


def training_of_notice(reference: str) -> int | None:
    """The training whose notice has this reference; None for every other message."""
    found = _NOTICE.fullmatch(reference)
    return int(found[1]) if found else None


def read_published_url(text: str) -> str:
    """The web address of something published; `www.example.se/post` gets its https://. Raises InvalidValue.

    Only what can be opened in a browser and looks like what it is: http or https, a complete domain, nothing invisible, and
    nobody's name before an @. Staff will open it.
    """
    url = text.strip()
    if not url or len(url) > MOST_URL_CHARACTERS or "\\" in url or not _is_visible(url):
        raise _not_an_address()
    if _WITHOUT_SCHEME.fullmatch(url):
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
        parse_domain(host)
    except (ValueError, InvalidValue):
        raise _not_an_address() from None
    if parts.scheme not in {"https", "http"} or "@" in parts.netloc:
        raise _not_an_address()
    return url


def _is_visible(text: str) -> bool:
    return all(character.isprintable() and not character.isspace() for character in text)


def _not_an_address() -> InvalidValue:
    return InvalidValue("This is no address of a page: it begins with https://.", pointer="/url")
