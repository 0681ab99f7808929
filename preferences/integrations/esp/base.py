"""What the providers' files share: a request as it came, the schemes that tell a real one, and how lists of events come out.

A provider is a row of `PROVIDERS` in this package. `verify` runs over the raw bytes before anything is unpacked; `unpack`
splits a request into events as the provider wrote them; `read` says what one means and never fails, whatever it is given.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from preferences.domain.errors import PreferencesError
from preferences.domain.esp_events import EspEvent

CLOCK_SKEW = timedelta(minutes=5)
"""How far a provider's clock, or ours, may be off."""
REPLAY_WINDOW = timedelta(minutes=5)
"""How old a signature may be where each attempt is signed anew; a provider's file says so where it may be older."""
MOST_EVENTS = 50_000
"""In one request."""
USERNAME = "hook"
"""The user name of every address with basic authentication; the password is the secret."""

Item = Mapping[str, Any]
Secrets = Mapping[str, str]


class NotVerified(PreferencesError):
    """The request does not prove that it comes from the provider. Says no more than that."""

    code: ClassVar[str] = "not_verified"
    status: ClassVar[int] = 401
    title: ClassVar[str] = "The request could not be verified"

    def __init__(self, detail: str = "The signature or password is missing, wrong, or too old.") -> None:
        super().__init__(detail)


class NotNow(PreferencesError):
    """Something that the proof needs could not be had; the provider shall send the request again."""

    code: ClassVar[str] = "not_now"
    status: ClassVar[int] = 503
    title: ClassVar[str] = "Send it again later"


class Malformed(PreferencesError):
    """The body is not what this provider sends."""

    code: ClassVar[str] = "malformed"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "The body cannot be read"

    def __init__(self, detail: str = "The body is not what this provider sends.") -> None:
        super().__init__(detail)


class TooMany(Malformed):
    """More events than a batch may hold."""

    code: ClassVar[str] = "too_many_events"
    status: ClassVar[int] = 413

    def __init__(self) -> None:
        super().__init__(f"A request may hold {MOST_EVENTS:,} events.")


@dataclass(frozen=True, slots=True, repr=False)
class Incoming:
    """A request as it came. Header names are in lower case; `url` is the address that the provider was given."""

    body: bytes
    headers: Mapping[str, Sequence[str]]
    url: str

    def header(self, name: str) -> str:
        """The one value of a header. Raises NotVerified when it is missing, empty or there twice."""
        values = self.headers.get(name, ())
        if len(values) != 1 or not values[0]:
            raise NotVerified
        return values[0]

    def has(self, name: str) -> bool:
        """Whether the header is there at all."""
        return bool(self.headers.get(name))


@dataclass(frozen=True, slots=True)
class SecretField:
    """A secret that the provider makes and the operator enters here."""

    name: str
    what: str


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way of telling the provider's requests from anybody else's."""

    name: str
    verify: Callable[[Incoming, Secrets, datetime], None]
    """Raises NotVerified."""
    theirs: tuple[SecretField, ...] = ()
    ours: tuple[str, ...] = ()
    """Secrets that this service makes: `password` goes into the address, `token` into a header."""
    check: Callable[[Secrets], None] | None = None
    """Raises ValueError for secrets that could never verify anything, such as a key that is no key."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A row of the table. Schemes are in the order of preference: the first whose secrets are there is used."""

    title: str
    schemes: tuple[Scheme, ...]
    unpack: Callable[[Incoming], list[Item]]
    """The events of a verified request. Raises Malformed."""
    read: Callable[[Item], EspEvent]
    confirm: Callable[[str], None] | None = None
    """Tells the provider that we want its events; called by the worker with `EspEvent.confirm_url`."""

    def scheme(self, name: str) -> Scheme:
        """The scheme of this name. Raises NotVerified: a hook whose scheme is gone lets nobody in."""
        for one in self.schemes:
            if one.name == name:
                return one
        raise NotVerified

    def events(self, incoming: Incoming) -> list[tuple[Item, EspEvent]]:
        """Every event of a verified request, as it came and as it reads. Raises Malformed or TooMany."""
        items = self.unpack(incoming)
        if len(items) > MOST_EVENTS:
            raise TooMany
        return [(item, self.read(item)) for item in items]


def parse_json(raw: bytes | str) -> Any:
    """JSON that may be hostile. Raises Malformed for anything else, however deep or long."""
    try:
        return json.loads(raw if isinstance(raw, str) else raw.decode())
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise Malformed("The body is not JSON in UTF-8.") from None


def objects(value: Any) -> list[Item]:
    """The objects of a list, or the one object. Raises Malformed when it is neither; what else a list holds is left out."""
    if isinstance(value, Mapping):
        return [value]
    if not isinstance(value, list):
        raise Malformed
    return [one for one in value if isinstance(one, Mapping)]


def json_events(incoming: Incoming) -> list[Item]:
    """`unpack` for providers whose body is one event or a list of them."""
    return objects(parse_json(incoming.body))


def same(found: str | bytes, expected: str | bytes) -> None:
    """Compare in constant time (T16). Raises NotVerified."""
    one, other = (
        value.encode(errors="surrogatepass") if isinstance(value, str) else value for value in (found, expected)
    )
    if not hmac.compare_digest(one, other):
        raise NotVerified


def decode64(text: str) -> bytes:
    """Base64 as signatures carry it. Raises NotVerified."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotVerified from None


def check_age(seconds: str, now: datetime, *, window: timedelta = REPLAY_WINDOW) -> None:
    """Refuse what was signed longer ago than the window, or in the future, give or take the clocks. Raises NotVerified."""
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11):
        raise NotVerified
    age = now.timestamp() - int(seconds)
    if not -CLOCK_SKEW.total_seconds() <= age <= (window + CLOCK_SKEW).total_seconds():
        raise NotVerified


def _verify_basic(incoming: Incoming, secrets: Secrets, now: datetime) -> None:
    scheme, _, credentials = incoming.header("authorization").partition(" ")
    if scheme.lower() != "basic":
        raise NotVerified
    same(decode64(credentials.strip()), f"{USERNAME}:{secrets['password']}")


def _verify_bearer(incoming: Incoming, secrets: Secrets, now: datetime) -> None:
    scheme, _, token = incoming.header("authorization").partition(" ")
    if scheme.lower() != "bearer":
        raise NotVerified
    same(token.strip(), secrets["token"])


BASIC = Scheme("basic", _verify_basic, ours=("password",))
"""A password in the address (RFC 7617): for providers that sign nothing."""
BEARER = Scheme("bearer", _verify_bearer, ours=("token",))
"""A token in the Authorization header (RFC 6750)."""


def hmac_of_body(header: str, *, digest: str = "sha256", name: str = "hmac", what: str) -> Scheme:
    """A scheme: hexadecimal HMAC of the whole body in a header, keyed with a secret that the provider shows."""

    def verify(incoming: Incoming, secrets: Secrets, now: datetime) -> None:
        expected = hmac.digest(secrets["signing_secret"].encode(), incoming.body, digest).hex()
        same(incoming.header(header).lower(), expected)

    return Scheme(name, verify, theirs=(SecretField("signing_secret", what),))
