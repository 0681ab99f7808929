"""`flask hooks`: where ESPs may report, and with which secrets. A secret that we make is printed once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import click
from flask import current_app
from flask.cli import AppGroup

from preferences.config import Settings
from preferences.domain.errors import InvalidValue, NotFound
from preferences.domain.recipient_id import format_recipient_id
from preferences.integrations.esp import PROVIDERS
from preferences.integrations.esp.base import Provider, Scheme
from preferences.integrations.esp.setting_up import complete_secrets, to_enter
from preferences.models.transaction import reading, transaction
from preferences.queries.esp.esp import EventCount, event_counts, hooks, soft_bounces
from preferences.queries.mailers.mailers import mailer_by_key
from preferences.queries.purposes.purposes import catalogue
from preferences.services.esp.events import replay_events
from preferences.services.esp.hooks import add_hook, remove_hook, rotate_hook

hooks_group = AppGroup("hooks", help="Where ESPs report bounces, complaints and unsubscribes.")

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_SECRETS = click.option(
    "--secret",
    "given",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="A secret that the provider shows; asked for when =VALUE is left out. Repeat it where there are several.",
)


_SCHEME = click.option(
    "--scheme",
    "wanted",
    help="How requests are told from others, where the provider offers several: basic, bearer, signed.",
)


@hooks_group.command("add")
@click.argument("mailer")
@click.argument("provider")
@_SECRETS
@_SCHEME
@click.option(
    "--purpose", help="What this mail is about, for events that do not say; an unsubscribe stops everything else."
)
@_JSON
def add(
    mailer: str, provider: str, given: Sequence[str], wanted: str | None, purpose: str | None, as_json: bool
) -> None:
    """Let PROVIDER report for MAILER, and print the address to enter there."""
    scheme, secrets = _secrets(_provider(provider), given, wanted)
    with transaction() as session:
        add_hook(
            session,
            mailer_key=mailer,
            provider=provider,
            secrets=secrets,
            purpose_key=purpose,
            now=datetime.now(UTC),
        )
    _print_address(mailer, provider, scheme, secrets, as_json=as_json)


@hooks_group.command("rotate")
@click.argument("mailer")
@click.argument("provider")
@_SECRETS
@_SCHEME
@click.option(
    "--hours",
    default=24,
    show_default=True,
    type=click.IntRange(min=0, max=720),
    help="How long the former secrets go on.",
)
@_JSON
def rotate(mailer: str, provider: str, given: Sequence[str], wanted: str | None, hours: int, as_json: bool) -> None:
    """Replace the secrets of a hook; the former ones stay valid for a while."""
    scheme, secrets = _secrets(_provider(provider), given, wanted)
    with transaction() as session:
        rotate_hook(
            session,
            mailer_key=mailer,
            provider=provider,
            secrets=secrets,
            now=datetime.now(UTC),
            overlap=timedelta(hours=hours),
        )
    _print_address(mailer, provider, scheme, secrets, as_json=as_json)


@hooks_group.command("list")
@_JSON
def list_hooks(as_json: bool) -> None:
    """Every hook, and what was reported through it."""
    with reading() as session:
        found, counts, known = hooks(session), event_counts(session), catalogue(session)
    rows = [
        {
            "mailer": hook.mailer_key,
            "provider": hook.provider,
            "scheme": hook.secrets["scheme"],
            "purpose": _purpose_key(known.by_id(hook.purpose_id or 0)),
            "events": [
                _count(one) for one in counts if (one.mailer_id, one.provider) == (hook.mailer_id, hook.provider)
            ],
        }
        for hook in found
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    if not rows:
        click.echo("No hooks yet: flask --app app hooks add MAILER PROVIDER")
    for row in rows:
        click.echo(f"{row['mailer']}  {row['provider']}  {row['scheme']}  {row['purpose'] or '(purpose not said)'}")
        for one in cast("list[dict[str, object]]", row["events"]):
            waiting = f", {one['waiting']} waiting" if one["waiting"] else ""
            click.echo(f"  {one['type']} ({one['native']}): {one['count']}{waiting}")


@hooks_group.command("remove")
@click.argument("mailer")
@click.argument("provider")
def remove(mailer: str, provider: str) -> None:
    """Stop listening to PROVIDER for MAILER. What was reported stays."""
    with transaction() as session:
        remove_hook(session, mailer_key=mailer, provider=provider)
    click.echo(f"{provider} no longer reports for {mailer}.")


@hooks_group.command("replay")
@click.option("--days", default=7, show_default=True, type=click.IntRange(min=1, max=400), help="How far back.")
@click.option("--mailer", help="Only of this mailer.")
@click.option("--provider", help="Only of this provider.")
@click.option("--failed", is_flag=True, help="Only events that were given up.")
def replay(days: int, mailer: str | None, provider: str | None, failed: bool) -> None:
    """Have the worker go through stored events once more, after a mistake in the code was repaired."""
    if provider is not None:
        _provider(provider)
    with transaction() as session:
        found = mailer_by_key(session, mailer) if mailer else None
        if mailer and found is None:
            raise NotFound(f"There is no mailer named {mailer[:64]!r}.")
        count = replay_events(
            session,
            since=datetime.now(UTC) - timedelta(days=days),
            mailer_id=found.id if found else None,
            provider=provider,
            failed_only=failed,
        )
    click.echo(f"{count} events wait for the worker.")


@hooks_group.command("soft-bounces")
@click.option("--days", default=30, show_default=True, type=click.IntRange(min=1, max=400), help="How far back.")
@click.option("--at-least", default=5, show_default=True, type=click.IntRange(min=1), help="How many soft bounces.")
@_JSON
def list_soft_bounces(days: int, at_least: int, as_json: bool) -> None:
    """Recipients whose mail keeps coming back for the moment. Nobody is stopped for it."""
    with reading() as session:
        found = soft_bounces(session, since=datetime.now(UTC) - timedelta(days=days), at_least=at_least)
    rows = [
        {
            "recipient": one.recipient_id and format_recipient_id(one.recipient_id),
            "count": one.count,
            "last_at": one.last_at.isoformat(),
        }
        for one in found
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['recipient'] or '(no recipient)'}  {row['count']}  {row['last_at']}")
    if not rows:
        click.echo(f"Nobody had {at_least} soft bounces in {days} days.")


def _provider(name: str) -> Provider:
    found = PROVIDERS.get(name)
    if found is None:
        raise NotFound(f"There is no provider named {name[:32]!r}. There are: {', '.join(PROVIDERS)}.")
    return found


def _secrets(provider: Provider, given: Sequence[str], wanted: str | None) -> tuple[Scheme, dict[str, str]]:
    """The scheme that fits what was given, with fresh secrets where we make them. Raises InvalidValue."""
    values: dict[str, str] = {}
    for one in given:
        name, has_value, value = one.partition("=")
        values[name] = (value if has_value else str(click.prompt(name, hide_input=True))).strip()
    for scheme in provider.schemes:
        if wanted not in {None, scheme.name}:
            continue
        if {field.name for field in scheme.theirs} == set(values):
            try:
                return scheme, complete_secrets(scheme, values)
            except ValueError as error:
                raise InvalidValue(f"{error}.") from None
    ways = [
        " ".join([f"--scheme {one.name}", *(f"--secret {field.name} ({field.what})" for field in one.theirs)])
        for one in provider.schemes
    ]
    raise InvalidValue(f"{provider.title} needs: {' or '.join(ways)}.")


def _print_address(mailer: str, provider: str, scheme: Scheme, secrets: Mapping[str, str], *, as_json: bool) -> None:
    settings = cast(Settings, current_app.extensions["preferences.settings"])
    enter = to_enter(settings.base_url, provider, mailer, scheme, secrets)
    if as_json:
        click.echo(json.dumps({"url": enter.url, "header": enter.header, "scheme": scheme.name}))
        return
    click.echo(enter.url)
    if enter.header:
        click.echo(enter.header)
    if scheme.ours:
        click.echo("The secret is shown once; enter it at the provider now.", err=True)


def _count(one: EventCount) -> dict[str, object]:
    return {"type": one.type.value, "native": one.native, "count": one.count, "waiting": one.waiting}


def _purpose_key(described: object) -> str | None:
    return None if described is None else str(described.purpose.key)  # type: ignore[attr-defined]
