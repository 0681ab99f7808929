"""Sign-up with double opt-in: what a form may ask for, how long an unconfirmed one is kept, how a form shows it was read.

A bot is kept out by a field that people do not see and by the time a form takes, never by a CAPTCHA (L20). The seal of a form
says when it was shown; that of an embedded form, which is plain HTML on another site, only where it comes from.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from .capability import RecipientId
from .catalogue import Described
from .errors import InvalidValue
from .purpose import About, LawfulBasis, NoticeText, Purpose
from .text import is_locale, is_storable

DEFAULT_FORM = "news"
"""The form at `/subscribe`. There without being added: marketing with its topics."""

RESERVED_KEYS = frozenset({"sent"})

SIGN_UP_LASTS = timedelta(days=7)
"""Until then the link in the mail confirms; afterwards everything about the sign-up is deleted."""

LIMITS = ((timedelta(hours=1), 3), (timedelta(days=1), 5))
"""At most so many sign-ups with one address, whoever fills in the form (T27)."""

FASTEST = timedelta(seconds=2)
"""Nobody reads a form and fills it in faster."""

SEAL_LASTS = timedelta(days=1)
"""A form left open for longer is shown once more before anything is stored."""

SEAL_FIELD = "seal"
TRAP = "website"
"""A field that people do not see. Whoever fills it in is a program."""

FIELD_NAMES = {"seal_field": SEAL_FIELD, "trap": TRAP}
"""What the templates of a form call these two."""

MAX_HEADING_CHARACTERS = 200
_KEY = re.compile(r"[a-z][a-z0-9-]{0,63}", re.ASCII)
_SEAL = re.compile(r"(?P<shown>[0-9]{1,15}|embed)\.(?P<mac>[A-Za-z0-9_-]{22})", re.ASCII)
_EMBED = "embed"


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """A hosted form. `headings` may be empty (the implied form): then the page has a heading of its own."""

    key: str
    headings: Mapping[str, str]
    purpose_keys: Sequence[str]
    archived_at: datetime | None = None

    def heading(self, locale: str, default_locale: str) -> str:
        """The heading in this language, else in the default one, else in any; empty where the form has none."""
        found = self.headings.get(locale) or self.headings.get(default_locale)
        return found or next(iter(self.headings.values()), "")


@dataclass(frozen=True, slots=True)
class Control:
    """One purpose on the form."""

    key: str
    version_id: int
    text: NoticeText
    is_topic: bool
    is_ticked: bool

    @property
    def shown(self) -> str:
        """The hidden field that names the wording."""
        return f"{self.version_id}.{self.text.locale}"


class Seal(StrEnum):
    """What the seal of a posted form tells."""

    READ = "read"
    """Shown long enough ago to have been read, and not too long ago."""
    TOO_FAST = "too_fast"
    OLD = "old"
    EMBEDDED = "embedded"
    """Printed by `flask forms embed` for another site."""
    NONE = "none"


class FormSealer:
    """Makes and reads seals with the cookie keys, oldest to newest. A seal holds for its own form only."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def seal(self, form_key: str, now: datetime) -> str:
        """The seal of a form shown now."""
        return self._sealed(form_key, str(_milliseconds(now)))

    def embed_seal(self, form_key: str) -> str:
        """The seal of an embedded form: always the same."""
        return self._sealed(form_key, _EMBED)

    def read(self, sent: str, form_key: str, now: datetime) -> Seal:
        """What a posted seal tells; compared in constant time (T16)."""
        found = _SEAL.fullmatch(sent)
        if found is None or not any(
            hmac.compare_digest(_mac(key, form_key, found["shown"]), found["mac"]) for key in self._keys
        ):
            return Seal.NONE
        if found["shown"] == _EMBED:
            return Seal.EMBEDDED
        age = timedelta(milliseconds=_milliseconds(now) - int(found["shown"]))
        if age < FASTEST:
            return Seal.TOO_FAST
        return Seal.OLD if age > SEAL_LASTS else Seal.READ

    def _sealed(self, form_key: str, shown: str) -> str:
        return f"{shown}.{_mac(self._keys[-1], form_key, shown)}"


def check_form(key: str, headings: Mapping[str, str], purposes: Sequence[Purpose]) -> None:
    """A new form: a key that fits a path, a heading in every language it names, and consents to mail only (L1).

    Raises InvalidValue.
    """
    if not is_form_key(key):
        raise InvalidValue("A form's key is lower-case letters, digits and `-`, at most 64.", pointer="/key")
    for locale, heading in headings.items():
        pointer = f"/headings/{locale[:16]}"
        if not is_locale(locale):
            raise InvalidValue("A language is a code such as sv or en.", pointer=pointer)
        if not 0 < len(heading.strip()) <= MAX_HEADING_CHARACTERS or not is_storable(heading):
            raise InvalidValue(f"A heading has 1 to {MAX_HEADING_CHARACTERS} characters.", pointer=pointer)
    if not purposes or len({one.id for one in purposes}) != len(purposes):
        raise InvalidValue("A form offers at least one purpose, each once.", pointer="/purposes")
    for purpose in purposes:
        if not can_be_signed_up_for(purpose):
            raise InvalidValue(
                f"{purpose.key} cannot be signed up for: that takes mail that rests on consent and is in use.",
                pointer="/purposes",
            )


def is_form_key(key: str) -> bool:
    """Whether a form can have this key at all."""
    return _KEY.fullmatch(key) is not None and key not in RESERVED_KEYS


def can_be_signed_up_for(purpose: Purpose) -> bool:
    """Whether a form can ask for it: mail, in use, and resting on consent. Anything else needs no sign-up, or another act."""
    return purpose.about is About.MAIL and purpose.lawful_basis is LawfulBasis.CONSENT and not purpose.is_archived


def controls(
    on_form: Sequence[Described], *, locale: str, default: str, ticked: frozenset[str] = frozenset()
) -> list[Control]:
    """What the form shows, unticked unless the person ticked it (L1, D3). Topics stand below their purpose."""
    tops = {int(one.purpose.id) for one in on_form}
    return [
        Control(
            key=one.purpose.key,
            version_id=one.purpose.notice_version_id,
            text=one.text(locale, default),
            is_topic=one.purpose.parent_id in tops,
            is_ticked=one.purpose.key in ticked,
        )
        for one in on_form
    ]


def mailbox_number(address_index: bytes) -> RecipientId:
    """What stands for the mailbox in a token before there is a recipient: a link confirms what this address asked for only."""
    return RecipientId(int.from_bytes(address_index[:8], "big") >> 1)


def _milliseconds(moment: datetime) -> int:
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def _mac(key: bytes, form_key: str, shown: str) -> str:
    about = f"preferences.sign-up.{shown}.{form_key}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key, about, hashlib.sha256)[:16]).decode().rstrip("=")
