"""How old the keys are: the service's own, by when a worker first saw them; those of mailers, by when they were made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from preferences.config import Settings
from preferences.domain.key_ages import KeyKind, is_old, months_of
from preferences.queries.ledger.seal import head_by_number, public_keys
from preferences.queries.upkeep.key_ages import OldestOf, first_seen, oldest_api_keys, oldest_endpoint_secrets
from preferences.services.ledger.sealing import SealKeys

from .line import Line, Verdict

NAMED = 3
"""So many mailers are named whose keys are old; the others are counted."""


def key_lines(session: Session, settings: Settings, *, now: datetime) -> Iterator[Line]:
    """A line for each kind of key, and one where older data keys are still kept."""
    titles = {
        KeyKind.SECRET: gettext("Keys of cookies"),
        KeyKind.LINK: gettext("Signing keys of links"),
        KeyKind.DATA: gettext("Encryption keys"),
        KeyKind.SEAL: gettext("Key of the seal"),
    }
    for kind, title in titles.items():
        yield _own(session, settings, kind, title, now)
    older = len(settings.data_keys) - 1
    if older > 0:
        said = ngettext("%(num)s older data key is still kept.", "%(num)s older data keys are still kept.", older)
        drop = gettext(
            "When “flask keys re-encrypt” says that nothing is left under it, “flask keys retire data” drops it."
        )
        yield Line(gettext("Older encryption keys"), Verdict.LOOK, said, drop)
    renew = gettext("Make a new key on the mailer’s page, have it put into use, then revoke the old one.")
    yield _of_mailers(gettext("API keys of mailers"), oldest_api_keys(session, now=now), renew, now)
    rotate = gettext("Rotate the secret on the endpoint’s page: both sign while the mailer changes over.")
    yield _of_mailers(gettext("Secrets of endpoints"), oldest_endpoint_secrets(session), rotate, now)


def _own(session: Session, settings: Settings, kind: KeyKind, title: str, now: datetime) -> Line:
    key = settings.keys_by_kind[kind][-1]
    since = first_seen(session, kind, key, settings.index_key)
    if kind is KeyKind.SEAL:
        since = min((one for one in (since, _signs_since(session, settings)) if one), default=None)
    if since is None:
        todo = gettext("The worker notes it when it starts.")
        return Line(title, Verdict.UNKNOWN, gettext("Since when the newest is in use is not on record yet."), todo)
    if not is_old(since, now):
        said = gettext("The newest has been in use for %(age)s, as far as is on record.", age=age_in_words(since, now))
        return Line(title, Verdict.GOOD, said)
    todo = gettext("Rotate with “flask keys rotate %(name)s”, and restart every process.", name=kind.value)
    if kind is KeyKind.DATA:
        then = gettext("Then run “flask keys re-encrypt”.")
        todo = f"{todo} {then}"
    return Line(title, Verdict.LOOK, gettext("The newest is %(age)s old.", age=age_in_words(since, now)), todo)


def _signs_since(session: Session, settings: Settings) -> datetime | None:
    """When the newest key of the seal signed its first head."""
    newest = SealKeys(settings.seal_keys).newest
    first = next((start for key, start, _ in public_keys(session) if key == newest), None)
    head = head_by_number(session, first) if first is not None else None
    return head.signed.head.sealed_at if head else None


def _of_mailers(title: str, found: Sequence[OldestOf], todo: str, now: datetime) -> Line:
    if not found:
        return Line(title, Verdict.GOOD, gettext("None is in use."))
    said = gettext("The oldest in use is %(age)s old.", age=age_in_words(found[0].created_at, now))
    old = [one.mailer_name for one in found if is_old(one.created_at, now)]
    if not old:
        return Line(title, Verdict.GOOD, said)
    whose = ngettext(
        "%(num)s mailer has one that is older than a year: %(names)s.",
        "%(num)s mailers have one that is older than a year: %(names)s.",
        len(old),
        names=", ".join(old[:NAMED]) + (" …" if len(old) > NAMED else ""),
    )
    return Line(title, Verdict.LOOK, f"{said} {whose}", todo)


def age_in_words(since: datetime, now: datetime) -> str:
    """Days at first, then months."""
    age = max(now - since, now - now)
    months = months_of(age)
    if not age.days:
        return str(gettext("less than a day"))
    if months < 2:
        return str(ngettext("%(num)s day", "%(num)s days", age.days))
    return str(ngettext("%(num)s month", "%(num)s months", months))
