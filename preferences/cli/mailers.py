"""`flask mailers`: who may call the API, and with which keys. A key is printed once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click
from flask.cli import AppGroup

from preferences.domain.errors import NotFound
from preferences.domain.scopes import Scope
from preferences.models.transaction import reading, transaction
from preferences.queries.mailers.mailers import KeyView, MailerView, keys_of
from preferences.queries.mailers.mailers import mailers as every_mailer
from preferences.queries.mailers.reconciliation import (
    MOST_COUNTED,
    Behind,
    OptOutTold,
    mailers_behind,
    newest_opt_out_told,
)
from preferences.services.recipients.recipients import find_recipient
from preferences.services.webhooks.mailers import IssuedKey, create_mailer, issue_key, revoke_key, rotate_key, works

mailers = AppGroup("mailers", help="The API clients that send mail, and their keys.")

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_SCOPES = click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What the key may do; repeat it. All when left out.",
)
_DAYS = click.option(
    "--days", type=click.IntRange(min=1, max=36_500), help="Days until the key expires; never when left out."
)


@mailers.command("create")
@click.argument("name")
@click.option("--key", required=True, help="Short name in sources and paths: lower-case letters, digits, -.")
@_SCOPES
@_DAYS
@_JSON
def create(name: str, key: str, scopes: Sequence[str], days: int | None, as_json: bool) -> None:
    """Add a mailer and print its first key, which is not shown again."""
    now = datetime.now(UTC)
    with transaction() as session:
        create_mailer(session, key=key, name=name, now=now)
        issued = issue_key(session, key, _scopes(scopes), now=now, expires_at=_end(now, days))
    _print_key(issued, key, as_json=as_json)


@mailers.command("add-key")
@click.argument("key")
@_SCOPES
@_DAYS
@_JSON
def add_key(key: str, scopes: Sequence[str], days: int | None, as_json: bool) -> None:
    """Give a mailer one more key, perhaps with other scopes."""
    now = datetime.now(UTC)
    with transaction() as session:
        issued = issue_key(session, key, _scopes(scopes), now=now, expires_at=_end(now, days))
    _print_key(issued, key, as_json=as_json)


@mailers.command("list")
@_JSON
def list_mailers(as_json: bool) -> None:
    """Every mailer with its keys, by their public part."""
    now = datetime.now(UTC)
    with reading() as session:
        found = [(mailer, keys_of(session, mailer.key)) for mailer in every_mailer(session)]
    if as_json:
        click.echo(json.dumps([_as_json(mailer, keys, now) for mailer, keys in found]))
        return
    if not found:
        click.echo("No mailers yet: flask --app app mailers create NAME --key …")
    for mailer, keys in found:
        click.echo(f"{mailer.key}  {mailer.name}{'  (archived)' if mailer.archived_at else ''}")
        for one in keys:
            click.echo(f"  pk_{one.prefix}  {_state(one, now)}  {' '.join(sorted(one.scopes))}")


@mailers.command("behind")
@_JSON
def behind(as_json: bool) -> None:
    """Which mailers have not acknowledged every change, and how long the oldest opt-out among those has waited."""
    now = datetime.now(UTC)
    with reading() as session:
        found = mailers_behind(session)
    if as_json:
        click.echo(json.dumps([_behind_as_json(one, now) for one in found]))
        return
    if not found:
        click.echo("No mailers yet: flask --app app mailers create NAME --key …")
    for one in found:
        click.echo(f"{one.mailer.key}  {_behind_in_words(one, now)}")


@mailers.command("told")
@click.argument("who", metavar="ADDRESS|ID")
@_JSON
def told(who: str, as_json: bool) -> None:
    """Which mailers have confirmed the newest change by which a person allowed less, and when."""
    with reading() as session:
        found = newest_opt_out_told(session, find_recipient(session, who).id)
    if as_json:
        click.echo(json.dumps(found and _told_as_json(found)))
        return
    if found is None:
        click.echo("This person has allowed nothing less than before.")
        return
    click.echo(f"{found.type}, {found.recorded_at:%Y-%m-%d %H:%M:%S} UTC")
    for one in found.confirmations:
        at = f"confirmed {one.confirmed_at:%Y-%m-%d %H:%M:%S} UTC" if one.confirmed_at else "not confirmed"
        click.echo(f"  {one.mailer.key}  {at}")


@mailers.command("rotate-key")
@click.argument("prefix")
@click.option(
    "--hours",
    default=168,
    show_default=True,
    type=click.IntRange(min=0, max=8760),
    help="How long the old key goes on.",
)
@_JSON
def rotate(prefix: str, hours: int, as_json: bool) -> None:
    """Print a new key with the same scopes; the old one, named by its public part, goes on working for a while."""
    with transaction() as session:
        issued = rotate_key(session, _bare(prefix), now=datetime.now(UTC), overlap=timedelta(hours=hours))
    _print_key(issued, None, as_json=as_json)


@mailers.command("revoke-key")
@click.argument("prefix")
def revoke(prefix: str) -> None:
    """Stop a key at once."""
    with transaction() as session:
        revoke_key(session, _bare(prefix), now=datetime.now(UTC))
    click.echo(f"pk_{_bare(prefix)} no longer works.")


def _behind_in_words(one: Behind, now: datetime) -> str:
    at = one.acknowledged.at
    since = f"acknowledged {at:%Y-%m-%d %H:%M} UTC" if at else "never acknowledged anything"
    if not one.changes:
        return f"up to date, {since}"
    count = f"more than {MOST_COUNTED:,}" if one.changes > MOST_COUNTED else f"{one.changes:,}"
    words = f"{count} {'change' if one.changes == 1 else 'changes'} behind, {since}"
    if one.oldest_opt_out_at is None:
        return f"{words}; no opt-out among them"
    return f"{words}; the oldest opt-out has waited {_age(now - one.oldest_opt_out_at)}"


def _age(waited: timedelta) -> str:
    minutes = max(0, round(waited.total_seconds() / 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"


def _behind_as_json(one: Behind, now: datetime) -> dict[str, object]:
    at, oldest = one.acknowledged.at, one.oldest_opt_out_at
    return {
        "mailer": one.mailer.key,
        "behind": one.changes,
        "acknowledged_at": at.isoformat() if at else None,
        "oldest_opt_out_at": oldest.isoformat() if oldest else None,
        "oldest_opt_out_seconds": round((now - oldest).total_seconds()) if oldest else None,
    }


def _told_as_json(found: OptOutTold) -> dict[str, object]:
    return {
        "type": found.type.value,
        "entry": found.entry_id,
        "recorded_at": found.recorded_at.isoformat(),
        "mailers": [
            {"mailer": one.mailer.key, "confirmed_at": one.confirmed_at.isoformat() if one.confirmed_at else None}
            for one in found.confirmations
        ],
    }


def _scopes(names: Sequence[str]) -> list[Scope]:
    return [Scope(name) for name in names] or list(Scope)


def _end(now: datetime, days: int | None) -> datetime | None:
    return None if days is None else now + timedelta(days=days)


def _bare(prefix: str) -> str:
    """The public part, also of a whole key that somebody pasted."""
    found = prefix.removeprefix("pk_").split("_")[0]
    if not found:
        raise NotFound("Name the key by its public part: pk_ and ten letters or digits.")
    return found


def _print_key(issued: IssuedKey, mailer: str | None, *, as_json: bool) -> None:
    if as_json:
        ends = issued.expires_at.isoformat() if issued.expires_at else None
        more = {"mailer": mailer} if mailer else {}
        click.echo(json.dumps({**more, "key": issued.text, "scopes": list(issued.scopes), "expires_at": ends}))
        return
    click.echo(issued.text)
    click.echo("This key is shown once; keep it where the mailer keeps its secrets.", err=True)


def _state(key: KeyView, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if not works(key, now):
        return "expired"
    return f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "works"


def _as_json(mailer: MailerView, keys: Sequence[KeyView], now: datetime) -> dict[str, object]:
    return {
        "key": mailer.key,
        "name": mailer.name,
        "archived": mailer.archived_at is not None,
        "keys": [{"prefix": one.prefix, "state": _state(one, now), "scopes": sorted(one.scopes)} for one in keys],
    }
